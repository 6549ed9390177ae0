"""Recording the sequence of ops."""

from __future__ import annotations

import torsh
from torsh import dispatch
from torsh.tracing import Tracer


def test_ops_are_recorded_in_order_with_shapes_dtypes_and_parameters() -> None:
    x = torsh.ones(3, 4)
    with Tracer() as t:
        (x * 2).exp().sum(1, keepdim=True)
    assert [r.op for r in t] == ["mul", "exp", "sum"]
    mul, exp, total = t.ops
    assert mul.shapes == ((3, 4),)
    assert mul.params == {"other": 2}
    assert exp.dtypes == ("float32",)
    assert exp.kernel == "native"
    assert total.params["dim"] == (1,)
    assert total.params["keepdim"] is True
    assert total.outputs[0].shape == (3, 1)
    assert str(exp) == "exp(float32[3, 4]) -> float32[3, 4]"


def test_the_backward_pass_is_seen() -> None:
    x = torsh.ones(2, requires_grad=True)
    y = x.exp().sum()
    with Tracer() as t:
        y.backward()
    assert "mul" in t.counts()


def test_lists_of_tensors_are_flattened() -> None:
    with Tracer() as t:
        torsh.cat([torsh.ones(2), torsh.ones(3)])
    record = next(r for r in t if r.op.startswith("cat"))
    assert record.shapes == ((2,), (3,))
    assert record.outputs[0].shape == (5,)


def test_nothing_is_recorded_outside_and_text_is_limited() -> None:
    t = Tracer()
    torsh.ones(2).exp()
    assert len(t) == 0
    assert "no ops" in str(t)
    with t:
        for _ in range(3):
            torsh.ones(2).exp()
    assert t.counts()["exp"] == 3
    assert "and" in t.text(limit=1)
    assert len(t.text(limit=1).splitlines()) == 2
    assert dispatch.state.busy == 0


def test_the_matrix_trace_is_still_a_function() -> None:
    """``torch.trace`` is the sum of the diagonal: the tracer's module must not take its name."""
    assert torsh.trace(torsh.ones(3, 3)).item() == 3
