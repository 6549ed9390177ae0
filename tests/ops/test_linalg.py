"""Products and linear algebra: derivatives to second order, complex and batched; errors; einsum's forms."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")


def pair(array):
    return torsh.tensor(array), torch.from_numpy(array)


def random(*shape, complex=False, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=shape)
    return a + 1j * rng.normal(size=shape) if complex else a


def regular(*shape, complex=False):
    a = random(*shape, complex=complex)
    n = min(shape[-2:])
    a[..., range(n), range(n)] += 4
    return a


def close(found, wanted):
    assert tuple(found.shape) == tuple(wanted.shape)
    np.testing.assert_allclose(
        found.detach().resolve_conj().numpy(), wanted.detach().resolve_conj().numpy(), rtol=1e-6, atol=1e-8
    )


def derivatives(m, function, *inputs):
    """First and second derivatives of a number made from the result."""
    for x in inputs:
        x.requires_grad_()
    y = function(m, *inputs)
    first = m.autograd.grad((y * y.conj()).sum().abs(), inputs, create_graph=True)
    total = sum((g * g.conj()).sum().abs() for g in first)
    return [*first, *m.autograd.grad(total, inputs)]


def hermitian(m, a):
    return a @ a.mH + 3 * m.eye(a.shape[-1], dtype=a.dtype)


FUNCTIONS = {
    "det": lambda m, a: m.linalg.det(a),
    "slogdet": lambda m, a: m.linalg.slogdet(a).logabsdet,
    "inv": lambda m, a: m.linalg.inv(a),
    "pinv": lambda m, a: m.linalg.pinv(a[..., :2]),
    "solve": lambda m, a: m.linalg.solve(a, a[..., :2] + 1),
    "solve from the right": lambda m, a: m.linalg.solve(a, a[..., :2, :] + 1, left=False),
    "triangular": lambda m, a: m.linalg.solve_triangular(a, a[..., :2] + 1, upper=True),
    "cholesky": lambda m, a: m.linalg.cholesky(hermitian(m, a)),
    "cholesky_solve": lambda m, a: m.cholesky_solve(a[..., :2], m.linalg.cholesky(hermitian(m, a))),
    "qr": lambda m, a: m.linalg.qr(a).R.abs(),
    "qr wide": lambda m, a: m.linalg.qr(a[..., :2, :]).R.abs(),
    "svdvals": lambda m, a: m.linalg.svdvals(a),
    "svd": lambda m, a: m.linalg.svd(a[..., :2], full_matrices=False).U.abs(),
    "eigh": lambda m, a: m.linalg.eigh(hermitian(m, a)).eigenvectors.abs(),
    "eigvalsh": lambda m, a: m.linalg.eigvalsh(hermitian(m, a)),
    "eigvals": lambda m, a: m.linalg.eigvals(a).abs().sort().values,
    "lu": lambda m, a: m.linalg.lu(a).L,
    "lu tall": lambda m, a: m.linalg.lu(a[..., :2]).L,
    "lu wide": lambda m, a: m.linalg.lu(a[..., :2, :]).U,
    "matrix_exp": lambda m, a: m.linalg.matrix_exp(a / 4),
    "matrix_power": lambda m, a: m.linalg.matrix_power(a, 3),
    "matrix_norm": lambda m, a: m.linalg.matrix_norm(a, "nuc"),
    "cond": lambda m, a: m.linalg.cond(a),
    "householder": lambda m, a: m.linalg.householder_product(a[..., :2], a[..., 0, :2]),
    "multi_dot": lambda m, a: m.linalg.multi_dot([a, a, a]) if a.ndim == 2 else a,
    "lstsq": lambda m, a: m.linalg.lstsq(a[..., :2], a[..., 1:]).solution,
}


@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3)], ids=["one", "batch"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_agree_with_torch(name, shape, complex):
    x, t = pair(regular(*shape, complex=complex))
    for found, wanted in zip(derivatives(torsh, FUNCTIONS[name], x), derivatives(torch, FUNCTIONS[name], t)):
        close(found, wanted)


SHAPES = [
    ((3, 4), (4, 5)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 3)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (4,)),
    ((4,), (2, 4, 3)), ((2, 1, 3, 4), (5, 4, 2)), ((3, 4), (2, 4, 5)), ((2, 3, 0), (0, 2)),
]  # fmt: skip


@pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_matmul_derivatives(a, b, complex):
    x, t = pair(random(*a, complex=complex))
    y, u = pair(random(*b, complex=complex, seed=1))
    product = lambda m, p, q: m.matmul(p, q)
    for found, wanted in zip(derivatives(torsh, product, x, y), derivatives(torch, product, t, u)):
        close(found, wanted)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,kj", (2, 3), (4, 3)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("ii", (3, 3)),
    ("ii->i", (3, 3)), ("ij->ji", (2, 3)), ("i,i->", (3,), (3,)), ("...ij,...jk", (2, 3, 4), (4, 5)),
    ("a...,...b->ab...", (2, 3), (3, 4)), ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 5), (5, 2)),
    ("abc,abc->b", (2, 3, 4), (2, 3, 4)), ("ij,ij->ij", (2, 3), (2, 1)), ("i,j,k->kji", (2,), (3,), (4,)),
    ("bn,anm,bm->ba", (2, 5), (3, 5, 4), (2, 4)), (" i j , j k -> i k ", (2, 3), (3, 2)), ("iij->j", (2, 2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("case", EQUATIONS, ids=[e[0] for e in EQUATIONS])
def test_einsum(case):
    equation, *shapes = case
    inputs = [pair(random(*s, seed=i)) for i, s in enumerate(shapes)]
    function = lambda m, *x: m.einsum(equation, *x)
    close(function(torsh, *[x for x, _ in inputs]), function(torch, *[t for _, t in inputs]))
    found = derivatives(torsh, function, *[x for x, _ in inputs])
    for f, w in zip(found, derivatives(torch, function, *[t for _, t in inputs])):
        close(f, w)


def test_einsum_with_numbers_for_letters():
    x, t = pair(random(2, 3))
    y, u = pair(random(3, 4, seed=1))
    close(torsh.einsum(x, [0, 1], y, [1, 2], [2, 0]), torch.einsum(t, [0, 1], u, [1, 2], [2, 0]))
    close(torsh.einsum(x, [..., 1], y, [1, 2]), torch.einsum(t, [..., 1], u, [1, 2]))


CALLS = {
    "solve singular": lambda m: m.linalg.solve(m.zeros(2, 2), m.ones(2)),
    "solve not square": lambda m: m.linalg.solve(m.ones(2, 3), m.ones(2)),
    "solve shapes": lambda m: m.linalg.solve(m.eye(3), m.ones(4, 2)),
    "inv singular in a batch": lambda m: m.linalg.inv(m.stack([m.eye(2), m.zeros(2, 2)])),
    "cholesky": lambda m: m.linalg.cholesky(-m.eye(3)),
    "det of a vector": lambda m: m.linalg.det(m.ones(3)),
    "svd of integers": lambda m: m.linalg.svd(m.ones(2, 2, dtype=m.int64)),
    "eigh in half precision": lambda m: m.linalg.eigh(m.eye(2, dtype=m.float16)),
    "qr mode": lambda m: m.linalg.qr(m.eye(2), mode="full"),
    "norm order": lambda m: m.linalg.matrix_norm(m.eye(2), 3),
    "matmul shapes": lambda m: m.ones(2, 3) @ m.ones(2, 3),
    "matmul of batches": lambda m: m.ones(2, 2, 3) @ m.ones(3, 3, 4),
    "matmul 0-d": lambda m: m.matmul(m.ones(()), m.ones(2)),
    "matmul dtypes": lambda m: m.ones(2, 2) @ m.ones(2, 2, dtype=m.float64),
    "dot shapes": lambda m: m.dot(m.ones(3), m.ones(4)),
    "dot of matrices": lambda m: m.dot(m.ones(2, 2), m.ones(2, 2)),
    "mm of vectors": lambda m: m.mm(m.ones(2), m.ones(2, 2)),
    "addmm shapes": lambda m: m.addmm(m.ones(3, 3), m.ones(2, 3), m.ones(3, 4)),
    "einsum operands": lambda m: m.einsum("ij,jk", m.ones(2, 2)),
    "einsum sizes": lambda m: m.einsum("ij,jk", m.ones(2, 3), m.ones(4, 2)),
    "einsum letters": lambda m: m.einsum("i1", m.ones(2, 2)),
    "tensordot sizes": lambda m: m.tensordot(m.ones(2, 3), m.ones(4, 2), 1),
    "lu without pivots": lambda m: m.linalg.lu(m.eye(2), pivot=False),
    "lstsq driver": lambda m: m.linalg.lstsq(m.eye(2), m.eye(2), driver="none"),
}


@pytest.mark.parametrize("name", CALLS)
def test_errors_are_pytorchs(name):
    with pytest.raises(Exception) as wanted:
        CALLS[name](torch)
    with pytest.raises(Exception) as found:
        CALLS[name](torsh)
    assert type(found.value).__name__ == type(wanted.value).__name__
    first = lambda e: " ".join(str(e.value).split()[:3])
    assert first(found) == first(wanted)


def test_singular_matrices_raise_linalg_error():
    assert issubclass(torsh.linalg.LinAlgError, RuntimeError)
    with pytest.raises(torsh.linalg.LinAlgError):
        torsh.linalg.inv(torsh.zeros(2, 2))


def test_a_product_keeps_only_what_its_gradient_needs():
    a, b = torsh.ones(2, 2, requires_grad=True), torsh.ones(2, 2)
    y = a @ b
    assert y.grad_fn.saved == (b,)
    assert torsh.linalg.__all__.count("det") == 1


def test_operators_leave_foreign_operands_to_them():
    class Other:
        def __rmatmul__(self, left):
            return "theirs"

    assert torsh.ones(2, 2) @ Other() == "theirs"
    with pytest.raises(TypeError):
        torsh.ones(2, 2) @ 3


@pytest.mark.parametrize("wrong", [0, -1, 3])
def test_pivots_outside_the_matrix_are_refused(wrong):
    LU, pivots = torsh.linalg.lu_factor(torsh.eye(2).expand(3, 2, 2))
    pivots[1, 0] = wrong
    with pytest.raises(RuntimeError, match="between 1 and LU"):
        torsh.lu_unpack(LU, pivots)
    with pytest.raises(RuntimeError, match="greater or equal to 1" if wrong < 1 else "smaller or equal to LU.size"):
        torsh.linalg.lu_solve(LU, pivots, torsh.ones(3, 2, 1))


def test_factors_of_addr_follow_the_result():
    m, v = torsh.ones(2, 2), torsh.ones(2)
    with pytest.raises(RuntimeError, match=r"Boolean beta only supported for Boolean results\."):
        torsh.addr(m, v, v, beta=True)
    with pytest.raises(RuntimeError, match="argument alpha must not be a floating point number"):
        torsh.addr(m.long(), v.long(), v.long(), alpha=1.5)
    assert torsh.addr(m.long(), v, v, alpha=1.5).tolist() == [[2.5, 2.5], [2.5, 2.5]]
    assert torsh.addr(torsh.tensor(1.0, dtype=torsh.float64), v, v).dtype is torsh.float64


def test_multi_dot_names_the_dtypes_that_differ():
    with pytest.raises(RuntimeError, match="all tensors must have be the same dtype but tensor 0 is float"):
        torsh.linalg.multi_dot([torsh.ones(2, 2), torsh.ones(2, 2, dtype=torsh.float64)])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(("beta", "alpha"), [(1, 1), (0.7, 0.3), (0, 0.5), (-0.3, 2)])
def test_addr_in_half_precision_rounds_as_pytorch(dtype, beta, alpha):
    g = torch.Generator().manual_seed(0)
    given = [torch.randn(*s, generator=g) * 3 for s in ((8, 9), (8,), (9,))]
    wanted = torch.addr(*[x.to(getattr(torch, dtype)) for x in given], beta=beta, alpha=alpha)
    found = torsh.addr(*[torsh.tensor(x.tolist(), dtype=getattr(torsh, dtype)) for x in given], beta=beta, alpha=alpha)
    assert found.tolist() == wanted.tolist()


def test_addbmm_in_half_precision_adds_one_product_after_the_other():
    g = torch.Generator().manual_seed(0)
    given = [
        torch.randn(*s, generator=g) * 8 for s in ((4, 5), (6, 4, 1), (6, 1, 5))
    ]  # products of one term: no sums inside
    wanted = torch.addbmm(*[x.half() for x in given])
    assert torsh.addbmm(*[torsh.tensor(x.tolist(), dtype=torsh.float16) for x in given]).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda t: t.linalg.multi_dot([t.ones(2, 2)] * 2, out=t.ones(2, 2, dtype=t.float64)),
            "expected out tensor to have dtype float",
        ),
        (
            lambda t: t.linalg.norm(t.ones(3), "fro"),
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions",
        ),
        (lambda t: t.linalg.norm(t.ones(3, 3), "nuc", dim=1), "linalg.matrix_norm: dim must be a 2-tuple"),
        (lambda t: t.linalg.norm(t.ones(3), "other"), "linalg.matrix_norm: Order other not supported"),
        (lambda t: t.einsum("..", t.ones(2)), "einsum\\(\\): found '.' for operand 0 that is not part of any ellipsis"),
        (
            lambda t: t.einsum("...a...", t.ones(2)),
            "einsum\\(\\): found '.' for operand 0 for which an ellipsis was already found",
        ),
        (
            lambda t: t.heaviside(t.ones(2), t.ones(2), out=t.ones(2, dtype=t.complex64)),
            "heaviside is not yet implemented for complex",
        ),
    ],
)
@pytest.mark.parametrize("module", [torch, torsh])
def test_refused_with_these_words(module, call, message):
    with pytest.raises(RuntimeError, match=f"(?i){message}"):
        call(module)
