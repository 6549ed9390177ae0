"""Linear and bilinear maps of the last dimension."""

from __future__ import annotations

from typing import Any

from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor, in_float32
from torsh.ops._op import OPS, Op, composite, primitive
from torsh.ops.pointwise import conj


def _flat(t: Any) -> Any:
    """The tensor as a matrix: all dimensions but the last one merged."""
    return t if len(t._data.shape) == 2 else t.reshape(-1, t.shape[-1])


def _conj(t: Any) -> Any:
    return conj(t) if t._kind.complex else t


def _of_bias(g: Any) -> Any:
    rank = len(g._data.shape)
    return g.sum(tuple(range(rank - 1))) if rank > 1 else g


linear_backward = Op(
    "linear_backward", None, ("g", "input", "weight"),
    decompose=lambda g, input, weight: (g @ _conj(weight), _flat(g).t() @ _conj(_flat(input)), _of_bias(g)),
    meta=lambda g, input, weight: [(input.shape, g.dtype), (weight.shape, g.dtype), ((weight.shape[0],), g.dtype)],
)  # fmt: skip


def _tangent(input: Any, weight: Any, input_t: Any, weight_t: Any, bias_t: Any) -> Any:
    run = OPS["linear"]
    if input_t is None:
        return bias_t if weight_t is None else run(input, weight_t, bias_t)
    found = run(input_t, weight, bias_t)
    return found if weight_t is None else found + run(input, weight_t, None)


@primitive(
    "torch.nn.functional.linear torch._C._nn.linear",
    grad={
        "input": lambda g, weight: g @ _conj(weight),
        "weight": lambda g, input: _flat(g).t() @ _conj(_flat(input)),
        "bias": _of_bias,
        "input weight bias": lambda g, input, weight: linear_backward(g, input, weight),
    },
    jvp=lambda input, weight, input_t, weight_t, bias_t: _tangent(input, weight, input_t, weight_t, bias_t),
    out=True,
    meta=lambda input, weight, bias: ((*input.shape[:-1], weight.shape[0]), input.dtype),
)
def linear(input, weight, bias=None):
    """input @ weight.T + bias over the last dimension.

    input: (*, I).  weight: (O, I), or (I,) for a single output without a dimension of its own.  bias: (O,).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> x, weight = torsh.tensor([[1., 2.]]), torsh.tensor([[1., 0.], [0., 1.], [1., 1.]])
    >>> F.linear(x, weight, bias=torsh.tensor([0., 0., 10.]))
    tensor([[ 1.,  2., 13.]])
    """
    check_tensor(input, "linear")
    check_tensor(weight, "linear", "weight", 2)
    size = weight._data.shape
    if len(size) == 1:
        if bias is not None and bias.ndim:
            raise RuntimeError(
                f"linear(): expected a 0-d bias for a weight of one dimension, got bias of size {list(bias.shape)}"
            )
        out = linear.op(input if input.ndim else input.reshape(1), weight.unsqueeze(0), None).squeeze(-1)
        return out if bias is None else out + bias
    if len(size) != 2:
        raise RuntimeError(f"linear(): weight must be a matrix or a vector, got weight of size {list(weight.shape)}")
    shape = input._data.shape
    if not shape or shape[-1] != size[1]:
        rows = 1
        for n in shape[:-1]:
            rows *= n
        last = shape[-1] if shape else 0
        if not shape:
            raise RuntimeError("both arguments to linear need to be at least 1D, but they are 0D and 2D")
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{last} and {weight.shape[1]}x{weight.shape[0]}); the "
            f"last dimension of the input must be {weight.shape[1]}"
        )
    if input._kind is not weight._kind and input._kind.place is weight._kind.place:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {scalar_name(input.dtype)} and "
            f"{scalar_name(weight.dtype)}"
        )
    if bias is not None:
        if bias._kind is not input._kind and bias.dtype is not input.dtype:
            raise RuntimeError(
                f"self and mat2 must have the same dtype, but got {scalar_name(bias.dtype)} and "
                f"{scalar_name(input.dtype)}"
            )
        of_bias = bias._data.shape
        if len(of_bias) != 1 or of_bias[0] not in (1, size[0]):
            return linear.op(input, weight, None) + bias
        if of_bias[0] != size[0]:
            bias = bias.expand(size[0])
    return (input, weight, bias)


@composite("torch.bilinear torch.nn.functional.bilinear")
def bilinear(input1, input2, weight, bias=None):
    """x1 @ weight[o] @ x2 for every output o, plus a bias.

    input1: (*, I1).  input2: (*, I2).  weight: (O, I1, I2).  bias: (O,).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.bilinear(torsh.tensor([1., 2.]), torsh.tensor([3., 4.]), torsh.ones(1, 2, 2))
    tensor([21.])
    """
    if input1.ndim != input2.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}")
    for i in range(input1.ndim - 1):
        if input1.shape[i] != input2.shape[i]:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {i}: got {input1.shape[i]} and "
                f"{input2.shape[i]}"
            )
    for i, x in ((1, input1), (2, input2)):
        if x.shape[-1] != weight.shape[i]:
            raise RuntimeError(
                f"bilinear(): input{i} size does not match weight size: got {x.shape[-1]} but expected "
                f"{weight.shape[i]}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {weight.shape[0]}"
        )
    given = [
        (n, t) for n, t in (("input1", input1), ("input2", input2), ("weight", weight), ("bias", bias)) if t is not None
    ]
    if any(t.dtype is not input1.dtype for _, t in given):
        raise RuntimeError(
            f"All tensors must have the same dtype, got {', '.join(f'{n}: {scalar_name(t.dtype)}' for n, t in given)}"
        )
    return in_float32(_bilinear, input1, input2, weight, bias)


def _bilinear(input1: Any, input2: Any, weight: Any, bias: Any) -> Any:
    outputs, first, second = weight.shape
    lead = tuple(input1.shape[:-1])
    # (rows, I1) x (I1, O * I2), then one weighted sum over I2 per row and output.
    half = linear(input1.reshape(-1, first), weight.permute(0, 2, 1).reshape(outputs * second, first))
    out = (
        (half.reshape(-1, outputs, second) * input2.reshape(-1, 1, second))
        .sum(-1, dtype=weight.dtype)
        .reshape(*lead, outputs)
    )
    return out if bias is None else out + bias
