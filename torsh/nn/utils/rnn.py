"""Sequences of different lengths in one tensor: padded, or packed without the padding.

Source: https://docs.pytorch.org/docs/stable/nn.html#utility-functions-in-other-modules
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from torsh.tensor import Tensor


class PackedSequence_(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.invert_permutation.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.utils.rnn.invert_permutation(torsh.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    import torsh

    out = torsh.empty_like(permutation)
    out.scatter_(0, permutation, torsh.arange(0, permutation.numel(), device=permutation.device))
    return out


class PackedSequence(PackedSequence_):
    """The rows of sequences step by step, longest sequence first; made by ``pack_padded_sequence``.

    data: all rows; batch_sizes: how many sequences have each step; sorted_indices and unsorted_indices: how the sequences
    were sorted by length.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html

    >>> import torsh
    >>> from torsh import nn
    >>> packed = nn.utils.rnn.pack_sequence([torsh.tensor([1, 2, 3]), torsh.tensor([4, 5])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if batch_sizes is None:
            # Made from an old (data, batch_sizes) pair.
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected a pair of data and batch_sizes")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. They "
                "should be instantiated by functions like pack_sequence and pack_padded_sequences in nn.utils.rnn. "
                "https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def pin_memory(self) -> PackedSequence:
        """The same with its data in page-locked memory."""
        return self._with(self.data.pin_memory())

    def _with(self, data: Tensor) -> PackedSequence:
        return (
            self
            if data is self.data
            else type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)
        )

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with its data moved or converted."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        kwargs = {k: v for k, v in kwargs.items() if k not in ("device", "dtype")}
        where = [
            None if t is None else t.to(data.device, **kwargs) for t in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *where)

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same on a CUDA device."""
        return self.to(*(args or ("cuda",)), **kwargs)

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same on the CPU."""
        return self.to("cpu", *args, **kwargs)

    def double(self) -> PackedSequence:
        """The same with float64 data."""
        return self._with(self.data.double())

    def float(self) -> PackedSequence:
        """The same with float32 data."""
        return self._with(self.data.float())

    def half(self) -> PackedSequence:
        """The same with float16 data."""
        return self._with(self.data.half())

    def long(self) -> PackedSequence:
        """The same with int64 data."""
        return self._with(self.data.long())

    def int(self) -> PackedSequence:
        """The same with int32 data."""
        return self._with(self.data.int())

    def short(self) -> PackedSequence:
        """The same with int16 data."""
        return self._with(self.data.short())

    def char(self) -> PackedSequence:
        """The same with int8 data."""
        return self._with(self.data.char())

    def byte(self) -> PackedSequence:
        """The same with uint8 data."""
        return self._with(self.data.byte())

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a CUDA device."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether the data is in page-locked memory."""
        return self.data.is_pinned()


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack (T, N, *), or (N, T, *) if batch_first, of sequences with given lengths.

    enforce_sorted: require lengths in decreasing order; otherwise they are sorted here.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = torsh.tensor([[1., 2., 3.], [4., 5., 0.]])
    >>> packed = nn.utils.rnn.pack_padded_sequence(x, [3, 2], batch_first=True)
    >>> packed.data, packed.batch_sizes
    (tensor([1., 4., 2., 5., 3.]), tensor([2, 2, 1]))
    """
    import torsh

    if not isinstance(lengths, Tensor):
        lengths = torsh.as_tensor(lengths, dtype=torsh.int64, device="cpu")
    elif lengths.device.type != "cpu":
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D {lengths.device} "
            f"{lengths.dtype} tensor"
        )
    else:
        lengths = lengths.to(torsh.int64)
    order = None
    if not enforce_sorted:
        lengths, order = torsh.sort(lengths, descending=True)
        order = order.to(input.device)
        input = input.index_select(0 if batch_first else 1, order)
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    sizes = lengths.tolist()
    if not sizes or sizes[-1] <= 0 or min(sizes) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if sizes != sorted(sizes, reverse=True):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not "
            "need ONNX exportability."
        )
    if batch_first:
        input = input.transpose(0, 1)
    if len(sizes) != input.size(1):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size={input.size(1)})"
        )
    counts = [sum(n > t for n in sizes) for t in range(sizes[0])]
    # Steps between two changes of the batch size are taken together.
    parts, start = [], 0
    while start < len(counts):
        end = start
        while end < len(counts) and counts[end] == counts[start]:
            end += 1
        block = input[start:end, : counts[start]]
        parts.append(block.reshape(-1, *input.shape[2:]))
        start = end
    return PackedSequence(torsh.cat(parts), torsh.tensor(counts), order, None)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """(padded sequences, lengths) of packed ones, in their first order.

    batch_first: the result is (N, longest, *) instead of (longest, N, *). total_length: pad to this length, at least the longest (ValueError).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html

    >>> import torsh
    >>> from torsh import nn
    >>> packed = nn.utils.rnn.pack_sequence([torsh.tensor([1, 2, 3]), torsh.tensor([4, 5])])
    >>> nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 5, 0]]), tensor([3, 2]))
    """
    import torsh

    counts = sequence.batch_sizes.tolist()
    longest, n = len(counts), counts[0]
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                f"Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
    steps = []
    for rows in sequence.data.split(counts):
        missing = n - rows.size(0)
        if missing:
            rows = torsh.cat([rows, rows.new_full((missing, *rows.shape[1:]), padding_value)])
        steps.append(rows)
    if total_length is not None and total_length > longest:
        steps += [sequence.data.new_full((n, *sequence.data.shape[1:]), padding_value)] * (total_length - longest)
    out = torsh.stack(steps, 1 if batch_first else 0)
    lengths = torsh.tensor([sum(c > i for c in counts) for i in range(n)])
    if sequence.unsorted_indices is not None:
        out = out.index_select(0 if batch_first else 1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices.cpu()]
    return out, lengths


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Tensors (L, *) of different lengths as one, filled up with ``padding_value``.

    batch_first: the result is (N, longest, *) instead of (longest, N, *). padding_side: right or left.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.utils.rnn.pad_sequence([torsh.tensor([1, 2, 3]), torsh.tensor([4])], batch_first=True, padding_value=-1)
    tensor([[ 1,  2,  3],
            [ 4, -1, -1]])
    """
    import torsh

    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    sequences = list(sequences)
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}")
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    longest = max(s.size(0) for s in sequences)
    rows = []
    for s in sequences:
        missing = longest - s.size(0)
        if missing:
            fill = s.new_full((missing, *s.shape[1:]), padding_value)
            s = torsh.cat([fill, s] if padding_side == "left" else [s, fill])
        rows.append(s)
    return torsh.stack(rows, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded tensor, each with its own length.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.utils.rnn.unpad_sequence(torsh.tensor([[1, 2, 3], [4, 5, 0]]), torsh.tensor([3, 2]), batch_first=True)
    [tensor([1, 2, 3]), tensor([4, 5])]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [s[:n] for s, n in zip(padded_sequences.unbind(0), lengths.tolist())]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack tensors (L, *) of different lengths.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.utils.rnn.pack_sequence([torsh.tensor([1, 2]), torsh.tensor([3, 4, 5])], enforce_sorted=False).sorted_indices
    tensor([1, 0])
    """
    import torsh

    lengths = torsh.as_tensor([s.size(0) for s in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html

    >>> import torsh
    >>> from torsh import nn
    >>> packed = nn.utils.rnn.pack_sequence([torsh.tensor([1, 2, 3]), torsh.tensor([4, 5])])
    >>> nn.utils.rnn.unpack_sequence(packed)
    [tensor([1, 2, 3]), tensor([4, 5])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence",
    "unpack_sequence", "unpad_sequence",
]  # fmt: skip
