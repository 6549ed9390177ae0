"""Sparse tensors against PyTorch: what is printed (members, size, layout, node), and the gradients."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import torsh

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*[Ss]parse.*:UserWarning")

NAMES = {
    "A": lambda m: m.tensor([[1.0, 0, 2], [0, -3, 0]]),
    "B": lambda m: m.tensor([[0.0, 4, 5], [0, 6, 0]]),
    "S": lambda m: NAMES["A"](m).to_sparse(),
    "U": lambda m: m.sparse_coo_tensor([[0, 1, 0], [2, 0, 2]], [1.0, 2.0, 3.0], (2, 3)),
    "H": lambda m: m.sparse_coo_tensor([[1, 0]], [[1.0, 2.0], [3.0, 4.0]], (2, 2)),
    "R": lambda m: NAMES["A"](m).to_sparse_csr(),
    "K": lambda m: m.stack([NAMES["A"](m)] * 2),
}


def evaluate(code, m):
    """The text of an expression's value, or its exception's type and first words."""
    scope = {name: make(m) for name, make in NAMES.items()}
    try:
        return str(eval(code, {"m": m, **scope})).replace("torsh.", "torch.")
    except Exception as e:
        return f"{type(e).__name__}: {str(e)[:30]}"


EXPRESSIONS = """
S; U; U.coalesce(); H; U.is_coalesced(); S + S; S - S; S * S; U * B; B * S; S * m.tensor([1.0, 2, 3]); S / 2; 2 * U; -U; U.abs()
U.sqrt(); S**2; S.sin(); m.relu(S); m.isnan(S); B + U; B - U; B.add(S, alpha=2); S.exp(); S.cos(); S + B; S + 1
S.clone().mul_(2); S.clone().add_(S); S.clone().neg_(); B.clone().add_(S); U.clone().zero_(); S.norm(); S.any(); U.sum(); U.sum(0)
S @ B.t(); B @ S.t(); S.mm(S.t()); m.mv(S, m.ones(3)); m.sparse.mm(S, B.t()); m.sparse.mm(S, m.ones(2, 2)); R @ B.t(); R @ R.t()
m.sparse.mm(R, B.t(), "mean"); m.addmm(m.ones(2, 2), S, B.t(), alpha=2, beta=3); m.sparse.addmm(m.ones(2, 2), S, B.t())
m.smm(S, B.t()); m.hspmm(S, B.t()); S.sspaddmm(S, m.eye(3)); m.bmm(K.to_sparse(), m.ones(2, 3, 2))
m.sparse.sampled_addmm(m.eye(2).to_sparse_csr(), A, B.t(), beta=2); m.sparse.sum(U, 0); m.sparse.sum(U, (0, 1)); m.sparse.sum(H, 1)
m.sparse.softmax(S, 1); m.sparse.log_softmax(S, 0); m.sparse.softmax(U, 0); m.sparse.softmax(H, 1)
S.t(); S.transpose(0, 1); H.unsqueeze(0); H.unsqueeze(2); U[0]; U[0, 2]; S.select(1, 0); S.unbind(); S.permute(1, 0)
U.index_select(1, m.tensor([2, 0, 2])); S.narrow_copy(1, 1, 2); m.cat([S, U]); m.cat([S, U], 1); m.stack([S, S]); S.reshape(6)
S.to_sparse_csr(); S.to_sparse_csc(); A.to_sparse_csc(); A.to_sparse_bsr((1, 3)); A.to_sparse_bsc((2, 1)); S.to_sparse_bsr((2, 1))
A.to_sparse_bsr((1, 3)).to_sparse(); A.to_sparse_bsr((1, 3)).to_dense(); A.to_sparse_bsc((2, 1)).to_dense(); R.to_sparse_csc()
R.transpose(0, 1); R + R; R * 2; R.sin(); R.sum(); R.values(); R.crow_indices(); A.to_sparse_csc().ccol_indices(); R._nnz()
K.to_sparse_csr(); K.to_sparse_csr().to_dense(); K.to_sparse_csr().to_sparse_csc(); K.to_sparse_csr().to_sparse(); R.to(m.float64)
R.row_indices(); R.indices(); A.values(); A.indices(); A.crow_indices(); U.indices(); S.to_dense(m.float64); S.numpy(); S.item()
S.double(); S.to(m.int32); m.zeros_like(S); m.zeros(2, 3, layout=m.sparse_coo); B.sparse_mask(S); U.sparse_mask(S); S.stride()
S.sparse_dim(), S.dense_dim(), H.sparse_dim(), H.dense_dim(), A.sparse_dim(), A.dense_dim(); S.layout, S.is_sparse, R.is_sparse_csr
m.tensor(5.0).to_sparse(); m.zeros(2, 2).to_sparse(); m.zeros(0, 2).to_sparse(); A.to_sparse(1); A.to_sparse(4)
A.to_sparse(layout=m.sparse_bsr); A.to_sparse_bsr((3, 1)); m.stack([A, B]).to_sparse_csr(); R.to_sparse_bsr((1, 1)).to_sparse_csr()
S.sparse_resize_((4, 5), 2, 0); S.sparse_resize_((1, 5), 2, 0); m.sparse_coo_tensor((2, 3)); m.sparse_coo_tensor([[0, 1]], [1, 2])
m.sparse_coo_tensor(size=(2, 3), dtype=m.int64); m.sparse_coo_tensor([[0, 1]], [1.0, 2], requires_grad=True)
m.sparse_coo_tensor([[0, -5]], [1.0, 2]); m.sparse_coo_tensor([[0, 5]], [1.0, 2], (3,), check_invariants=True)
m.sparse_coo_tensor([[0, 0]], [1.0, 2], is_coalesced=True, check_invariants=True); m.sparse_coo_tensor([0, 1], [1.0, 2])
m.sparse_coo_tensor([[0, 1]], [1.0, 2, 3]); m.sparse_coo_tensor([[0, 0]], [1.0, 2], (3, 3)); m.sparse_coo_tensor([[]], [])
m.sparse_coo_tensor([[0, 1]], [[1.0, 2], [3, 4]], (3, 3)); m.sparse_coo_tensor([[0, 0]], [True, True]).coalesce()
m.sparse_csr_tensor([0, 1, 2], [0, 1], [1.0, 2]); m.sparse_compressed_tensor([0, 1], [0], [1.0], layout=m.strided)
m.sparse_csr_tensor(crow_indices=[0, 1, 2], col_indices=[0, 1], values=[1.0, 2], size=(2, 4))
m.sparse_bsr_tensor([0, 1, 2], [0, 1], [[[1.0, 2]], [[3, 4]]]); m.sparse_bsc_tensor([0, 1, 2], [0, 1], [[[1.0, 2]], [[3, 4]]])
m.sparse_compressed_tensor([0, 1, 2], [0, 1], [1.0, 2], layout=m.sparse_csc)
m.sparse_csr_tensor([0, 1, 3], [0, 1], [1.0, 2], (2, 2), check_invariants=True)
m.sparse_csr_tensor([0, 1, 2], [0, 3], [1.0, 2], (2, 2), check_invariants=True)
m.sparse_csr_tensor([0, 2, 2], [1, 1], [1.0, 2], (2, 2), check_invariants=True)
S.requires_grad_().to_dense(); S.requires_grad_().coalesce().values(); S.requires_grad_() * 2; A.requires_grad_().to_sparse()
A.requires_grad_().to_sparse_csr(); m.sparse.mm(S.requires_grad_(), B.t()); m.sparse.softmax(S.requires_grad_(), 1)
m.sparse.spdiags(m.arange(9).reshape(3, 3), m.tensor([0, -1, -2]), (3, 3)); m.sparse.spdiags(A, m.tensor([0, 0]), (3, 3))
"""


@pytest.mark.parametrize("code", [c.strip() for c in EXPRESSIONS.replace("\n", ";").split(";") if c.strip()])
def test_as_torch_prints(code):
    assert evaluate(code, torsh) == evaluate(code, torch)


LOSSES = {
    "to_dense": lambda m, a, b: (a.to_dense() * b).sum(),
    "mm": lambda m, a, b: (m.sparse.mm(a, b.t()) ** 2).sum(),
    "number": lambda m, a, b: ((a * 2).to_dense() * b).sum(),
    "softmax": lambda m, a, b: (m.sparse.softmax(a, 1).to_dense() * b).sum(),
    "sum": lambda m, a, b: (m.sparse.sum(a, 0).to_dense() * b[0]).sum(),
    "add": lambda m, a, b: ((a + a).to_dense() * b).sum(),
    "values": lambda m, a, b: (a.coalesce().values() ** 2).sum(),
    "abs": lambda m, a, b: (a.abs().to_dense() * b).sum(),
    "matmul": lambda m, a, b: ((a @ b.t()) ** 2).sum(),
    "dense first": lambda m, a, b: ((b @ a.t()) ** 2).sum(),
    "sparse product": lambda m, a, b: (m.sparse.mm(a, a.t()).to_dense() * b[:, 1:]).sum(),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients(loss):
    """At the places of the tensor: there PyTorch's gradient, sparse or dense, has the same values."""
    found = []
    for m in (torsh, torch):
        a, b = NAMES["S"](m).requires_grad_(), NAMES["B"](m).requires_grad_()
        LOSSES[loss](m, a, b).backward()
        at_places = a.grad.to_dense() * (a.detach().to_dense() != 0)
        found.append([g.tolist() for g in (at_places, b.grad) if g is not None])
    assert len(found[0]) == len(found[1])
    for ours, theirs in zip(*found):
        assert torch.allclose(torch.tensor(ours), torch.tensor(theirs), atol=1e-6)


def test_gradient_of_a_sparse_tensor_is_sparse_and_accumulates():
    a = NAMES["S"](torsh).requires_grad_()
    for _ in range(2):
        a.to_dense().sum().backward()
    assert a.grad.is_sparse
    assert a.grad.to_dense().tolist() == [[2.0, 0.0, 2.0], [0.0, 2.0, 0.0]]


@pytest.mark.parametrize("optimizer", ["SparseAdam", "Adagrad", "SGD"])
@pytest.mark.parametrize("module", ["Embedding", "EmbeddingBag"])
def test_training_an_embedding_with_sparse_gradients(optimizer, module):
    found = []
    for m in (torsh, torch):
        layer = getattr(m.nn, module)(6, 3, sparse=True, padding_idx=2)
        with m.no_grad():
            layer.weight.copy_(m.arange(18.0).reshape(6, 3) / 10)
        steps = getattr(m.optim, optimizer)(layer.parameters(), lr=0.1)
        for batch in ([[1, 2], [3, 1]], [[5, 0], [0, 4]]):
            steps.zero_grad()
            (layer(m.tensor(batch)) ** 2).sum().backward()
            assert layer.weight.grad.is_sparse
            steps.step()
        found.append(layer.weight.detach().tolist())
    assert torch.allclose(torch.tensor(found[0]), torch.tensor(found[1]), atol=1e-6)


def test_optimizers_that_need_dense_gradients_say_so():
    layer = torsh.nn.Embedding(4, 2, sparse=True)
    layer(torsh.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="Adam does not support sparse gradients"):
        torsh.optim.Adam(layer.parameters()).step()


@pytest.mark.parametrize("make", ["S", "U", "R", "H"])
def test_copies_and_pickles(make):
    t = NAMES[make](torsh)
    for other in (copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        assert str(other) == str(t)
    buffer = io.BytesIO()
    torsh.save(t, buffer)
    buffer.seek(0)
    assert str(torsh.load(buffer)) == str(t)


def test_invariants_are_checked_where_that_is_switched_on():
    from torsh.sparse import check_sparse_tensor_invariants as checks

    assert not checks.is_enabled()
    with checks(), pytest.raises(RuntimeError, match="size is inconsistent with indices"):
        torsh.sparse_coo_tensor([[7]], [1.0], (3,))
    assert not checks.is_enabled()


def test_a_function_of_sparse_tensors_passes_gradcheck():
    check = torsh.sparse.as_sparse_gradcheck(torsh.autograd.gradcheck)
    x = NAMES["A"](torsh).double().to_sparse().requires_grad_()
    assert check(lambda t: t.to_sparse_csr(), x)
    assert check(lambda t: torsh.sparse.mm(t, torsh.ones(3, 2, dtype=torsh.float64)), x)
