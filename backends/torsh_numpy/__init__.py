"""The CPU backend: NumPy arrays, with Numba kernels where they win."""

import warnings

from torsh_numpy.backend import NumpyBackend

# PyTorch says nothing when a float overflows or divides by zero.  np.errstate around every kernel would cost more than the
# kernel itself on small arrays, so NumPy's warnings are ignored where torsh's own modules cause them, and only there.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"torsh(_numpy)?(\.|$)")

__all__ = ["NumpyBackend"]
