"""What autocast does with which operation, per device type: PyTorch's tables in terms of torsh's op names.

Source: https://docs.pytorch.org/docs/stable/amp.html#autocast-op-reference
"""

from __future__ import annotations

from typing import Any

# What is done with the floating tensors among an operation's arguments.
NARROW = "narrow"  # cast to autocast's dtype
FLOAT32 = "float32"  # cast to float32
FLOAT32_UNLESS_DTYPE = "float32 unless dtype"  # the same, unless the caller names a dtype
WIDEST = "widest"  # cast to the widest dtype among them
REFUSED = "refused"  # an error, since float16 would overflow
ALONE = "alone"  # nothing, not even inside: one kernel in PyTorch, made of listed operations here

_PRODUCTS = (
    "matmul mm bmm addmm addbmm baddbmm linear linalg_vecdot conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d "
    "conv_transpose3d prelu scaled_dot_product_attention"
)
# In float32 on every device type.
_LOSSES = (
    "binary_cross_entropy_with_logits functional_bce_with_logits torch_cosine_embedding_loss cosine_embedding_loss "
    "torch_hinge_embedding_loss hinge_embedding_loss huber_loss kl_div functional_kl_div l1_loss torch_margin_ranking_loss "
    "margin_ranking_loss mse_loss multi_margin_loss multilabel_margin_loss nll_loss poisson_nll_loss smooth_l1_loss "
    "soft_margin_loss torch_triplet_margin_loss triplet_margin_loss"
)

_CPU = {
    NARROW: _PRODUCTS,
    FLOAT32: (
        f"{_LOSSES} binary_cross_entropy cross_entropy torch_ctc_loss ctc_loss adaptive_avg_pool3d "
        "adaptive_max_pool3d avg_pool3d max_pool3d functional_max_pool3d fractional_max_pool2d fractional_max_pool3d "
        "max_unpool2d max_unpool3d cdist grid_sampler functional_grid_sample polar view_as_complex "
        "view_as_complex_checked prod quantile nanquantile stft trace fake_quantize_per_tensor_affine fft_fft "
        "fft_fft2 fft_fftn fft_hfft fft_ifft fft_ifft2 fft_ifftn fft_ihfft fft_irfft fft_irfft2 fft_irfftn fft_rfft "
        "fft_rfft2 fft_rfftn cholesky cholesky_inverse cholesky_solve geqrf lu_solve ormqr pinverse qr svd "
        "triangular_solve linalg_cholesky linalg_cholesky_ex linalg_cond linalg_eig linalg_eigh linalg_eigvals "
        "linalg_eigvalsh linalg_householder_product linalg_inv linalg_inv_ex linalg_lstsq linalg_matrix_rank "
        "linalg_qr linalg_solve linalg_svd linalg_svdvals linalg_tensorinv linalg_tensorsolve"
    ),
    WIDEST: "cat_any stack_any index_copy",
    ALONE: "mv dot vdot addmv addr",
}  # fmt: skip

_CUDA = {
    NARROW: f"{_PRODUCTS} mv addmv addr chain_matmul linalg_multi_dot einsum lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
    FLOAT32: (
        f"{_LOSSES} acos asin cosh erfinv exp expm1 log log10 log1p log2 logsumexp pow reciprocal rsqrt sinh tan softplus "
        "layer_norm group_norm rms_norm norm linalg_vector_norm linalg_matrix_norm cosine_similarity cdist dist pdist renorm "
        "interpolate"
    ),
    FLOAT32_UNLESS_DTYPE: "softmax log_softmax functional_softmax functional_log_softmax cumprod cumsum prod sum",
    WIDEST: "addcdiv addcmul atan2 bilinear cross dot vdot grid_sampler functional_grid_sample index_put scatter_add tensordot",
    REFUSED: "binary_cross_entropy",
}


def _by_name(table: dict[str, str]) -> dict[str, str]:
    return {name: policy for policy, names in table.items() for name in names.split()}


# device type -> op name -> what is done.  Other device types have no list: nothing is cast on them.
POLICIES: dict[str, dict[str, str]] = {"cpu": _by_name(_CPU), "cuda": _by_name(_CUDA)}

# Continuing an edge is one function here and one per mode and number of dimensions in PyTorch, not all of which are listed.
_MIRRORED = {"cpu": {"reflect": (2, 4), "replicate": (2, 4, 6)}}


def policy_of(device: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """What autocast does with a call on tensors of a device type; None for nothing."""
    if name == "pad":
        named = dict(zip(("input", "pad", "mode"), args)) | kwargs
        return FLOAT32 if len(named["pad"]) in _MIRRORED.get(device, {}).get(named.get("mode"), ()) else None
    return POLICIES.get(device, {}).get(name)
