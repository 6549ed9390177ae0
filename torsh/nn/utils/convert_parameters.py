"""All parameters as one vector.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
"""

from __future__ import annotations

from collections.abc import Iterable

from torsh.tensor import Tensor


def _one_device(tensors: list[Tensor]) -> None:
    if len({t.device for t in tensors}) > 1:
        raise TypeError("Found two parameters on different devices, this is currently not supported.")


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after another.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.utils.parameters_to_vector([torsh.tensor([[1., 2.]]), torsh.tensor([3.])])
    tensor([1., 2., 3.])
    """
    import torsh

    parameters = list(parameters)
    _one_device(parameters)
    return torsh.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give parameters the elements of a vector.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html

    >>> import torsh
    >>> from torsh import nn
    >>> layer = nn.Linear(2, 1)
    >>> nn.utils.vector_to_parameters(torsh.tensor([1., 2., 3.]), layer.parameters())
    >>> layer.weight.data, layer.bias.data
    (tensor([[1., 2.]]), tensor([3.]))
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    parameters = list(parameters)
    _one_device(parameters)
    start = 0
    for p in parameters:
        n = p.numel()
        p.data = vec[start : start + n].view(p.shape).data
        start += n


__all__ = ["parameters_to_vector", "vector_to_parameters"]
