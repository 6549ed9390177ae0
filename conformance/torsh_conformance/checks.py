"""The checks a case goes through.  A case is (op, backend, device, dtype, sample); a check is one claim about it.

===============  =====================================================================================================
error            where the reference raises, so does torsh, with an exception of the same type
metadata         structure, shapes and dtypes are the reference's
value            so are the values, within the tolerance of the dtype; the error is measured in ulp
method           the Tensor method gives what the function gives, bit for bit
inplace          the in-place form gives the reference's result or refuses as it does, and returns the tensor itself
out              ``out=`` is filled and returned
repeat           a second call gives the same bits, later calls leave earlier results alone, arguments stay as they were
noncontiguous    the same values in strided memory give the same result
decomposition    the op in other ops gives what the kernel gives
meta             on the meta device the shapes and dtypes are the same
grad, gradgrad   first and second derivatives are the reference's
===============  =====================================================================================================
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from torsh_conformance import compare
from torsh_conformance.compare import Different, Leaf, same_metadata
from torsh_conformance.library import Library, Run, tensors_in, widened
from torsh_conformance.sample import S, call_args
from torsh_conformance.subjects import Subject

CHECKS = (
    "error", "metadata", "value", "method", "inplace", "out", "repeat", "noncontiguous", "decomposition", "meta",
    "grad", "gradgrad",
)  # fmt: skip

_REAL = ("float16", "bfloat16", "float32", "float64")
INEXACT = ("float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128")


@dataclass
class Outcome:
    """How one check of a case ended: ``pass``, ``fail``, ``skip`` (nothing to check) or ``missing`` (no kernel)."""

    check: str
    status: str
    message: str = ""
    ulp: float | None = None
    reference_ulp: float | None = None


class Answers:
    """What the reference says about one sample, computed when asked for and kept for all backends."""

    def __init__(self, reference: Library, subject: Subject, sample: S, dtype: str, exact: bool) -> None:
        self.library, self.subject, self.sample, self.dtype = reference, subject, sample, dtype
        # Whether the reference is a library of its own whose dtypes and messages count.
        self.exact = exact

    @functools.cached_property
    def run(self) -> Run:
        with self.library.running():
            return self.library.call(self.subject, self.sample)

    @functools.cached_property
    def oracle(self) -> list[np.ndarray[Any, Any]] | None:
        """The values in a higher precision, None where that means nothing."""
        if self.dtype not in INEXACT or self.subject.random or self.run.error is not None:
            return None
        with self.library.running():
            run = self.library.call(self.subject, widened(self.sample, self.dtype))
        if run.error is not None or len(run.leaves) != len(self.run.leaves):
            return None
        return [leaf.value for leaf in run.leaves]

    @functools.cached_property
    def truth(self) -> np.ndarray[Any, Any] | None:
        """The exact values by ball arithmetic, for real functions that ``torsh_conformance.accuracy.truth`` knows; nan where an
        argument is not finite, and None where it does not apply or python-flint is not installed.
        """
        if self.subject.op is None or len(self.run.leaves) != 1 or self.run.leaves[0].dtype not in _REAL:
            return None
        try:
            from torsh_conformance.accuracy.truth import elementwise
        except ModuleNotFoundError:
            return None
        found = elementwise(self.subject.op.name, self.sample.args, self.sample.kwargs)
        return found if found is not None and found.shape == self.run.leaves[0].shape else None

    @functools.cached_property
    def inplace(self) -> Run | None:
        method = self.subject.method
        if method is None or not hasattr(self.library.module.Tensor, method.rpartition(".")[2] + "_"):
            return None
        with self.library.running():
            return self.library.call(self.subject, self.sample, "inplace")

    @functools.cached_property
    def grad(self) -> tuple[Run | None, Run | None]:
        """First derivatives, and the same in a higher precision."""
        with self.library.running():
            run = self.library.gradients(self.subject, self.sample)
            wide = None
            if run is not None and run.error is None and self.dtype != "float64":
                wide = self.library.gradients(self.subject, widened(self.sample, self.dtype))
        return run, wide

    @functools.cached_property
    def gradgrad(self) -> Run | None:
        with self.library.running():
            return self.library.gradients(self.subject, self.sample, twice=True)


# What PyTorch says where it only lacks a kernel.
_UNSUPPORTED = (
    "not implemented for", "not supported for", "Unsupported dtype", "not yet supported", "Could not run",
    "unsupported ScalarType", "does not support", "is not supported", "expected scalar type", "currently only supports",
    "Low precision dtypes", "must be a floating", "mat1 and mat2 must have the same dtype",
)  # fmt: skip


def unsupported(error: Exception) -> bool:
    """Whether the reference merely lacks a kernel for the dtype, which says nothing about right and wrong."""
    return isinstance(error, NotImplementedError) or any(words in str(error) for words in _UNSUPPORTED)


def missing(error: Exception) -> bool:
    """Whether torsh says that it has neither kernel nor decomposition."""
    return isinstance(error, NotImplementedError) and "has no kernel for it" in str(error)


def describe(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text[:220]}"


def refuses_dtype(error: Exception) -> bool:
    """Whether torsh says that the op is not defined for the dtype."""
    return (
        not missing(error)
        and isinstance(error, (NotImplementedError, RuntimeError))
        and "not implemented for '" in str(error)
    )


def _same_type(actual: Exception, expected: Exception) -> bool:
    """Whether an exception is of the type the reference raises.

    AttributeError is what PyTorch's Python code happens to raise for an argument that is no tensor: TypeError will do.
    Which of two complaints comes first is not promised: an unsupported dtype may be told before anything else.
    """
    if refuses_dtype(actual) or (isinstance(expected, AttributeError) and isinstance(actual, TypeError)):
        return True
    name = type(expected).__name__
    return any(t.__name__ == name for t in type(actual).__mro__) or isinstance(actual, type(expected))


def run_case(
    subject: Subject, sample: S, answers: Answers, library: Library, dtype: str, checks: frozenset[str]
) -> list[Outcome]:
    """All checks of one case that are asked for."""
    with library.running():
        return list(_checks(subject, sample, answers, library, dtype, checks))


def _checks(
    subject: Subject, sample: S, answers: Answers, library: Library, dtype: str, checks: frozenset[str]
) -> Iterator[Outcome]:
    expected = answers.run
    if expected.error is not None:
        if unsupported(expected.error) or "error" not in checks or "error" in sample.skipped or not answers.exact:
            yield Outcome("error", "skip", f"the reference says {describe(expected.error)}")
            return
        actual = library.call(subject, sample)
        if actual.error is None:
            yield Outcome("error", "fail", f"gave a result where the reference raises {describe(expected.error)}")
        elif not _same_type(actual.error, expected.error):
            yield Outcome("error", "fail", f"raised {describe(actual.error)} where the reference raises "
                                           f"{describe(expected.error)}")  # fmt: skip
        else:
            yield Outcome("error", "pass")
        return
    actual = library.call(subject, sample)
    if actual.error is not None:
        if refuses_dtype(actual.error) and any(0 in (leaf.shape or ()) for leaf in expected.arguments):
            # For empty tensors PyTorch often returns before it notices that it has no kernel for the dtype.
            yield Outcome("value", "skip", "the dtype is refused, which PyTorch does only for tensors with elements")
            return
        status = "missing" if missing(actual.error) else "fail"
        yield Outcome("value", status, f"raised {describe(actual.error)}")
        return
    if answers.exact or dtype in ("float64", "complex128"):
        outcome = _guard("metadata", lambda: same_metadata(actual.leaves, expected.leaves))
        yield outcome
        if outcome.status == "fail":
            return
    yield _value(subject, sample, answers, actual)
    for check, function in _REST.items():
        if check in checks and check not in sample.skipped and not (check == "gradgrad" and "grad" in sample.skipped):
            outcome = _guard(check, functools.partial(function, subject, sample, answers, library, actual, dtype))
            if outcome.status != "skip":
                yield outcome


def _guard(check: str, function: Callable[[], Any]) -> Outcome:
    try:
        found = function()
    except Different as e:
        return Outcome(check, "fail", str(e))
    except Exception as e:  # a check must never take the run down; what it says is a finding
        return Outcome(check, "missing" if missing(e) else "fail", f"raised {describe(e)}")
    if found == "skip":
        return Outcome(check, "skip")
    return Outcome(check, "pass", ulp=found if isinstance(found, float) else None)


def _value(subject: Subject, sample: S, answers: Answers, actual: Run) -> Outcome:
    if not subject.values_defined or "value" in sample.skipped:
        return Outcome("value", "skip")
    inputs = [a.value for a in answers.run.arguments if a.kind == "tensor"]
    expected = compare.invariants(subject.name, answers.run.leaves, inputs)
    found = compare.invariants(subject.name, actual.leaves, inputs)
    reduced = expected is not answers.run.leaves
    oracle = None if reduced else answers.oracle
    truth = None if reduced else answers.truth
    if truth is not None:
        oracle = [np.where(np.isnan(truth), compare.wide(answers.run.leaves[0].value), truth)]
    normwise = not subject.pointwise
    largest: float | None = None
    own: float | None = None
    try:
        for i, (a, e) in enumerate(zip(found, expected)):
            wide = oracle[i] if oracle is not None else None
            error = compare.values(a, e, wide, normwise=normwise or reduced, true=truth is not None)
            if error is not None:
                largest = max(error, largest or 0.0)
                own = max(compare.ulps(e.value, wide, e.dtype or e.value.dtype.name, normwise=normwise), own or 0.0)
    except Different as e:
        return Outcome("value", "fail", str(e))
    return Outcome("value", "pass", ulp=largest, reference_ulp=own)


def _equal(actual: list[Leaf], expected: list[Leaf], what: str) -> None:
    """Raise Different unless bits agree (nan equals nan)."""
    try:
        same_metadata(actual, expected)
        for a, e in zip(actual, expected):
            compare.values(a, e, None, exact=True)
    except Different as e:
        raise Different("value", f"{what}: {e}") from None


def _close(actual: list[Leaf], expected: list[Leaf], what: str) -> None:
    try:
        same_metadata(actual, expected)
        for a, e in zip(actual, expected):
            compare.values(a, e, None, normwise=True)
    except Different as e:
        raise Different("value", f"{what}: {e}") from None


def _renamed(found: list[Leaf], like: list[Leaf]) -> list[Leaf]:
    """Leaves with the names of others, where only the values are in question."""
    return (
        [Leaf(e.where, a.kind, a.shape, a.dtype, a.value) for a, e in zip(found, like)]
        if len(found) == len(like)
        else found
    )


def _method(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    if subject.method is None or subject.path.startswith("Tensor.") or not subject.values_defined:
        return "skip"
    if not sample.args or not isinstance(sample.args[0], np.ndarray):
        return "skip"
    run = library.call(subject, sample, "method")
    if run.error is not None:
        raise run.error
    _equal(run.leaves, actual.leaves, "the method")


def _inplace(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    expected = answers.inplace
    if expected is None or not sample.args or not isinstance(sample.args[0], np.ndarray):
        return "skip"
    if expected.error is not None and (unsupported(expected.error) or not answers.exact):
        return "skip"
    run = library.call(subject, sample, "inplace")
    if expected.error is not None:
        if run.error is None:
            raise Different(
                "inplace", f"in-place form gave a result where the reference raises {describe(expected.error)}"
            )
        if not _same_type(run.error, expected.error):
            raise Different("inplace", f"in-place form raised {describe(run.error)} where the reference raises "
                                       f"{describe(expected.error)}")  # fmt: skip
        return None
    if run.error is not None:
        raise run.error
    same_metadata(run.leaves, expected.leaves)
    truth = answers.truth
    for a, e in zip(run.leaves, expected.leaves):
        compare.values(a, e, truth, normwise=True, true=truth is not None)
    first = [x for x in run.arguments if x.where == "argument[0]"]
    if first and run.leaves and not _identical(first[0].value, run.leaves[0].value):
        raise Different("inplace", "in-place form returned something else than the tensor it was called on")
    return None


def _identical(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays have the same shape and values, nan being equal to nan (in bfloat16 too, which NumPy does not
    know to have any).
    """
    a, b = compare.wide(np.asarray(a)), compare.wide(np.asarray(b))
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def _out(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    function = library.function(subject)
    if "out" in sample.kwargs or "out" not in _parameters(function) or not answers.exact:
        return "skip"
    outs = tensors_in(actual.result)
    if not outs or len(outs) != len(actual.leaves) or not subject.values_defined:
        return "skip"
    args, kwargs = call_args(library.module, sample, library.device)
    fresh = [library.tensor(np.zeros(x.shape, x.value.dtype)) for x in actual.leaves]
    given = fresh[0] if len(fresh) == 1 else tuple(fresh)
    if subject.random:
        library.seed()
    result = function(*args, **kwargs, out=given)
    returned = tensors_in(result)
    if len(returned) != len(fresh) or any(r is not f for r, f in zip(returned, fresh)):
        raise Different("out", "out= was not returned")
    _equal(_renamed(compare.leaves(given), actual.leaves), actual.leaves, "out=")
    return None


@functools.lru_cache(None)
def _parameters(function: Any) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _repeat(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    if not subject.values_defined:
        return "skip"
    writes = "inplace" in subject.tags or subject.path.endswith("_")
    if not writes:
        given = [a for x in [*sample.args, *sample.kwargs.values()] for a in _arrays(x)]
        after = [leaf for leaf in actual.arguments if leaf.kind == "tensor"]
        for i, (array, leaf) in enumerate(zip(given, after)):
            if len(given) == len(after) and not _identical(array, leaf.value):
                raise Different("repeat", f"the call changed its tensor argument {i}")
    before = [Leaf(x.where, x.kind, x.shape, x.dtype, np.array(x.value) if isinstance(x.value, np.ndarray) else x.value)
              for x in actual.leaves]  # fmt: skip
    library.call(subject, _changed(sample))
    _equal(compare.leaves(actual.result), before, "a later call changed an earlier result")
    again = library.call(subject, sample)
    if again.error is not None:
        raise again.error
    _equal(again.leaves, before, "a second call")
    return None


def _arrays(x: Any) -> list[np.ndarray[Any, Any]]:
    if isinstance(x, np.ndarray):
        return [x]
    if isinstance(x, (list, tuple)):
        return [a for y in x for a in _arrays(y)]
    return []


def _mapped(sample: S, change: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> S:
    """The sample with every array changed."""

    def walk(v: Any) -> Any:
        if isinstance(v, np.ndarray):
            return change(v)
        return type(v)(walk(x) for x in v) if type(v) in (list, tuple) else v

    new = S(*(walk(a) for a in sample.args), **{k: walk(v) for k, v in sample.kwargs.items()})
    new.skipped = sample.skipped
    return new


def _changed(sample: S) -> S:
    """The same shapes with other values (reversed order: every value stays valid for the op)."""
    return _mapped(
        sample, lambda a: np.array(a[::-1]) if a.ndim else (a + a.dtype.type(1) if a.dtype.kind == "f" else a)
    )


def _noncontiguous(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    arrays = [a for x in [*sample.args, *sample.kwargs.values()] for a in _arrays(x)]
    if (
        subject.random
        or not subject.values_defined
        or not any(a.ndim and a.size > 1 and a.flags.c_contiguous for a in arrays)
    ):
        return "skip"
    if (
        subject.name in ("as_strided", "view", "is_contiguous", "stride", "data_ptr", "storage_offset", "view_as")
        or "view" in subject.tags
    ):
        return "skip"  # what these give depends on strides by definition
    run = library.call(subject, _mapped(sample, _spread))
    if run.error is not None:
        raise run.error
    _close(_renamed(run.leaves, actual.leaves), actual.leaves, "with strided inputs")
    return None


def _spread(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same values two elements apart in memory."""
    if not a.ndim or a.size < 2:
        return a
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
    wide[..., ::2] = a
    return wide[..., ::2]


@contextlib.contextmanager
def decomposed(op: Any) -> Iterator[None]:
    """Inside, the op runs as its decomposition on every backend."""
    from torsh import dispatch

    original = dispatch.resolve
    kept, sources = dict(op.kernels), dict(op.kernels.sources)

    def resolve(which: Any, kind: Any) -> Any:
        return (dispatch._composed(which, kind), "composed") if which is op else original(which, kind)

    op.kernels.clear()
    dispatch.resolve = resolve
    try:
        yield
    finally:
        dispatch.resolve = original
        op.kernels.clear()
        op.kernels.update(kept)
        op.kernels.sources.clear()
        op.kernels.sources.update(sources)


def _decomposition(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    op = subject.op
    if op is None or op.decompose is None or not subject.values_defined or dtype not in ("float32", "float64", "int64"):
        return "skip"
    with decomposed(op):
        run = library.call(subject, sample)
    if run.error is not None:
        raise run.error
    _close(_renamed(run.leaves, actual.leaves), actual.leaves, "the decomposition")
    return None


def _meta(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    if "data-dependent" in subject.tags or not _has_meta() or not _arrays(list(sample.args)):
        return "skip"
    if any(leaf.kind != "tensor" for leaf in actual.leaves):
        return "skip"  # gives Python values, which a tensor without values cannot
    try:
        result = _on_meta(library, subject, sample)
    except Exception:
        if answers.exact:
            try:
                _on_meta(answers.library, subject, sample)
            except Exception:
                return "skip"  # the reference cannot either: the shape depends on values
        raise
    found = [(tuple(t.shape), compare.dtype_name(t.dtype)) for t in tensors_in(result)]
    wanted = [(leaf.shape, leaf.dtype) for leaf in actual.leaves]
    if found != wanted:
        raise Different("meta", f"on the meta device {found}, expected {wanted}")
    return None


def _on_meta(library: Library, subject: Subject, sample: S) -> Any:
    """The result of a call with every tensor on the meta device."""
    args, kwargs = call_args(library.module, sample, library.device)

    def down(v: Any) -> Any:
        if compare.is_tensor(v):
            return v.to("meta")
        if type(v) in (list, tuple):
            return type(v)(down(x) for x in v)
        return v

    return library.function(subject)(*[down(a) for a in args], **{k: down(v) for k, v in kwargs.items()})


@functools.lru_cache(None)
def _has_meta() -> bool:
    from torsh import registry
    from torsh.device import device

    try:
        registry.serving(device("meta"))
    except (RuntimeError, ValueError):
        return False
    return True


def _differentiable(subject: Subject, dtype: str) -> bool:
    return dtype in INEXACT and "nondifferentiable" not in subject.tags


def _grad(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    if not _differentiable(subject, dtype):
        return "skip"
    expected, wide = answers.grad
    if expected is None or expected.error is not None:
        return "skip"
    run = library.gradients(subject, sample)
    if run is None:
        raise Different("grad", "the result does not require grad; the reference's does")
    if run.error is not None:
        raise run.error
    _compare_gradients(run, expected, wide)
    return None


def _gradgrad(subject: Subject, sample: S, answers: Answers, library: Library, actual: Run, dtype: str) -> Any:
    if not _differentiable(subject, dtype) or dtype != "float64":
        return "skip"
    expected = answers.gradgrad
    if expected is None or expected.error is not None:
        return "skip"
    run = library.gradients(subject, sample, twice=True)
    if run is None:
        if all(x.kind == "NoneType" or not np.any(x.value) for x in expected.leaves):
            return None  # a zero and nothing mean the same
        raise Different("gradgrad", "the first gradient does not require grad; the reference's does")
    if run.error is not None:
        raise run.error
    _compare_gradients(run, expected, None)
    return None


def _compare_gradients(run: Run, expected: Run, wide: Run | None) -> None:
    """Gradients must be the same; a gradient of zeros and none at all mean the same."""
    if len(run.leaves) != len(expected.leaves):
        raise Different("grad", f"{len(run.leaves)} gradients, expected {len(expected.leaves)}")
    for i, (a, e) in enumerate(zip(run.leaves, expected.leaves)):
        if "NoneType" in (a.kind, e.kind):
            other = e if a.kind == "NoneType" else a
            if other.kind != "NoneType" and np.any(other.value):
                raise Different("grad", f"{e.where} is {'missing' if a.kind == 'NoneType' else 'not expected at all'}")
            continue
        same_metadata([a], [e])
        oracle = None
        if wide is not None and wide.error is None and len(wide.leaves) == len(run.leaves):
            oracle = wide.leaves[i].value if isinstance(wide.leaves[i].value, np.ndarray) else None
        compare.values(a, e, oracle, normwise=True)


_REST: dict[str, Callable[..., Any]] = {
    "method": _method, "inplace": _inplace, "out": _out, "repeat": _repeat, "noncontiguous": _noncontiguous,
    "decomposition": _decomposition, "meta": _meta, "grad": _grad, "gradgrad": _gradgrad,
}  # fmt: skip
