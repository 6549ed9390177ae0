"""Members of Tensor that are no ops ask ``__torch_function__`` too, and see the call as the program wrote it."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import torsh
from torsh import overrides
from torsh.overrides import TorchFunctionMode


class Seen(Exception):
    pass


class Answers(torsh.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise Seen(func)


def _answering():
    with torsh.DisableTorchFunctionSubclass():
        return torsh.ones(2, 2).as_subclass(Answers)


class Log(TorchFunctionMode):
    def __init__(self):
        self.calls = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls.append((func, len(args), sorted(kwargs or {})))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "name", ["shape", "dtype", "device", "grad", "T", "data", "requires_grad", "is_leaf", "ndim", "layout"]
)
def test_properties(name):
    with pytest.raises(Seen) as found:
        getattr(_answering(), name)
    assert found.value.args[0] == getattr(torsh.Tensor, name).__get__
    plain = torsh.ones(2, 2)
    with Log() as log:
        getattr(plain, name)
    assert log.calls[0] == (getattr(torsh.Tensor, name).__get__, 1, [])


def test_setting_a_property():
    with pytest.raises(Seen) as found:
        _answering().requires_grad = True
    assert found.value.args[0] == torsh.Tensor.requires_grad.__set__


@pytest.mark.parametrize(
    "name",
    ["backward", "dim", "size", "numel", "detach", "__repr__", "__len__", "__float__", "__array__", "register_hook"],
)
def test_plain_methods(name):
    with pytest.raises(Seen) as found:
        getattr(_answering(), name)()
    assert found.value.args[0] is getattr(torsh.Tensor, name)


def test_a_subclass_without_a_handler_of_its_own_stays_itself():
    class Plain(torsh.Tensor):
        pass

    x = torsh.ones(2).as_subclass(Plain)
    assert type(x + 1) is type(x.exp()) is type(x.data) is type(x.detach()) is Plain
    assert x.shape == (2,) and type(x.shape) is torsh.Size
    assert not overrides.has_torch_function((type("P", (torsh.nn.Parameter,), {})(torsh.ones(1)),))


def test_keywords_and_out_are_seen_as_written():
    x = torsh.ones(2)
    with Log() as log:
        torsh.add(x, x, alpha=2)
        torsh.add(x, x, out=torsh.Tensor.clone(x))
        torsh.matmul(x, x, out=torsh.Tensor.clone(x[0]))
        torsh.max(x)
    assert [(c[0].__name__, c[2]) for c in log.calls] == [
        ("add", ["alpha"]),
        ("clone", []),
        ("add", ["out"]),
        ("__getitem__", []),
        ("clone", []),
        ("matmul", ["out"]),
        ("max", []),
    ]


def test_init_gets_its_arguments_by_name():
    with Log() as log:
        torsh.nn.init.uniform_(torsh.Tensor.new_empty(torsh.ones(1), 2), 0.0)
    assert log.calls[-1] == (torsh.nn.init.uniform_, 0, ["a", "b", "generator", "tensor"])


def test_identity_holds_from_before_anybody_could_answer():
    """In a process of its own: keys of a handler's table are taken first, the first subclass comes later."""
    code = (
        "import torsh; T = torsh.Tensor; keys = T.shape.__get__, T.backward, T.size; before = T.size(torsh.ones(3))\n"
        "class L(T):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None): return keys.index(func)\n"
        "x = torsh.ones(3).as_subclass(L)\n"
        "assert (x.shape, x.backward(), x.size()) == (0, 1, 2) and before == (3,) == torsh.ones(3).shape"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_modes_and_switches():
    assert overrides._get_current_function_mode() is None
    with Log() as outer, overrides.BaseTorchFunctionMode() as inner:
        assert overrides._get_current_function_mode_stack() == [outer, inner]
        with torsh.DisableTorchFunction():
            torsh.ones(1).shape  # noqa: B018
    assert not any(c[1] == 1 and c[0].__name__ == "__get__" for c in outer.calls)

    class Wrong(TorchFunctionMode):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func(*args)

    with pytest.raises(RuntimeError, match="classmethod is not supported"), Wrong():
        torsh.ones(1)


def test_tables():
    stand_ins = overrides.get_testing_overrides()
    assert stand_ins[torsh.add](1, 2) == -1 and "dims" in inspect.signature(stand_ins[torsh.flip]).parameters
    assert overrides.resolve_name(torsh.Tensor.shape.__get__) == "torch.Tensor.shape.__get__"
    assert torsh.zeros in overrides.get_ignored_functions() and torsh.zeros not in stand_ins
    assert overrides.is_tensor_method_or_property(torsh.Tensor.shape.__get__)
    assert not overrides.get_ignored_functions() & set(stand_ins)
