"""Methods of Tensor about special memory: shared by processes, page-locked, of another library's layout."""

from __future__ import annotations

from typing import Any

from torsh.tensor import Tensor, memory_of


class Memory:
    """Their home until ``torsh.tensor_methods`` attaches them to Tensor."""

    def is_pinned(self: Any, device: Any = None) -> bool:
        """Whether the memory is page-locked: no.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_pinned.html

        >>> import torsh
        >>> torsh.zeros(1).is_pinned()
        False
        """
        return False

    def pin_memory(self: Any, device: Any = None) -> Tensor:
        """The tensor itself where there is an accelerator to copy to (torsh does not page-lock memory); else RuntimeError.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.pin_memory.html

        >>> import torsh
        >>> x = torsh.zeros(2)
        >>> if torsh.accelerator.is_available():
        ...     x = x.pin_memory()
        """
        from torsh.ops._args import check_pinnable

        check_pinnable("Cannot access accelerator device when none is available")
        return self  # type: ignore[no-any-return]

    def to_mkldnn(self: Any, dtype: Any = None) -> Tensor:
        """RuntimeError: there is no layout of MKL-DNN; dense tensors are what torsh's kernels take.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> try:
        ...     torsh.zeros(2).to_mkldnn()
        ... except RuntimeError as error:
        ...     print(str(error)[:26])
        MKL-DNN layout is not here
        """
        raise RuntimeError(
            "MKL-DNN layout is not here: torsh's backends choose the layout of their kernels themselves; use the dense tensor as it is"
        )

    def is_shared(self: Any) -> bool:
        """Whether processes forked from this one see the memory: after ``share_memory_`` (always on CUDA, as in PyTorch).

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_shared.html

        >>> import torsh
        >>> torsh.zeros(1).is_shared()
        False
        """
        return self._kind.device.type == "cuda" or self._kind.backend.is_shared(memory_of(self))  # type: ignore[no-any-return]

    def share_memory_(self: Any) -> Tensor:
        """Move the tensor to memory that processes forked from this one share: what one writes, the others see.

        Make views and detached tensors afterwards: those that exist keep the old memory (a view itself cannot be moved, RuntimeError).
        Processes that do not fork, and queues, get copies.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.share_memory_.html

        >>> import torsh
        >>> torsh.zeros(2).share_memory_().is_shared()
        True
        """
        if self.is_shared():
            return self  # type: ignore[no-any-return]
        if self._base is not None and not self._detached:
            raise RuntimeError(
                "share_memory_(): this tensor is a view, and the tensor it looks at would be left behind in other memory; call "
                "share_memory_() on that one before you make views of it"
            )
        self._data = self._kind.backend.shared_copy(self._data)
        return self  # type: ignore[no-any-return]
