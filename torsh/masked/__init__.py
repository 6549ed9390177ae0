"""Operations on the elements that a mask selects.

Source: https://docs.pytorch.org/docs/stable/masked.html
"""

from torsh._namespace import fill
from torsh.masked import _ops as _ops
from torsh.masked._maskedtensor import MaskedTensor, as_masked_tensor, is_masked_tensor, masked_tensor
from torsh.masked._ops import (
    _canonical_dim,
    _combine_input_and_mask,
    _input_mask,
    _output_mask,
    _reduction_identity,
    _where,
)

__all__ = fill(
    globals(), "masked", MaskedTensor=MaskedTensor, as_masked_tensor=as_masked_tensor, is_masked_tensor=is_masked_tensor,
    masked_tensor=masked_tensor,
)  # fmt: skip
