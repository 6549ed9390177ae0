"""Gradients of convolutions, for whoever writes a backward pass by hand.

Source: https://docs.pytorch.org/docs/stable/nn.functional.html (the functions have no page of their own)
"""

from __future__ import annotations

from typing import Any

from torsh.tensor import Tensor

__all__: list[str] = []


def _gradient(
    n: int, which: int, input: Any, weight: Any, grad_output: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    import torsh

    with torsh.enable_grad():
        operands = [input.detach(), weight.detach()]
        operands[which].requires_grad = True
        function = getattr(torsh.nn.functional, f"conv{n}d")
        out = function(*operands, None, stride, padding, dilation, groups)
        return torsh.autograd.grad(out, operands[which], grad_output, create_graph=grad_output.requires_grad)[0]  # type: ignore[no-any-return]


def _make(n: int) -> None:
    def of_input(
        input_size: Any,
        weight: Any,
        grad_output: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        like = grad_output.new_zeros(tuple(input_size))
        return _gradient(n, 0, like, weight, grad_output, stride, padding, dilation, groups)

    def of_weight(
        input: Any,
        weight_size: Any,
        grad_output: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        like = grad_output.new_zeros(tuple(weight_size))
        return _gradient(n, 1, input, like, grad_output, stride, padding, dilation, groups)

    of_input.__name__ = of_input.__qualname__ = f"conv{n}d_input"
    of_input.__doc__ = (
        f"The gradient of the input of ``conv{n}d``, from its shape, the weight and the gradient of the output."
    )
    of_weight.__name__ = of_weight.__qualname__ = f"conv{n}d_weight"
    of_weight.__doc__ = f"The gradient of the weight of ``conv{n}d``, from the input, the weight's shape and the gradient of the output."
    globals().update({of_input.__name__: of_input, of_weight.__name__: of_weight})
    __all__.extend([of_input.__name__, of_weight.__name__])


for _n in (1, 2, 3):
    _make(_n)
