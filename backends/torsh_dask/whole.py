"""Ops that run on whole arrays, and why: Dask brings an array of several chunks into one piece of memory first."""

from __future__ import annotations

_ORDER = "all values are put in order"
_STEPS = "every step needs the one before"
_PLACES = "any value may go to any place of the result"
_COUNT = "where a value belongs depends on how many came before it"
_MATRIX = "a factorization needs the whole matrix"
_YET = "there is no form in chunks yet"
_VALUES = "the shape of the result depends on values"

# Kernel -> (what users call it, why).  Ops that are not here stay in chunks: elementwise ones always, others (``kernels.BATCHED``)
# where the first dimension is one of samples, or by a form of their own (``chunked.CHUNKED``).
WHOLE: dict[str, tuple[str, str]] = {
    "median_op": ("median without dim", _ORDER),
    "nanmedian_op": ("nanmedian without dim", _ORDER),
    "ctc": ("ctc_loss", _STEPS),
    "ctc_backward": ("gradient of ctc_loss", _STEPS),
    "recurrent_steps": ("RNN, LSTM and GRU", _STEPS),
    "recurrent_steps_backward": ("gradient of RNN, LSTM and GRU", _STEPS),
    "index_put": ("index_put", _PLACES),
    "fold_windows": ("gradient of unfold", _PLACES),
    "strided_sum": ("gradient of as_strided", _PLACES),
    "pad_mirror_backward": ("gradient of pad with a mode of reflect, replicate or circular", _PLACES),
    "diagonal_embed": ("diag_embed and the gradient of diagonal", _PLACES),
    "masked_scatter": ("masked_scatter", _COUNT),
    "fractional_max_pool": ("fractional_max_pool", _YET),
    "histogramdd_counts": ("histogram and histogramdd", _YET),
    "householder_op": ("linalg.householder_product", _MATRIX),
    "ldl_op": ("linalg.ldl_factor", _MATRIX),
    "ldl_solve_op": ("linalg.ldl_solve", _MATRIX),
    "lstsq_op": ("linalg.lstsq", _MATRIX),
    "lu_permutation": ("lu_unpack", _MATRIX),
    "solve_triangular_op": ("linalg.solve_triangular", _MATRIX),
    "nonzero": ("nonzero, argwhere", _VALUES),
    "bincount": ("bincount", _VALUES),
    "unique_values": ("unique, unique_consecutive", _VALUES),
}
# The same for ops that stay in chunks only where the dimension they work along is not cut.
ALONG: dict[str, str] = {
    "sort, argsort, topk, kthvalue, median, mode, quantile": _ORDER,
    "cummax, cummin, logcumsumexp": _STEPS,
    "scatter, scatter_add, scatter_reduce, index_add, index_copy, index_fill, gather": _PLACES,
    "fft": "every value goes into every one of the result",
    "linalg's decompositions": _MATRIX,
}


def remarks() -> list[str]:
    """Lines for the support matrix."""
    reasons: dict[str, list[str]] = {}
    for name, reason in WHOLE.values():
        if reason != _VALUES:  # these are refused
            reasons.setdefault(reason, []).append(name)
    lines = [f"on whole arrays ({reason}): {', '.join(names)}" for reason, names in reasons.items()]
    return lines + [f"on whole arrays where the dimension worked along is cut ({r}): {n}" for n, r in ALONG.items()]


__all__ = ["ALONG", "WHOLE", "remarks"]
