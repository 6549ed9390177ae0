"""torch._foreach_*: lists of tensors, in one call what the ops do one by one."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from pointwise_cases import agree, outcome, over, values  # noqa: E402

import torsh  # noqa: E402

NAMES = sorted(n for n in dir(torch) if n.startswith("_foreach_"))


def test_every_name_exists():
    assert [n for n in NAMES if not hasattr(torsh, n)] == []


def lists(seed=0):
    return [
        values("float64", 4, seed=seed, low=0.2, high=0.9),
        values("float64", 6, seed=seed + 1, low=0.2, high=0.9).reshape(2, 3),
    ]


def mine(v):
    return (
        [over(t) for t in v]
        if isinstance(v, list) and isinstance(v[0], torch.Tensor)
        else over(v)
        if isinstance(v, torch.Tensor)
        else v
    )


CALLS = {
    "add": [(2.0,), ([1.0, 2.0],), (lists(2),), (torch.tensor(3.0, dtype=torch.float64),)],
    "sub": [(2.0,), ([1.0, 2.0],), (lists(2),)],
    "mul": [(2.0,), ([1.0, 2.0],), (lists(2),), (torch.tensor(3.0, dtype=torch.float64),)],
    "div": [(2.0,), ([1.0, 2.0],), (lists(2),), (torch.tensor(3.0, dtype=torch.float64),)],
    "pow": [(2.0,), ([1.0, 2.0],), (lists(2),)],
    "maximum": [(0.5,), ([0.4, 0.6],), (lists(2),)],
    "clamp_max": [(0.5,), ([0.4, 0.6],), (lists(2),)],
    "addcmul": [(lists(2), lists(4)), (lists(2), lists(4), [2.0, 3.0]), (lists(2), lists(4), torch.tensor([2.0, 3.0]))],
    "addcdiv": [(lists(2), lists(4)), (lists(2), lists(4), [2.0, 3.0])],
    "lerp": [(lists(2), 0.3), (lists(2), lists(4))],
    "copy_": [(lists(2),)],
    "norm": [(), (1,), (float("inf"),)],
    "powsum": [(2,)],
    "max": [()],
    "clone": [()],
    "zero_": [()],
}


@pytest.mark.parametrize("name", NAMES)
def test_same_as_torch(name):
    stem = name.removeprefix("_foreach_")
    if stem == "mm":
        pytest.skip("matrices: the conformance samples have it")
    for args in CALLS.get(
        stem, CALLS.get(stem.removesuffix("_"), CALLS["add"][:1] if stem[:7] in ("minimum", "clamp_m") else [()])
    ):
        a, b = lists(), lists()
        ours = outcome(lambda: getattr(torsh, name)(mine(a), *[mine(x) for x in args]))
        theirs = outcome(lambda: getattr(torch, name)(b, *args))
        if isinstance(theirs, type):
            assert ours is theirs, (name, args, ours)
            continue
        assert type(ours) is type(theirs) or name.endswith("_")
        for x, y in zip(ours, theirs):
            agree(x, y)


def test_inplace_writes_into_the_list():
    a = [torsh.ones(2), torsh.ones(3)]
    assert torsh._foreach_add_(a, a, alpha=2) is a
    assert a[1].tolist() == [3.0] * 3
    assert a[0]._version == 1


def test_number_to_the_power_of_tensors():
    assert [t.tolist() for t in torsh._foreach_pow(2.0, [torsh.tensor([1.0, 3.0])])] == [[2.0, 8.0]]


def test_gradients_flow():
    x = [torsh.ones(2, requires_grad=True), torsh.ones(3, requires_grad=True)]
    sum(t.sum() for t in torsh._foreach_mul(x, [2.0, 3.0])).backward()
    assert x[1].grad.tolist() == [3.0] * 3


def test_refusals():
    with pytest.raises(RuntimeError, match="at least one tensor"):
        torsh._foreach_add([], 1)
    with pytest.raises(RuntimeError, match="same number of tensors, got 2 and 1"):
        torsh._foreach_add([torsh.ones(1), torsh.ones(1)], [torsh.ones(1)])
    with pytest.raises(TypeError, match="must be tuple of Tensors"):
        torsh._foreach_exp(torsh.ones(1))
