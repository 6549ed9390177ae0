"""Samples of common ops whose family has no generator for them; one in ``torsh_conformance/samples`` takes precedence.

What derived samples get wrong here: shapes that must fit (matrix products), keyword-only or variadic parameters,
domains.
"""

from __future__ import annotations

from torsh.dtypes import FLOAT
from torsh_conformance.sample import FALLBACKS, S, samples, the


def fallback(*paths):
    """Register a generator that any other for the same path replaces."""
    return samples(*paths, table=FALLBACKS)


@fallback("torch.lcm")
def lcm(make):
    # Without the smallest integer: PyTorch's kernel divides it by -1, which ends the process with SIGFPE.
    yield S(make(3, 4), make(3, 4))
    yield S(make(3, 1), make(4)).named("broadcast")
    yield S(make(3), make()).named("0-d")
    yield S(make(0, 3), make(3)).named("empty")
    yield S(make(4, 3).T, make(3, 4)).named("transposed")


@fallback(*(
    f"torch.special.{kind}_polynomial_{letter}"
    for kind, letters in (("chebyshev", "tuvw"), ("shifted_chebyshev", "tuvw"), ("laguerre", "l"), ("legendre", "p"))
    for letter in letters
), "torch.special.hermite_polynomial_h", "torch.special.hermite_polynomial_he")  # fmt: skip
def polynomial(make):
    # The degree counts steps of a recurrence: the largest integer would run for ever.
    yield S(make(3, 4, low=-1, high=1), make.ints(3, 4, high=6))
    yield S(make(3, 1, low=-1, high=1), make.ints(4, high=6)).named("broadcast")
    yield S(make(3, low=-1, high=1), 3).named("number")
    yield S(make(0, 3), make.ints(3)).named("empty")


@fallback("torch.mm", "Tensor.mm")
def mm(make):
    yield S(make(3, 4), make(4, 2))
    yield S(make(4, 3).T, make(2, 4).T).named("transposed")
    yield S(make(0, 4), make(4, 2)).named("empty")
    yield S(make(3, 0), make(0, 2)).named("empty sum")
    yield S(make(3, 4), make(3, 2)).named("shapes do not fit")


@fallback("torch.matmul", "Tensor.matmul", "torch.linalg.matmul")
def matmul(make):
    yield S(make(3, 4), make(4, 2))
    yield S(make(4), make(4)).named("vectors")
    yield S(make(3, 4), make(4)).named("matrix, vector")
    yield S(make(4), make(2, 4, 3)).named("vector, batch")
    yield S(make(2, 1, 3, 4), make(5, 4, 2)).named("broadcast")
    yield S(make(4, 3).T, make(2, 4).T).named("transposed")
    yield S(make(2, 3, 0), make(0, 4)).named("empty sum")


@fallback("torch.bmm")
def bmm(make):
    yield S(make(2, 3, 4), make(2, 4, 2))
    yield S(make(0, 3, 4), make(0, 4, 2)).named("empty")
    yield S(make(2, 4, 3).transpose(0, 2, 1), make(2, 4, 2)).named("transposed")


@fallback("torch.mv")
def mv(make):
    yield S(make(3, 4), make(4))
    yield S(make(4, 3).T, make(4)).named("transposed")
    yield S(make(3, 0), make(0)).named("empty")


@fallback("torch.outer", "torch.ger")
def outer(make):
    yield S(make(3), make(4))
    yield S(make(0), make(4)).named("empty")


@fallback("torch.vdot", "torch.dot", "torch.inner")
def dot(make):
    yield S(make(5), make(5))
    yield S(make(9)[::2], make(5)).named("strided")
    yield S(make(0), make(0)).named("empty")


@fallback("torch.addmm")
def addmm(make):
    yield S(make(3, 2), make(3, 4), make(4, 2))
    yield S(make(2), make(3, 4), make(4, 2), beta=2, alpha=3).named("broadcast, scaled")
    yield S(make(3, 2), make(3, 0), make(0, 2)).named("empty sum")


@fallback("torch.addmv")
def addmv(make):
    yield S(make(3), make(3, 4), make(4))
    yield S(make(), make(3, 4), make(4), beta=2, alpha=3).named("broadcast, scaled")


@fallback("torch.addbmm")
def addbmm(make):
    yield S(make(3, 2), make(5, 3, 4), make(5, 4, 2))
    yield S(make(2), make(5, 3, 4), make(5, 4, 2), beta=2, alpha=3).named("broadcast, scaled")


@fallback("torch.baddbmm")
def baddbmm(make):
    yield S(make(5, 3, 2), make(5, 3, 4), make(5, 4, 2))
    yield S(make(2), make(5, 3, 4), make(5, 4, 2), beta=2, alpha=3).named("broadcast, scaled")


@fallback("torch.chain_matmul")
def chain_matmul(make):
    yield S(make(2, 3), make(3, 4), make(4, 2))


@fallback("torch.einsum")
def einsum(make):
    yield S("ij,jk->ik", make(3, 4), make(4, 2))
    yield S("ii->i", make(3, 3)).named("diagonal")
    yield S("bij,bjk,bk->bi", make(2, 3, 4), make(2, 4, 2), make(2, 2)).named("three operands")
    yield S("...i,i->...", make(2, 3, 4), make(4)).named("ellipsis")


@fallback("torch.cumsum", "torch.cumprod", "torch.cummax", "torch.cummin", "torch.logcumsumexp")
def cumulative(make):
    yield S(make.distinct(3, 4), 0)
    yield S(make.distinct(2, 3, 2), -1)
    yield S(make.distinct(4, 3).T, 1).named("transposed")
    yield S(make(0, 3), 1).named("empty")
    yield S(make(), 0).named("0-d")
    yield S(make.special(), 0).named("special values").without("grad")
    yield S(make(3, 4), 2).named("no such dimension")


@fallback("torch.clamp", "torch.clip")
def clamp(make):
    yield S(make(3, 4), -1, 1)
    yield S(make(3, 4), make(3, 1), make(4)).named("tensors")
    yield S(make(3, 4), min=0).named("only a minimum")
    yield S(make.special(), -1, 1).named("special values").without("grad")
    yield S(make(3, 4)).named("no limit at all")


@fallback("torch.where")
def where(make):
    yield S(make.bools(3, 4), make(3, 4), make(3, 4))
    yield S(make.bools(3, 1), make(4), make()).named("broadcast")
    yield S(make.bools(3), make(3), 1.0).named("number")
    yield S(make.bools(3, 4)).named("nonzero")
    yield S(make.bools(0, 3), make(3), make(3)).named("empty")


@fallback("torch.permute", "torch.movedim")
def permute(make):
    yield S(make(2, 3, 4), (2, 0, 1), *(() if make.path == "torch.permute" else ((0, 1, 2),)))
    yield S(make(3, 2).T, (0, 1), *(() if make.path == "torch.permute" else ((1, 0),))).named("transposed")


@fallback("Tensor.expand")
def expand(make):
    yield S(make(3, 1), 3, 4)
    yield S(make(4), 2, -1).named("kept dimension")
    yield S(make(), 2, 3).named("0-d")
    yield S(make(3), 4).named("cannot be expanded")


@fallback("Tensor.repeat", "torch.tile")
def repeat(make):
    yield S(make(2, 3), (2, 1))
    yield S(make(3), (2, 2, 1)).named("more dimensions")
    yield S(make(2, 3), (1, 0)).named("empty")


@fallback("torch.repeat_interleave")
def repeat_interleave(make):
    yield S(make(2, 3), 2)
    yield S(make(2, 3), make.ints(3, high=3), dim=1).named("tensor")
    yield S(make(2, 3), 0, dim=0).named("none")


@fallback("torch.select")
def select(make):
    yield S(make(3, 4), 0, 1)
    yield S(make(3, 4), -1, -2)
    yield S(make(3, 4), 1, 4).named("out of range")


@fallback("torch.flip")
def flip(make):
    yield S(make(3, 4), (0,))
    yield S(make(2, 3, 4), (0, -1))
    yield S(make(0, 3), (1,)).named("empty")


@fallback("torch.tensor_split", "torch.hsplit", "torch.vsplit")
def splits(make):
    yield S(make(4, 6), 2)
    yield S(make(4, 6), (1, 3)).named("indices")


@fallback("torch.dsplit")
def dsplit(make):
    yield S(make(2, 3, 4), 2)


@fallback("torch.split_with_sizes", "torch.split")
def split_with_sizes(make):
    yield S(make(5, 3), [2, 3])
    yield S(make(3, 5), [1, 4], 1).named("dimension")


@fallback("torch.unflatten")
def unflatten(make):
    yield S(make(3, 4), 1, (2, 2))
    yield S(make(3, 4), 1, (2, -1)).named("inferred")


@fallback("Tensor.unfold")
def unfold(make):
    yield S(make(7), 0, 3, 2)
    yield S(make(3, 5), 1, 2, 1)


@fallback("Tensor.view", "torch.reshape", "Tensor.reshape")
def view(make):
    yield S(make(3, 4), (2, 6))
    yield S(make(3, 4), (-1,)).named("flat")
    yield S(make(), (1, 1)).named("0-d")
    yield S(make(3, 4), (5, 2)).named("does not fit")


@fallback("Tensor.item", "Tensor.tolist")
def item(make):
    yield S(make())
    yield S(make(1, 1))


@fallback("torch.imag")
def imag(make):
    yield S(make(3, 4))


@fallback("torch.tril_indices", "torch.triu_indices")
def triangle(make):
    yield S(3, 4)
    yield S(3, 4, 1).named("offset")


@fallback("torch.arange", "torch.range")
def arange(make):
    if make.path == "torch.arange":
        yield S(5)
    yield S(1, 6)
    yield S(1, 2.5, 0.5, dtype=the.float64).named("fractions")


@fallback("torch.softmax", "torch.log_softmax", "torch.nn.functional.softmax", "torch.nn.functional.log_softmax",
          "torch.nn.functional.softmin")  # fmt: skip
def softmax(make):
    yield S(make(3, 4), 1)
    yield S(make(2, 3, 4), 0)
    yield S(make(), 0).named("0-d")
    yield S(make(0, 3), 1).named("empty")
    yield S(make(3, 4, low=-500, high=500), -1).named("large")


@fallback("torch.polygamma", "torch.special.polygamma")
def polygamma(make):
    yield S(1, make(3, 4, low=0.1, high=3))
    yield S(2, make(5, low=0.1, high=3))


@fallback("torch.mvlgamma", "torch.special.multigammaln")
def mvlgamma(make):
    yield S(make(3, 4, low=2, high=5), 2)


@fallback("torch.prelu", "torch.nn.functional.prelu")
def prelu(make):
    yield S(make(2, 3, 4), make(3))
    yield S(make(3, 4), make(1)).named("one slope")


@fallback("torch.threshold", "torch.nn.functional.threshold")
def threshold(make):
    yield S(make(3, 4), 0.5, 2.0)
    yield S(make(0, 3), 0.5, 2.0).named("empty")


def images(make, *rest, channels=2, **kwargs):
    """A batch of images, one image, and a transposed one."""
    yield S(make(2, channels, 6, 7), *rest, **kwargs)
    yield S(make(channels, 6, 7), *rest, **kwargs).named("no batch")
    yield S(make(2, channels, 7, 6).swapaxes(2, 3), *rest, **kwargs).named("transposed")


@fallback("torch.nn.functional.avg_pool2d", "torch.nn.functional.lp_pool2d", "torch.nn.functional.adaptive_avg_pool2d")
def pool2d(make):
    rest = (2.0, 2) if "lp" in make.path else (2,)
    yield from images(make, *rest)


@fallback("torch.nn.functional.max_pool2d", "torch.max_pool2d", "torch.nn.functional.adaptive_max_pool2d")
def max_pool2d(make):
    yield S(make.distinct(2, 2, 6, 7), 2)
    yield S(make.distinct(2, 6, 7), 3).named("no batch")


@fallback("torch.nn.functional.conv1d", "torch.conv1d")
def conv1d(make):
    yield S(make(2, 3, 8), make(4, 3, 3))
    yield S(make(2, 4, 8), make(4, 2, 3), make(4), stride=2, padding=1, groups=2).named("groups")


@fallback("torch.nn.functional.conv2d", "torch.conv2d")
def conv2d(make):
    yield S(make(2, 3, 6, 7), make(4, 3, 3, 2))
    yield S(make(2, 4, 6, 6), make(4, 2, 3, 3), make(4), stride=2, padding=1, groups=2).named("groups")
    yield S(make(3, 6, 6), make(4, 3, 2, 2), dilation=2).named("no batch, dilated")


@fallback("torch.nn.functional.conv3d", "torch.conv3d")
def conv3d(make):
    yield S(make(2, 2, 4, 5, 4), make(3, 2, 2, 2, 2), make(3))


@fallback("torch.nn.functional.conv_transpose1d", "torch.conv_transpose1d")
def conv_transpose1d(make):
    yield S(make(2, 3, 5), make(3, 4, 3), stride=2, padding=1)


@fallback("torch.nn.functional.conv_transpose2d", "torch.conv_transpose2d")
def conv_transpose2d(make):
    yield S(make(2, 3, 4, 5), make(3, 4, 3, 2), make(4), stride=2, output_padding=1)


@fallback("torch.nn.functional.layer_norm", "torch.layer_norm")
def layer_norm(make):
    yield S(make(3, 4), (4,))
    yield S(make(2, 3, 4), (3, 4), make(3, 4), make(3, 4)).named("weight and bias")


@fallback("torch.nn.functional.group_norm", "torch.group_norm")
def group_norm(make):
    yield S(make(2, 4, 3), 2)
    yield S(make(2, 4, 3), 2, make(4), make(4)).named("weight and bias")


@fallback("torch.nn.functional.batch_norm")
def batch_norm(make):
    yield S(make(4, 3, 2), make(3), make(3, low=0.5, high=2), make(3), make(3))
    yield S(make(4, 3, 2), None, None, make(3), make(3), True).named("training")


@fallback("torch.nn.functional.instance_norm")
def instance_norm(make):
    yield S(make(2, 3, 5))


@fallback("torch.nn.functional.local_response_norm")
def local_response_norm(make):
    yield S(make(2, 4, 5), 2)


@fallback("torch.nn.functional.embedding")
def embedding(make):
    yield S(make.ints(3, 2, high=5), make(5, 4))
    yield S(make.ints(0, high=5), make(5, 4)).named("empty")


@fallback("torch.nn.functional.dropout", "torch.dropout", "torch.nn.functional.alpha_dropout", "torch.alpha_dropout",
          "torch.feature_dropout", "torch.feature_alpha_dropout")  # fmt: skip
def dropout(make):
    yield S(make(4, 5, 3), 0.5, True)
    yield S(make(4, 5), 0.5, False).named("not training")


def square(make, *batch, n=3):
    """Well-conditioned square matrices."""
    import numpy as np

    a = make(*batch, n, n)
    if a.dtype.kind not in "fc":
        return a
    return (a + 4 * np.eye(n)).astype(a.dtype)


@fallback("torch.linalg.det", "torch.det", "torch.linalg.inv", "torch.inverse", "torch.linalg.slogdet", "torch.slogdet",
          "torch.linalg.eig", "torch.linalg.eigvals", "torch.matrix_exp", "torch.linalg.matrix_exp", "torch.logdet",
          "torch.trace", "torch.linalg.lu_factor", "torch.linalg.cond", "torch.linalg.inv_ex")  # fmt: skip
def square_matrix(make):
    yield S(square(make))
    if make.path != "torch.trace":
        yield S(square(make, 2)).named("batch")
        yield S(square(make, 0)).named("empty batch")
    yield S(make(3, 4)).named("not square")


@fallback(
    "torch.linalg.cholesky", "torch.cholesky", "torch.linalg.eigh", "torch.linalg.eigvalsh", "torch.linalg.cholesky_ex"
)
def positive_matrix(make):
    import numpy as np

    for batch in ((), (2,)):
        a = square(make, *batch)
        yield S((a @ np.conj(np.swapaxes(a, -1, -2))).astype(a.dtype) if a.dtype.kind in "fc" else a)


@fallback("torch.linalg.solve")
def solve(make):
    yield S(square(make), make(3, 2))
    yield S(square(make), make(3)).named("vector")
    yield S(square(make, 2), make(2, 3, 2)).named("batch")


@fallback("torch.linalg.qr", "torch.qr", "torch.linalg.svd", "torch.svd", "torch.linalg.svdvals", "torch.linalg.pinv",
          "torch.pinverse")  # fmt: skip
def rectangular(make):
    # First derivatives depend on the choice of signs and bases: the gradient is left to the family's own samples.
    yield S(make(4, 3)).without("grad")
    yield S(make(3, 3)).without("grad")
    yield S(make(2, 4, 3)).named("batch").without("grad")


@fallback("torch.linalg.matrix_power", "torch.matrix_power")
def matrix_power(make):
    yield S(square(make), 3)
    yield S(square(make), 0).named("zero")
    yield S(square(make), -1).named("inverse")


_GATES = {"gru": 3, "lstm": 4, "rnn_tanh": 1, "rnn_relu": 1}


@fallback("torch.gru", "torch.lstm", "torch.rnn_tanh", "torch.rnn_relu")
def recurrent(make):
    if make.dtype.category < FLOAT:
        return
    name = make.path.removeprefix("torch.")
    rows = 3 * _GATES[name]
    for layers, batch_first in ((1, False), (2, True)):
        state = make(layers, 2, 3)
        hidden = [state, make(layers, 2, 3)] if name == "lstm" else state
        weights = []
        for layer in range(layers):
            weights += [make(rows, 3 if layer else 4), make(rows, 3), make(rows), make(rows)]
        yield S(make(2, 2, 4), hidden, weights, True, layers, 0.0, False, False, batch_first)


@fallback("torch.gru_cell", "torch.lstm_cell", "torch.rnn_tanh_cell", "torch.rnn_relu_cell")
def recurrent_cell(make):
    if make.dtype.category < FLOAT:
        return
    name = make.path.removeprefix("torch.").removesuffix("_cell")
    rows = 3 * _GATES[name]
    hidden = [make(2, 3), make(2, 3)] if name == "lstm" else make(2, 3)
    yield S(make(2, 4), hidden, make(rows, 4), make(rows, 3), make(rows), make(rows))
    yield S(make(2, 4), hidden, make(rows, 4), make(rows, 3)).named("no bias")


@fallback("torch._standard_gamma", "torch._sample_dirichlet")
def concentrations(make):
    yield S(make(3, 4, low=0.1, high=3))
    yield S(make(0, 3)).named("empty")
