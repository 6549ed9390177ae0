"""Neural networks.  Source: https://docs.pytorch.org/docs/stable/nn.html"""

from torsh.nn import functional, grad, init, modules, parallel, parameter, utils
from torsh.nn.modules import *  # noqa: F403
from torsh.nn.modules.module import Module
from torsh.nn.options import LinearCrossEntropyOptions
from torsh.nn.parallel import DataParallel
from torsh.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "Buffer", "DataParallel", "Module", "Parameter", "UninitializedBuffer", "UninitializedParameter", "functional", "init", "modules",
    "parallel", "parameter", "utils",
]  # fmt: skip
__all__ += ["LinearCrossEntropyOptions", "factory_kwargs", *modules.__all__]


def factory_kwargs(kwargs: dict[str, object] | None) -> dict[str, object]:
    """Of a module's keyword arguments, those that say how tensors are made: ``device``, ``dtype``, ``memory_format``.

    They may come in a dictionary ``factory_kwargs`` too.  Raises TypeError for any other, and for one given twice.
    Source: https://docs.pytorch.org/docs/stable/nn.html

    >>> from torsh import nn
    >>> nn.factory_kwargs({"device": "cpu", "factory_kwargs": {"dtype": None}})
    {'dtype': None, 'device': 'cpu'}
    """
    if kwargs is None:
        return {}
    simple = {"device", "dtype", "memory_format"}
    expected = simple | {"factory_kwargs"}
    if not kwargs.keys() <= expected:
        raise TypeError(f"unexpected kwargs {kwargs.keys() - expected}")
    inner = kwargs.get("factory_kwargs", {})
    found = dict(inner)  # type: ignore[call-overload]
    for key in ("device", "dtype", "memory_format"):
        if key in kwargs:
            if key in found:
                raise TypeError(f"{key} specified twice, in **kwargs and in factory_kwargs")
            found[key] = kwargs[key]
    return found


# Loaded now: the functions must hide the modules of their names also where somebody imports those modules.
_ = (utils.weight_norm, utils.spectral_norm)
