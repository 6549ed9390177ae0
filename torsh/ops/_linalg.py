"""What linear algebra ops share: checks of their operands, and the error for matrices that cannot be factorized."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor
from torsh.ops._op import needs_grad
from torsh.ops.matmul import broadcast_shapes


class _LinAlgError(RuntimeError):
    """A matrix is singular, not positive definite, or an iteration did not converge.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.LinAlgError.html

    >>> import torsh
    >>> try:
    ...     torsh.linalg.inv(torsh.zeros(2, 2))
    ... except torsh.linalg.LinAlgError:
    ...     print("singular")
    singular
    """

    __module__ = "torch._C"


LinAlgError = _LinAlgError


def check_matrices(name: str, A: Any, kernel: str = "", *, square: bool = False, role: str = "A") -> Any:
    """The operand if it is (a batch of) floating point or complex matrices; else PyTorch's error.

    kernel: the name in the error for types of low precision ("" for the wording without one).
    """
    check_tensor(A, name, role)
    if A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {role} must have at least 2 dimensions.")
    m, n = A.shape[-2:]
    if square and m != n:
        raise RuntimeError(f"{name}: {role} must be batches of square matrices, but they are {m} by {n} matrices")
    check_type(name, A, kernel)
    return A


def check_type(name: str, A: Any, kernel: str = "") -> None:
    """Raise for dtypes factorizations do not exist for."""
    if not A._kind.inexact:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(A.dtype)}; convert it "
            "first"
        )
    if A.dtype.to_real() not in (dtypes.float32, dtypes.float64):
        if kernel:
            raise NotImplementedError(
                f"\"{kernel}\" not implemented for '{scalar_name(A.dtype)}'; convert it to float32"
            )
        raise RuntimeError(
            f"{name}: Low precision dtypes not supported. Got {scalar_name(A.dtype)}; convert it to float32"
        )


def whole_batch(t: Any) -> Any:
    """The tensor itself; of an example that ``vmap`` made, the batch behind it."""
    while hasattr(t, "_physical"):
        t = t._physical
    return t


def check_info(name: str, info: Any, problem: Callable[[int], str], error: type[Exception] = LinAlgError) -> None:
    """Raise for the first matrix of a batch whose LAPACK status is not zero (on the meta device there is none)."""
    if info.device.type == "meta":
        return
    info = whole_batch(info)
    from torsh.ops.conversion import host_array

    found = host_array(info)
    if not found.any():
        return
    flat = found.reshape(-1)
    i = int(flat.nonzero()[0][0])
    where = f"(Batch element {i}): " if found.ndim else ""
    raise error(f"{name}: {where}{problem(int(flat[i]))}")


def converged(name: str, op: Any, A: Any, *args: Any) -> Any:
    """What an op computes from matrices, or PyTorch's error where the library says in its own way that it did not converge."""
    try:
        return op(A, *args)
    except (ValueError, RuntimeError) as error:
        if isinstance(error, LinAlgError) or not type(error).__name__.endswith("LinAlgError"):
            raise
    bad = A.detach().isfinite().flatten(-2).all(-1).logical_not()
    where = f"(Batch element {int(bad.reshape(-1).nonzero()[0])}): " if A.ndim > 2 and bool(bad.any()) else ""
    reason = (
        "contained non-finite values" if bool(bad.any()) else "is ill-conditioned or has too many repeated eigenvalues"
    )
    raise LinAlgError(f"{name}: {where}The algorithm failed to converge because the input matrix {reason}.")


def is_vector(A: Any, B: Any) -> bool:
    """Whether the right side of A X = B is (a batch of) vectors, by the rule of torch.linalg.solve."""
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))


def check_equation(name: str, A: Any, B: Any, left: bool = True) -> None:
    """Raise where A X = B (X A = B for ``left`` False) makes no sense."""
    check_tensor(B, name, "B", 2)
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {scalar_name(A.dtype)} and B of "
            f"type {scalar_name(B.dtype)} instead"
        )
    if B.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    if A.shape[-2 if left else -1] != B.shape[-2 if left else -1]:
        form = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {form} "
            f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )


def spread_batches(A: Any, B: Any) -> tuple[Any, Any]:
    """Two operands with the same batch dimensions."""
    a, b = tuple(A.shape[:-2]), tuple(B.shape[:-2])
    if a == b:
        return A, B
    batch = broadcast_shapes(a, b)
    return A.expand(*batch, *A.shape[-2:]), B.expand(*batch, *B.shape[-2:])


def real(x: Any) -> Any:
    """The real part; a real tensor itself."""
    return x.real if x._kind.complex else x


def conj(x: Any) -> Any:
    """The conjugate; a real tensor itself."""
    return x.conj_physical() if x._kind.complex else x


def eye_like(A: Any, n: int | None = None) -> Any:
    """The identity matrix in the type and place of another matrix."""
    from torsh.ops import NAMES

    return NAMES["torch"]["eye"](A.shape[-1] if n is None else n, dtype=A.dtype, device=A.device)


def off_diagonal(x: Any, value: Any) -> Any:
    """A matrix with its diagonal replaced by one number."""
    return x.masked_fill(eye_like(x).to(dtypes.bool), value)


def attached(value: Any, x: Any) -> Any:
    """``value``, as a function of ``x`` with a zero gradient: for results that do not depend on an operand's values."""
    return value.where(x.new_ones((), dtype=dtypes.bool), x) if needs_grad(x) else value
