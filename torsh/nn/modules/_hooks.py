"""What a module's hooks need: registration, the gates that carry full backward hooks, hooks on all modules.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torsh.nn.modules.module as everywhere  # its globals hold the hooks that run for every module
from torsh.autograd import engine
from torsh.autograd._forward import keep
from torsh.autograd.engine import Node, RemovableHandle
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state
from torsh.tensor import Tensor


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors of a module's arguments or result: a tensor, or those directly in a tuple or list."""
    if isinstance(value, Tensor):
        return [value]
    return [v for v in value if isinstance(v, Tensor)] if isinstance(value, (tuple, list)) else []


class _Gate(Node):
    """An identity step at a module's border; ``run`` sees the gradients that cross it and may replace them."""

    run: Callable[[tuple[Any, ...]], Any]

    def apply(self, grads: Any) -> Any:
        given = (grads,) if self.outputs == 1 else tuple(grads)
        found = self.run(given)
        return given if found is None else found

    def name(self) -> str:
        return "BackwardHookFunctionBackward"


def _gate(value: Any) -> tuple[Any, _Gate | None, list[int]]:
    """``value`` with a gate behind its tensors, the gate, and which of the values are tensors.

    Without a tensor that requires grad there is no gate.
    """
    values = list(value) if isinstance(value, (tuple, list)) else [value]
    positions = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
    if not thread.enabled or not any(values[i]._rg for i in positions):
        return value, None, positions
    node = _Gate()
    edges, numbers = [], []
    for i in positions:
        t = values[i]
        edge, number = engine.edge_of(t) if t._rg else (None, 0)
        edges.append(edge)
        numbers.append(number)
    node.edges, node.numbers, node.outputs = tuple(edges), tuple(numbers), len(positions)
    for n, i in enumerate(positions):
        if not values[i]._rg:
            continue
        t = values[i]._alias()
        if t._kind.inexact:
            t._gf, t._nr, t._rg = node, n, True
            t._gf_version = t._vc.version
            # As in PyTorch the gated tensor must not be written to: the hooks would see gradients of other values.
            t._base, t._made = values[i] if values[i]._base is None else values[i]._base, "custom"
            if state.levels:
                keep(values[i], t)
        values[i] = t
    if isinstance(value, tuple):
        return (type(value)(*values) if hasattr(value, "_fields") else tuple(values)), node, positions
    return (values if isinstance(value, list) else values[0]), node, positions


class BackwardHooks:
    """The full backward hooks of one call of a module: a gate at its inputs and one at its outputs."""

    def __init__(self, module: Any, hooks: list[Callable[..., Any]], pre_hooks: list[Callable[..., Any]]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.has_input_gate = False
        self.inputs: list[int] = []
        self.n_inputs = 0

    def _full(self, grads: tuple[Any, ...], positions: list[int], n: int) -> tuple[Any, ...]:
        found: list[Any] = [None] * n
        for p, g in zip(positions, grads):
            found[p] = g
        return tuple(found)

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        args, node, positions = _gate(args)
        self.inputs, self.n_inputs = positions, len(args)
        if node is not None:
            self.has_input_gate = True
            self.blank = {p: args[p] for p in positions if not args[p]._rg and args[p]._kind.inexact}
            node.run = self._at_input
        return args

    def leave(self, result: Any) -> Any:
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(result)}",
                stacklevel=4,
            )
            return result
        n = len(result) if isinstance(result, (tuple, list)) else 1
        result, node, positions = _gate(result)
        if node is not None:
            node.run = lambda grads: self._at_output(grads, positions, n)
        return result

    def _at_input(self, grads: tuple[Any, ...]) -> Any:
        if self.grad_outputs is None:
            return None  # the gradient did not come through the module's result, e.g. in a second derivative
        full = self._full(grads, self.inputs, self.n_inputs)
        if self.blank:  # PyTorch shows zeros for inputs that do not require grad
            full = tuple(self.blank[p].detach() * 0 if g is None and p in self.blank else g for p, g in enumerate(full))
        for hook in self.hooks:
            found = hook(self.module, full, self.grad_outputs)
            if found is None:
                continue
            found = found if isinstance(found, tuple) else (found,)
            if len(found) != len(full):
                raise RuntimeError(
                    f"Backward hook returned an invalid number of grad_input, got {len(found)}, but expected {len(full)}"
                )
            full = found
        self.grad_outputs = None
        return tuple(full[p] for p in self.inputs)

    def _at_output(self, grads: tuple[Any, ...], positions: list[int], n: int) -> Any:
        full = self._full(grads, positions, n)
        for hook in self.pre_hooks:
            found = hook(self.module, full)
            if found is None:
                continue
            found = found if isinstance(found, tuple) else (found,)
            if len(found) != len(full):
                raise RuntimeError(
                    f"Backward pre hook returned an invalid number of grad_output, got {len(found)}, but expected {len(full)}"
                )
            full = found
        self.grad_outputs = full
        if not self.has_input_gate:
            if self.hooks:
                warnings.warn(
                    "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
                    "require gradients. grad_input is None then.",
                    stacklevel=5,
                )
            for hook in self.hooks:
                found = hook(self.module, (None,) * self.n_inputs, full)
                if found is not None and not (isinstance(found, tuple) and all(f is None for f in found)):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None for "
                        "all gradients."
                    )
            self.grad_outputs = None
        return tuple(full[p] for p in positions)


class HookMixin:
    """The registration methods of ``Module`` for forward and backward hooks."""

    _forward_hooks: dict[int, Any]
    _forward_hooks_with_kwargs: dict[int, Any]
    _forward_hooks_always_called: dict[int, Any]
    _forward_pre_hooks: dict[int, Any]
    _forward_pre_hooks_with_kwargs: dict[int, Any]
    _backward_hooks: dict[int, Any]
    _backward_pre_hooks: dict[int, Any]
    _is_full_backward_hook: bool | None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces the positional arguments.

        with_kwargs: the hook gets ``(module, args, kwargs)`` and may return ``(args, kwargs)``.
        prepend: run before hooks that are registered already.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook

        >>> import torsh
        >>> from torsh import nn
        >>> m = nn.ReLU()
        >>> handle = m.register_forward_pre_hook(lambda module, args: (-args[0],))
        >>> m(torsh.tensor([-1., 2.]))
        tensor([1., 0.])
        """
        handle = RemovableHandle(self._forward_pre_hooks, hook, extra_dict=self._forward_pre_hooks_with_kwargs)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        if prepend:
            self._forward_pre_hooks.move_to_end(handle.id, last=False)  # type: ignore[attr-defined]
        return handle

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        with_kwargs: the hook gets ``(module, args, kwargs, output)``.  always_call: run it even if forward raised.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook

        >>> import torsh
        >>> from torsh import nn
        >>> m = nn.ReLU()
        >>> handle = m.register_forward_hook(lambda module, args, output: output * 10)
        >>> m(torsh.tensor([-1., 2.]))
        tensor([ 0., 20.])
        >>> handle.remove()
        """
        handle = RemovableHandle(
            self._forward_hooks, hook, extra_dict=[self._forward_hooks_with_kwargs, self._forward_hooks_always_called]
        )
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        if prepend:
            self._forward_hooks.move_to_end(handle.id, last=False)  # type: ignore[attr-defined]
        return handle

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when gradients reach the module's output; a result replaces them.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_pre_hook

        >>> import torsh
        >>> from torsh import nn
        >>> m = nn.Linear(1, 1)
        >>> handle = m.register_full_backward_pre_hook(lambda module, grad_out: print(grad_out))
        >>> m(torsh.ones(1, 1)).sum().backward()
        (tensor([[1.]]),)
        """
        handle = RemovableHandle(self._backward_pre_hooks, hook)
        if prepend:
            self._backward_pre_hooks.move_to_end(handle.id, last=False)  # type: ignore[attr-defined]
        return handle

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The deprecated form of :meth:`register_full_backward_hook`; sees only the module's last operation."""
        if self._is_full_backward_hook is True:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of "
                "them."
            )
        self._is_full_backward_hook = False
        return RemovableHandle(self._backward_hooks, hook)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` once the gradients of the module's inputs are known.

        A result replaces ``grad_input``.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook

        >>> import torsh
        >>> from torsh import nn
        >>> m = nn.Linear(1, 1)
        >>> handle = m.register_full_backward_hook(lambda module, grad_in, grad_out: print(grad_out))
        >>> m(torsh.ones(1, 1, requires_grad=True)).sum().backward()
        (tensor([[1.]]),)
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of "
                "them."
            )
        self._is_full_backward_hook = True
        handle = RemovableHandle(self._backward_hooks, hook)
        if prepend:
            self._backward_hooks.move_to_end(handle.id, last=False)  # type: ignore[attr-defined]
        return handle

    def _get_backward_hooks(self) -> tuple[list[Callable[..., Any]], list[Callable[..., Any]]]:
        full: list[Callable[..., Any]] = []
        plain: list[Callable[..., Any]] = []
        if everywhere._global_is_full_backward_hook is not None:
            (full if everywhere._global_is_full_backward_hook else plain).extend(
                everywhere._global_backward_hooks.values()
            )
        if self._is_full_backward_hook is not None:
            (full if self._is_full_backward_hook else plain).extend(self._backward_hooks.values())
        return full, plain

    def _get_backward_pre_hooks(self) -> list[Callable[..., Any]]:
        return [*everywhere._global_backward_pre_hooks.values(), *self._backward_pre_hooks.values()]

    def _maybe_warn_non_full_backward_hook(self, inputs: Any, result: Any, grad_fn: Any) -> None:
        kind = type(self).__name__
        if not isinstance(result, Tensor) and not (
            isinstance(result, tuple) and all(isinstance(r, Tensor) for r in result)
        ):
            why = "that do not return a single Tensor or a tuple of Tensors"
        elif not isinstance(inputs, Tensor) and not (
            isinstance(inputs, tuple) and all(isinstance(i, Tensor) for i in inputs)
        ):
            why = "that do not take as input a single Tensor or a tuple of Tensors"
        elif len({r.grad_fn for r in tensors_in(result)}) > 1:
            why = "that return a tuple of Tensors produced by several nodes"
        else:
            below = {i.grad_fn for i in tensors_in(inputs) if i.grad_fn is not None}
            if {n for n, _ in grad_fn.next_functions} == below:
                return
            why = "when the forward contains multiple autograd Nodes"
        warnings.warn(
            f"Using a non-full backward hook {why} is deprecated and will be removed in future versions ({kind}). This hook "
            "will be missing some grad_input. Please use register_full_backward_hook to get the documented behavior.",
            FutureWarning,
            stacklevel=3,
        )

    def _hooked_call(self, *args: Any, **kwargs: Any) -> Any:
        """``forward`` with all hooks; ``Module.__call__`` comes here only if there are any."""
        called: set[int] = set()
        state: dict[str, Any] = {"result": None}
        try:
            return self._with_hooks(args, kwargs, called, state)
        except Exception:
            # Hooks that asked for it run even now; an error of their own must not hide the first one.
            for table, always in (
                (everywhere._global_forward_hooks, everywhere._global_forward_hooks_always_called),
                (self._forward_hooks, self._forward_hooks_always_called),
            ):
                for key, hook in list(table.items()):
                    if key not in always or key in called:
                        continue
                    try:
                        with_kwargs = (
                            key in self._forward_hooks_with_kwargs
                            or key in everywhere._global_forward_hooks_with_kwargs
                        )
                        found = (
                            hook(self, args, kwargs, state["result"])
                            if with_kwargs
                            else hook(self, args, state["result"])
                        )
                        if found is not None:
                            state["result"] = found
                    except Exception as e:
                        warnings.warn(
                            f"{type(self).__name__} module forward hook with ``always_call=True`` raised an exception that "
                            f"was silenced as another error was raised in forward: {e!s}",
                            stacklevel=2,
                        )
            raise

    def _with_hooks(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], called: set[int], state: dict[str, Any]
    ) -> Any:
        full, plain = self._get_backward_hooks()
        pre = self._get_backward_pre_hooks()
        for key, hook in (*everywhere._global_forward_pre_hooks.items(), *self._forward_pre_hooks.items()):
            if key in self._forward_pre_hooks_with_kwargs:
                found = hook(self, args, kwargs)
                if found is not None:
                    if not isinstance(found, tuple) or len(found) != 2:
                        raise RuntimeError(
                            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {found}."
                        )
                    args, kwargs = found
            else:
                found = hook(self, args)
                if found is not None:
                    args = found if isinstance(found, tuple) else (found,)
        backward = BackwardHooks(self, full, pre) if full or pre else None
        if backward is not None:
            args = backward.enter(args)
        result = state["result"] = self.forward(*args, **kwargs)  # type: ignore[attr-defined]
        for key, hook in (*everywhere._global_forward_hooks.items(), *self._forward_hooks.items()):
            if key in self._forward_hooks_always_called or key in everywhere._global_forward_hooks_always_called:
                called.add(key)
            if key in self._forward_hooks_with_kwargs or key in everywhere._global_forward_hooks_with_kwargs:
                found = hook(self, args, kwargs, result)
            else:
                found = hook(self, args, result)
            if found is not None:
                result = state["result"] = found
        if backward is not None:
            result = backward.leave(result)
        if plain:
            self._attach_plain(plain, args, result)
        return result

    def _attach_plain(self, hooks: list[Callable[..., Any]], args: Any, result: Any) -> None:
        var = result
        while not isinstance(var, Tensor):
            var = next(v for v in var.values() if isinstance(v, Tensor)) if isinstance(var, dict) else var[0]
        node = var.grad_fn
        if node is None:
            return
        for hook in hooks:
            node.register_hook(lambda gi, go, hook=hook: hook(self, gi, go))
        self._maybe_warn_non_full_backward_hook(args, result, node)


# ---- hooks on all modules ----------------------------------------------------------------------------------------------


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before the forward of every module."""
    return RemovableHandle(everywhere._global_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the forward of every module."""
    handle = RemovableHandle(
        everywhere._global_forward_hooks,
        hook,
        extra_dict=[everywhere._global_forward_hooks_with_kwargs, everywhere._global_forward_hooks_always_called],
    )
    if with_kwargs:
        everywhere._global_forward_hooks_with_kwargs[handle.id] = True
    if always_call:
        everywhere._global_forward_hooks_always_called[handle.id] = True
    return handle


def _backward_everywhere(hook: Callable[..., Any], full: bool) -> RemovableHandle:
    if everywhere._global_is_full_backward_hook is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only one of "
            "them."
        )
    everywhere._global_is_full_backward_hook = full
    return RemovableHandle(everywhere._global_backward_hooks, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """The deprecated form of :func:`register_module_full_backward_hook`."""
    return _backward_everywhere(hook, False)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` in the backward pass of every module."""
    return _backward_everywhere(hook, True)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` when gradients reach the output of any module."""
    return RemovableHandle(everywhere._global_backward_pre_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` whenever a module gets a parameter; a result takes its place."""
    return RemovableHandle(everywhere._global_parameter_registration_hooks, hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` whenever a module gets a buffer; a result takes its place."""
    return RemovableHandle(everywhere._global_buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` whenever a module gets a submodule; a result takes its place."""
    return RemovableHandle(everywhere._global_module_registration_hooks, hook)
