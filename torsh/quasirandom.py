"""Sobol sequences: points that fill the unit cube evenly.

The direction numbers are S. Joe and F. Y. Kuo's (SIAM J. Sci. Comput. 30 (2008) 2635), as SciPy has them.
"""

from __future__ import annotations

from typing import Any

from torsh.tensor import Tensor


class SobolEngine:
    """Draws the points of a Sobol sequence, the same as PyTorch's, also scrambled with a seed.

    dimension: 1 to 21201.  scramble: change the order of the digits and shift the points, by random numbers of ``seed``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.quasirandom.SobolEngine.html

    >>> import torsh
    >>> torsh.quasirandom.SobolEngine(2).draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if dimension > self.MAXDIM or dimension < 1:
            raise ValueError(
                f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}], got {dimension}"
            )
        import numpy as np
        from scipy.stats import qmc

        self.seed = seed
        self.scramble = scramble
        self.dimension = dimension
        self._state = np.asarray(qmc.Sobol(dimension, scramble=False, bits=self.MAXBIT)._sv, np.int64)
        self._shift = np.zeros(dimension, np.int64)
        if scramble:
            self._scramble()
        self.reset()

    def _scramble(self) -> None:
        import numpy as np

        import torsh

        generator = torsh.Generator()
        if self.seed is not None:
            generator.manual_seed(self.seed)
        else:
            generator.seed()
        bits, dims = self.MAXBIT, self.dimension
        shift = torsh.randint(2, (dims, bits), generator=generator).numpy()
        self._shift = shift @ (1 << np.arange(bits, dtype=np.int64))
        lower = torsh.randint(2, (dims, bits, bits), generator=generator).tril().numpy()
        lower[:, np.arange(bits), np.arange(bits)] = 1
        # A product of bit matrices: row p of the triangle gives bit p (counted from the highest) of each direction number.
        digits = (
            self._state[:, :, None] >> np.arange(bits - 1, -1, -1)
        ) & 1  # (dimension, number, bit from the highest)
        mixed = np.einsum("dpk,djk->djp", lower, digits) & 1
        self._state = mixed @ (1 << np.arange(bits - 1, -1, -1, dtype=np.int64))

    def reset(self) -> SobolEngine:
        """Begin again with the first point."""
        self._point = self._shift.copy()
        self.num_generated = 0
        return self

    def _steps(self, n: int) -> Any:
        """The n points after the current one, as integers (n, dimension)."""
        import numpy as np

        at = np.arange(self.num_generated - 1, self.num_generated - 1 + n, dtype=np.int64)
        zero = np.log2(~at & (at + 1)).astype(np.int64)  # the lowest bit that is 0: the order of the Gray code
        moves = self._state[:, zero].T
        moves = np.concatenate([self._point[None], moves])
        points = np.bitwise_xor.accumulate(moves)[1:]
        if n:
            self._point = points[-1].copy()
        return points

    def draw(self, n: int = 1, out: Any = None, dtype: Any = None) -> Tensor:
        """The next ``n`` points (n, dimension)."""
        import numpy as np

        import torsh

        dtype = dtype or torsh.get_default_dtype()
        if self.num_generated == 0 and n:
            first = self._point[None].copy()
            self.num_generated = 1
            points = np.concatenate([first, self._steps(n - 1)])
            self.num_generated = 0
        else:
            points = self._steps(n)
        self.num_generated += n
        found = torsh.from_numpy(np.ascontiguousarray(points)).to(dtype) * 2.0**-self.MAXBIT
        return found if out is None else out.resize_(tuple(found.shape)).copy_(found)  # type: ignore[no-any-return]

    def draw_base2(self, m: int, out: Any = None, dtype: Any = None) -> Tensor:
        """The next ``2 ** m`` points; ValueError where the number drawn by then is no power of two."""
        n = 2**m
        total = self.num_generated + n
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: n={self.num_generated}+2**{m}={total}. "
                "If you still want to do this, please use 'SobolEngine.draw()' instead."
            )
        return self.draw(n, out=out, dtype=dtype)

    def fast_forward(self, n: int) -> SobolEngine:
        """Skip ``n`` points."""
        if n:
            self.draw(n)
        return self

    def __repr__(self) -> str:
        parts = [f"dimension={self.dimension}"]
        if self.scramble:
            parts.append("scramble=True")
        if self.seed is not None:
            parts.append(f"seed={self.seed}")
        return f"SobolEngine({', '.join(parts)})"
