"""torsh: the PyTorch API over existing array libraries."""

from torsh import dtypes as _dtypes
from torsh import ops as _ops
from torsh.device import device, get_default_device, set_default_device
from torsh.dtypes import dtype, get_default_dtype, promote_types, set_default_dtype
from torsh.tensor import Parameter, Size, Tensor
from torsh.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled

globals().update({d.name: d for d in _dtypes.ALL})
globals().update(_dtypes.ALIASES)
globals().update(_ops.NAMES["torch"])
