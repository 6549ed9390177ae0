"""The base class of all neural network modules.

Parameters, buffers and submodules live in three dictionaries of the instance; attribute access finds them there.
Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
"""

from __future__ import annotations

import inspect
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype
from torsh.nn.modules._hooks import (
    HookMixin,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from torsh.nn.modules._state import EXTRA_STATE as _EXTRA_STATE_KEY_SUFFIX  # loaders of checkpoints look for it
from torsh.nn.modules._state import StateMixin, _IncompatibleKeys
from torsh.nn.parameter import Buffer, Parameter, is_lazy
from torsh.tensor import Tensor

# Hooks that run for every module.  Under PyTorch's names, because programs read them and clear them by setting new ones.
_global_forward_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_forward_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_forward_hooks_always_called: OrderedDict[int, bool] = OrderedDict()
_global_forward_hooks_with_kwargs: OrderedDict[int, bool] = OrderedDict()
_global_backward_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_backward_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_is_full_backward_hook: bool | None = None
_global_parameter_registration_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_buffer_registration_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_module_registration_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()


def _addindent(text: str, spaces: int) -> str:
    """Indent all lines but the first."""
    return text.replace("\n", "\n" + " " * spaces)


def typename(o: Any) -> str:
    """The full name of an object's type, as error messages give it."""
    from torsh import dtypes

    if isinstance(o, Tensor):
        return o.type()
    cls = o if inspect.isclass(o) else type(o)
    module = cls.__module__
    if module in ("builtins", "__builtin__", None):
        return cls.__qualname__
    if module.partition(".")[0] == "torsh":
        module = dtypes.namespace + module[5:]
    return f"{module}.{cls.__qualname__}"


_typename = typename


class Module(HookMixin, StateMixin):
    """Base class of models and layers: assign parameters and submodules as attributes, define ``forward``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html

    >>> import torsh
    >>> from torsh import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = nn.Linear(4, 2)
    ...     def forward(self, x):
    ...         return self.layer(x).relu()
    >>> Net()(torsh.ones(3, 4)).shape
    torsh.Size([3, 2])
    """

    dump_patches: bool = False
    _version: int = 1
    training: bool
    call_super_init: bool = False
    _compiled_call_impl: Callable[..., Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        # The instance's dictionary directly: __setattr__ looks at every value.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
            _is_full_backward_hook=None,
            _forward_hooks=OrderedDict(),
            _forward_hooks_with_kwargs=OrderedDict(),
            _forward_hooks_always_called=OrderedDict(),
            _forward_pre_hooks=OrderedDict(),
            _forward_pre_hooks_with_kwargs=OrderedDict(),
            _state_dict_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # ---- calling

    def forward(self, *input: Any) -> Any:
        """What the module computes; every subclass defines it.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.forward

        >>> import torsh
        >>> from torsh import nn
        >>> class Double(nn.Module):
        ...     def forward(self, x):
        ...         return 2 * x
        >>> Double()(torsh.tensor([1.]))
        tensor([2.])
        """
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if not (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or _global_forward_hooks
            or _global_forward_pre_hooks
            or _global_backward_hooks
            or _global_backward_pre_hooks
        ):
            return self.forward(*args, **kwargs)
        return self._hooked_call(*args, **kwargs)

    def _wrapped_call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        return self._call_impl(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        d = self.__dict__
        if (
            d["_forward_hooks"] or d["_forward_pre_hooks"] or d["_backward_hooks"] or d["_backward_pre_hooks"]
            or _global_forward_hooks or _global_forward_pre_hooks or _global_backward_hooks or _global_backward_pre_hooks
            or "_compiled_call_impl" in d
        ):  # fmt: skip
            return self._wrapped_call_impl(*args, **kwargs)
        return self.forward(*args, **kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Make calls of this module go through ``torch.compile``; same arguments.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.compile
        """
        import torsh

        self._compiled_call_impl = torsh.compile(self._call_impl, *args, **kwargs)  # type: ignore[attr-defined]

    # ---- parameters, buffers, submodules

    def __getattr__(self, name: str) -> Any:
        d = self.__dict__
        found = d.get("_parameters")
        if found is not None and name in found:
            return found[name]
        found = d.get("_buffers")
        if found is not None and name in found:
            return found[name]
        found = d.get("_modules")
        if found is not None and name in found:
            return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _forget(self, name: str, *tables: Any) -> None:
        for table in tables:
            if isinstance(table, set):
                table.discard(name)
            elif name in table:
                del table[name]

    def __setattr__(self, name: str, value: Any) -> None:
        d = self.__dict__
        params = d.get("_parameters")
        if isinstance(value, Parameter):
            if params is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, d, d["_buffers"], d["_modules"], d["_non_persistent_buffers_set"])
            self.register_parameter(name, value)
            return
        if params is not None and name in params:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
            return
        modules = d.get("_modules")
        if isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, d, d["_parameters"], d["_buffers"], d["_non_persistent_buffers_set"])
            for hook in _global_module_registration_hooks.values():
                found = hook(self, name, value)
                if found is not None:
                    value = found
            modules[name] = value
            return
        if modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            for hook in _global_module_registration_hooks.values():
                found = hook(self, name, value)
                if found is not None:
                    value = found
            modules[name] = value
            return
        buffers = d.get("_buffers")
        if isinstance(value, Buffer) or (buffers is not None and name in buffers):
            if buffers is None:
                raise AttributeError("cannot assign buffer before Module.__init__() call")
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
                )
            if isinstance(value, Buffer) and name not in buffers:
                self._forget(name, d, d["_parameters"], d["_modules"], d["_non_persistent_buffers_set"])
                self.register_buffer(name, value, value.persistent)
                return
            for hook in _global_buffer_registration_hooks.values():
                found = hook(self, name, value)
                if found is not None:
                    value = found
            buffers[name] = value
            return
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        own = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted(k for k in own if not k[0].isdigit())

    def _check_name(self, what: str, name: Any, table: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain "."{", got: " + name if what == "module" else ""}')
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if hasattr(self, name) and name not in table:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a buffer: a tensor that belongs to the module's state but is no parameter.

        persistent: whether it is part of ``state_dict``.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer

        >>> import torsh
        >>> from torsh import nn
        >>> m = nn.Module()
        >>> m.register_buffer("steps", torsh.zeros(1))
        >>> m.state_dict()
        OrderedDict([('steps', tensor([0.]))])
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        for hook in _global_buffer_registration_hooks.values():
            found = hook(self, name, tensor)
            if found is not None:
                tensor = found
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None keeps the name for later.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_parameter

        >>> import torsh
        >>> from torsh import nn
        >>> m = nn.Module()
        >>> m.register_parameter("scale", nn.Parameter(torsh.ones(1)))
        >>> m.scale
        Parameter containing:
        tensor([1.], requires_grad=True)
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
                )
            if not is_lazy(param) and param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To "
                    f"express '{name}' as a function of another Tensor, compute the value in the forward() method."
                )
        for hook in _global_parameter_registration_hooks.values():
            found = hook(self, name, param)
            if found is not None:
                param = found
        self._parameters[name] = param

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name; None keeps the name for later.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.add_module

        >>> from torsh import nn
        >>> m = nn.Module()
        >>> m.add_module("first", nn.Linear(2, 1))
        >>> m.first
        Linear(in_features=2, out_features=1, bias=True)
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        for hook in _global_module_registration_hooks.values():
            found = hook(self, name, module)
            if found is not None:
                module = found
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as :meth:`add_module`.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_module

        >>> from torsh import nn
        >>> m = nn.Module()
        >>> m.register_module("act", nn.ReLU())
        >>> m.act
        ReLU()
        """
        self.add_module(name, module)

    def get_submodule(self, target: str) -> Module:
        """The submodule with a dotted name; raises AttributeError if there is none.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.get_submodule

        >>> from torsh import nn
        >>> nn.Sequential(nn.Sequential(nn.ReLU())).get_submodule("0.0")
        ReLU()
        """
        if target == "":
            return self
        mod: Any = self
        for item in target.split("."):
            if not hasattr(mod, item):
                raise AttributeError(mod._get_name() + " has no attribute `" + item + "`")
            mod = getattr(mod, item)
            if not isinstance(mod, Module):
                raise AttributeError("`" + item + "` is not an nn.Module")
        return mod

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module where a dotted name says; strict: only in place of one that exists.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.set_submodule

        >>> from torsh import nn
        >>> m = nn.Sequential(nn.ReLU())
        >>> m.set_submodule("0", nn.Tanh())
        >>> m
        Sequential(
          (0): Tanh()
        )
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(parent._get_name() + " has no attribute `" + name + "`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError("`" + name + "` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with a dotted name; raises AttributeError if there is none.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.get_parameter

        >>> from torsh import nn
        >>> nn.Sequential(nn.Linear(2, 3)).get_parameter("0.bias").shape
        torsh.Size([3])
        """
        path, _, name = target.rpartition(".")
        mod = self.get_submodule(path)
        if not hasattr(mod, name):
            raise AttributeError(mod._get_name() + " has no attribute `" + name + "`")
        param = getattr(mod, name)
        if not isinstance(param, Parameter):
            raise AttributeError("`" + name + "` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with a dotted name; raises AttributeError if there is none.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.get_buffer

        >>> from torsh import nn
        >>> nn.BatchNorm1d(2).get_buffer("running_mean")
        tensor([0., 0.])
        """
        path, _, name = target.rpartition(".")
        mod = self.get_submodule(path)
        if not hasattr(mod, name):
            raise AttributeError(mod._get_name() + " has no attribute `" + name + "`")
        if name not in mod._buffers:
            raise AttributeError("`" + name + "` is not a buffer")
        return getattr(mod, name)

    # ---- walking

    def _named_members(
        self, get: Callable[[Module], Any], prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen: set[Any] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in get(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield (path + "." if path else "") + name, value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and (recurse) its submodules, each once.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.parameters

        >>> from torsh import nn
        >>> sum(p.numel() for p in nn.Linear(2, 3).parameters())
        9
        """
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) of this module and its submodules.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_parameters

        >>> from torsh import nn
        >>> [(name, p.shape) for name, p in nn.Linear(2, 3).named_parameters()]
        [('weight', torsh.Size([3, 2])), ('bias', torsh.Size([3]))]
        """
        yield from self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and (recurse) its submodules, each once.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.buffers

        >>> from torsh import nn
        >>> [b.shape for b in nn.BatchNorm1d(3).buffers()]
        [torsh.Size([3]), torsh.Size([3]), torsh.Size([])]
        """
        for _, buf in self.named_buffers(recurse=recurse):
            yield buf

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer) of this module and its submodules.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_buffers

        >>> from torsh import nn
        >>> [name for name, _ in nn.BatchNorm1d(2).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        yield from self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def children(self) -> Iterator[Module]:
        """The direct submodules, each once.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.children

        >>> from torsh import nn
        >>> list(nn.Sequential(nn.Linear(2, 2), nn.ReLU()).children())
        [Linear(in_features=2, out_features=2, bias=True), ReLU()]
        """
        for _, module in self.named_children():
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the direct submodules.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_children

        >>> from torsh import nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(2, 2), nn.ReLU()).named_children()]
        ['0', '1']
        """
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.modules

        >>> from torsh import nn
        >>> [type(m).__name__ for m in nn.Sequential(nn.Linear(2, 2), nn.ReLU()).modules()]
        ['Sequential', 'Linear', 'ReLU']
        """
        for _, module in self.named_modules():
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) of this module (name: the prefix) and all below it.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_modules

        >>> from torsh import nn
        >>> [name for name, _ in nn.Sequential(nn.Sequential(nn.ReLU())).named_modules()]
        ['', '0', '0.0']
        """
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, prefix + ("." if prefix else "") + name, remove_duplicate)

    # ---- changing all of it

    def apply(self, fn: Callable[[Module], None]) -> Any:
        """Call ``fn`` on every submodule and then on this one; returns the module.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.apply

        >>> from torsh import nn
        >>> def zero(m):
        ...     if isinstance(m, nn.Linear):
        ...         _ = nn.init.zeros_(m.weight)
        >>> model = nn.Sequential(nn.Linear(2, 1), nn.ReLU()).apply(zero)
        >>> model[0].weight.data
        tensor([[0., 0.]])
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Put ``fn(t)`` in place of every parameter, gradient and buffer; parameters keep their identity."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            grad = None if is_lazy(param) else param.grad
            with no_grad():
                applied = fn(param)
            if applied is not param:
                param.data = applied
            if grad is not None:
                with no_grad():
                    applied = fn(grad)
                if applied is not grad:
                    grad.data = applied
        for key, buf in self._buffers.items():
            if buf is not None:
                self._buffers[key] = fn(buf)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Move and/or convert parameters and buffers in place; returns the module.

        Forms: ``to(device)``, ``to(dtype)``, ``to(device, dtype)``, ``to(tensor)``; a dtype must be floating or complex and
        changes floating and complex values only.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to

        >>> import torsh
        >>> from torsh import nn
        >>> layer = nn.Linear(2, 1).to(torsh.float64)
        >>> layer.weight.dtype
        torsh.float64
        """
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if dtype is not None and dtype.is_complex:
            warnings.warn(
                "Complex modules are a new feature under active development whose design may change, and some modules might "
                "not work as expected when using complex tensors as parameters or buffers.",
                stacklevel=2,
            )

        def convert(t: Tensor) -> Tensor:
            fits = t._kind.inexact
            if memory_format is not None and t.dim() in (4, 5):
                return t.to(device, dtype if fits else None, non_blocking, memory_format=memory_format)
            return t.to(device=device, dtype=dtype if fits else None, non_blocking=non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Any:
        """Move to a device without copying values; they are undefined afterwards.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.to_empty

        >>> import torsh
        >>> from torsh import nn
        >>> with torsh.device("meta"):
        ...     layer = nn.Linear(2, 1)
        >>> layer.to_empty(device="cpu").weight.device
        device(type='cpu')
        """
        from torsh.ops.creation import empty

        return self._apply(lambda t: empty(tuple(t.shape), dtype=t.dtype, device=device), recurse=recurse)

    def _on(self, kind: str, index: Any) -> Any:
        where = Device(kind) if index is None else Device(kind, index) if isinstance(index, int) else Device(index)
        return self._apply(lambda t: t.to(where))

    def cpu(self) -> Any:
        """Move to the CPU.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.cpu

        >>> from torsh import nn
        >>> nn.Linear(2, 1).cpu().weight.device
        device(type='cpu')
        """
        return self._on("cpu", None)

    def cuda(self, device: Any = None) -> Any:
        """Move to a CUDA device."""
        return self._on("cuda", device)

    def ipu(self, device: Any = None) -> Any:
        """Move to an IPU device."""
        return self._on("ipu", device)

    def xpu(self, device: Any = None) -> Any:
        """Move to an XPU device."""
        return self._on("xpu", device)

    def mtia(self, device: Any = None) -> Any:
        """Move to an MTIA device."""
        return self._on("mtia", device)

    def type(self, dst_type: Any) -> Any:
        """Convert all parameters and buffers to a type.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.type

        >>> import torsh
        >>> from torsh import nn
        >>> nn.Linear(2, 1).type(torsh.float64).weight.dtype
        torsh.float64
        """
        return self._apply(lambda t: t.type(dst_type))

    def _in(self, name: str) -> Any:
        from torsh import dtypes

        target = dtypes.BY_NAME[name]
        return self._apply(lambda t: t.to(target) if t._kind.floating else t)

    def float(self) -> Any:
        """Convert floating parameters and buffers to float32.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.float

        >>> from torsh import nn
        >>> nn.Linear(2, 1).double().float().weight.dtype
        torsh.float32
        """
        return self._in("float32")

    def double(self) -> Any:
        """Convert floating parameters and buffers to float64.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.double

        >>> from torsh import nn
        >>> nn.Linear(2, 1).double().weight.dtype
        torsh.float64
        """
        return self._in("float64")

    def half(self) -> Any:
        """Convert floating parameters and buffers to float16.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.half

        >>> from torsh import nn
        >>> nn.Linear(2, 1).half().weight.dtype
        torsh.float16
        """
        return self._in("float16")

    def bfloat16(self) -> Any:
        """Convert floating parameters and buffers to bfloat16.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.bfloat16

        >>> from torsh import nn
        >>> nn.Linear(2, 1).bfloat16().weight.dtype
        torsh.bfloat16
        """
        return self._in("bfloat16")

    def train(self, mode: bool = True) -> Any:
        """Set training mode (it matters to dropout, batch norm and the like) here and below.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train

        >>> from torsh import nn
        >>> model = nn.Sequential(nn.Dropout()).train(False)
        >>> model[0].training
        False
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Any:
        """The same as ``train(False)``.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval

        >>> from torsh import nn
        >>> nn.Dropout().eval().training
        False
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Set ``requires_grad`` of all parameters; returns the module.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.requires_grad_

        >>> from torsh import nn
        >>> layer = nn.Linear(2, 1).requires_grad_(False)
        >>> layer.weight.requires_grad
        False
        """
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or set them to zero.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.zero_grad

        >>> import torsh
        >>> from torsh import nn
        >>> layer = nn.Linear(2, 1)
        >>> layer(torsh.ones(1, 2)).sum().backward()
        >>> layer.zero_grad()
        >>> layer.weight.grad is None
        True
        """
        for p in self.parameters():
            g = p._grad
            if g is not None:
                if set_to_none:
                    p._grad = None
                else:
                    if g._gf is not None:
                        g.detach_()
                    else:
                        g.requires_grad_(False)
                    g.zero_()

    def share_memory(self) -> Any:
        """Move parameters and buffers to memory that processes share; returns the module.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.share_memory
        """
        return self._apply(lambda t: t.share_memory_())

    def _replicate_for_data_parallel(self) -> Any:
        replica = self.__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = dict(replica._buffers)
        replica._modules = dict(replica._modules)
        replica._is_replica = True
        return replica

    # ---- as text, as pickle

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What goes between the parentheses of the module's text; may have several lines.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.extra_repr

        >>> from torsh import nn
        >>> class Scale(nn.Module):
        ...     def extra_repr(self):
        ...         return "by=2"
        >>> Scale()
        Scale(by=2)
        """
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        own = extra.split("\n") if extra else []
        below = [f"({name}): {_addindent(repr(module), 2)}" for name, module in self._modules.items()]
        if len(own) == 1 and not below:
            inside = own[0]
        else:
            inside = "".join(f"\n  {line}" for line in own + below)
            inside += "\n" if inside else ""
        return f"{self._get_name()}({inside})"

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # Modules saved by older versions lack the later tables.
        for name in (
            "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks", "_forward_hooks_with_kwargs",
            "_forward_hooks_always_called", "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks",
            "_load_state_dict_post_hooks", "_backward_pre_hooks", "_backward_hooks",
        ):  # fmt: skip
            self.__dict__.setdefault(name, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """(device, dtype, non_blocking, memory_format) from the arguments of ``to``."""
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    non_blocking, memory_format = kwargs.pop("non_blocking", False), kwargs.pop("memory_format", None)
    other = kwargs.pop("tensor", None)
    if kwargs.get("copy"):
        raise RuntimeError(".to() does not accept copy argument: a module's tensors are replaced one by one")
    kwargs.pop("copy", None)
    if kwargs:
        raise TypeError(f"to() received an invalid combination of arguments - got unexpected {', '.join(kwargs)}")
    for a in (*args, other):
        if isinstance(a, Dtype):
            dtype = a
        elif isinstance(a, Tensor):
            device, dtype = a.device, a.dtype
        elif isinstance(a, bool):
            non_blocking = a
        elif isinstance(a, (str, int, Device)):
            device = Device(a)
        elif a is not None:
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(a).__name__})")
    return (None if device is None else Device(device)), dtype, non_blocking, memory_format


__all__ = [
    "_EXTRA_STATE_KEY_SUFFIX",
    "Module",
    "_IncompatibleKeys",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]  # fmt: skip
