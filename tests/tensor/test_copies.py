"""Copies of subclasses, and overrides that let one call through: as PyTorch does them."""

from __future__ import annotations

import copy
import pickle

import pytest

import torsh
import torsh.overrides
import torsh.utils._python_dispatch

torch = pytest.importorskip("torch")
LIBS = pytest.mark.parametrize("T", [torch, torsh])


@LIBS
def test_a_subclass_makes_the_copy_it_is_asked_for(T):
    class Silent(T.Tensor):
        pass

    class Making(T.Tensor):
        def new_empty(self, shape):
            return type(self)(*shape)

    with pytest.raises(
        RuntimeError, match=r"implement new_empty\(\) and for which that function returns another instance"
    ):
        copy.deepcopy(T.ones(3).as_subclass(Silent))
    x = T.ones(3).as_subclass(Making)
    x.label = ["a"]
    got = copy.deepcopy(x)
    assert type(got) is Making and got.tolist() == [1.0] * 3 and got.label == ["a"] and got.label is not x.label
    got.add_(1)
    assert x.tolist() == [1.0] * 3


def wrapper(T, **members):
    class Wrapper(T.Tensor):
        @staticmethod
        def __new__(cls, elem):
            found = T.Tensor._make_wrapper_subclass(cls, elem.shape, dtype=elem.dtype, requires_grad=elem.requires_grad)
            found.elem = elem
            return found

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            inner = [a.elem if isinstance(a, Wrapper) else a for a in args]
            found = func(*inner, **(kwargs or {}))
            return Wrapper(found) if func.overloadpacket.__name__ in ("clone", "mul", "detach") else found

    for name, member in members.items():
        setattr(Wrapper, name, member)
    return Wrapper


@LIBS
def test_wrappers(T):
    cls = wrapper(T)
    x = cls(T.ones(2))
    got = copy.deepcopy(x)
    assert type(got) is cls and got.elem.tolist() == [1.0, 1.0] and got.elem is not x.elem
    globals()["Wrapper"] = cls
    cls.__module__, cls.__qualname__ = __name__, "Wrapper"
    got = pickle.loads(pickle.dumps(x))
    assert type(got) is cls and got.elem.tolist() == [1.0, 1.0] and got.shape == x.shape
    # What sees the operators below has no part in the functions above: only what it wraps is wrapped.
    assert type(x * 2) is cls and type(x + 1) is T.Tensor
    other = wrapper(T, clone=lambda self: self.elem.clone())
    with pytest.raises(
        RuntimeError, match=r"for wrapper subclasses only works for subclass types that implement clone\(\)"
    ):
        copy.deepcopy(other(T.ones(2)))
    for name in ("tolist", "numpy"):
        with pytest.raises(RuntimeError, match=rf"\.{name}\(\) is not supported for tensor subclasses"):
            getattr(x, name)()


@LIBS
def test_a_class_is_no_mode(T):
    class Mode(T.utils._python_dispatch.TorchDispatchMode):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return func(*args)

    with pytest.raises(RuntimeError, match="as a classmethod is not supported, please make it a plain method"), Mode():
        T.ones(2) + 1


@LIBS
def test_redispatch_lets_one_call_through(T):
    from_overrides = T.overrides
    seen = []

    class Log(T.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return from_overrides.redispatch_function(func, types, args, kwargs)

    def twice(x):
        if from_overrides.has_torch_function((x,)):
            return from_overrides.handle_torch_function(twice, (x,), x)
        return (x * 2) + 1

    x = T.tensor([3.0]).as_subclass(Log)
    got = twice(x)
    assert type(got) is T.Tensor and seen == ["twice", "mul"]

    class Mode(from_overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            with self:
                return from_overrides.redispatch_function(func, types, args, kwargs)

    seen.clear()
    x = T.tensor([3.0])
    with Mode():
        twice(x)
    assert seen == ["twice", "mul", "add"]


@LIBS
def test_a_class_may_set_itself_up_after_it_was_made(T):
    class Late(T.Tensor):
        def __new__(cls, data):
            found = T.Tensor._make_subclass(cls, data, require_grad=True)
            found.ready = True
            return found

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            assert all(a.ready for a in args if isinstance(a, Late))
            return super().__torch_function__(func, types, args, kwargs)

    assert Late(T.ones(2)).requires_grad


@LIBS
def test_sparse_gradients_are_copied(T):
    s = T.eye(3).to_sparse()
    s.grad = T.eye(3).to_sparse()
    assert copy.deepcopy(s).grad.to_dense().tolist() == T.eye(3).tolist()
