"""Samples of attention."""

import numpy as np

from torsh_conformance.sample import S, samples

F = "torch.nn.functional."


@samples(F + "scaled_dot_product_attention")
def attention(make):
    yield S(make(2, 3, 4), make(2, 5, 4), make(2, 5, 6))
    yield S(make(2, 2, 4, 3), make(2, 2, 4, 3), make(2, 2, 4, 3), is_causal=True, scale=0.3)
    yield S(make(2, 3, 4), make(2, 5, 4), make(2, 5, 4), attn_mask=make.bools(3, 5) | np.eye(3, 5, dtype=bool))
    yield S(make(2, 3, 4), make(2, 5, 4), make(2, 5, 4), attn_mask=make(2, 3, 5))


@samples(F + "multi_head_attention_forward")
def multi_head(make):
    q = make(4, 2, 6)
    yield S(q, make(5, 2, 6), make(5, 2, 6), 6, 2, make(18, 6), make(18), None, None, False, 0.0, make(6, 6), make(6))
    yield S(
        q,
        make(5, 2, 6),
        make(5, 2, 6),
        6,
        3,
        make(18, 6),
        make(18),
        make(1, 1, 6),
        make(1, 1, 6),
        True,
        0.0,
        make(6, 6),
        make(6),
        need_weights=False,
    )
