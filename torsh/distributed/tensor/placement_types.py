"""How a tensor lies on the processes of a mesh's dimension: in parts, whole, or as terms of a sum.

Source: https://docs.pytorch.org/docs/stable/distributed.tensor.html
"""

from __future__ import annotations

import dataclasses


class Placement:
    """What placements have in common: questions about their kind.

    Source: https://docs.pytorch.org/docs/stable/distributed.tensor.html#torch.distributed.tensor.placement_types.Placement

    >>> from torsh.distributed.tensor import Replicate, Shard
    >>> Shard(0).is_shard(), Shard(0).is_shard(1), Replicate().is_replicate()
    (True, False, True)
    """

    __slots__ = ()

    def is_shard(self, dim: int | None = None) -> bool:
        """Whether processes have parts, cut along a dimension if one is given."""
        return isinstance(self, Shard) and dim in (None, self.dim)

    def is_replicate(self) -> bool:
        """Whether every process has all of it."""
        return isinstance(self, Replicate)

    def is_partial(self, reduce_op: str | None = None) -> bool:
        """Whether processes have terms that are still to be reduced, by an operation if one is given."""
        return isinstance(self, Partial) and reduce_op in (None, self.reduce_op)


@dataclasses.dataclass(frozen=True, slots=True)
class Shard(Placement):
    """Cut along the tensor's dimension ``dim``: every process has one part.

    Source: https://docs.pytorch.org/docs/stable/distributed.tensor.html#torch.distributed.tensor.placement_types.Shard

    >>> from torsh.distributed.tensor import Shard
    >>> Shard(1), str(Shard(1))
    (Shard(dim=1), 'S(1)')
    """

    dim: int

    def __post_init__(self) -> None:
        if not isinstance(self.dim, int):
            raise TypeError(f"Shard(dim): dim must be an int, the dimension that is cut, got {type(self.dim).__name__}")

    def __str__(self) -> str:
        return f"S({self.dim})"


@dataclasses.dataclass(frozen=True, slots=True)
class _StridedShard(Placement):
    """Cut along ``dim`` in ``split_factor`` rounds: what remains of two cuts along one dimension, the inner one first."""

    dim: int
    split_factor: int = dataclasses.field(kw_only=True)

    def __repr__(self) -> str:
        return f"_StridedShard(dim={self.dim}, sf={self.split_factor})"

    def __str__(self) -> str:
        return f"_S({self.dim}, {self.split_factor})"


@dataclasses.dataclass(frozen=True, slots=True)
class Replicate(Placement):
    """Every process has all of the tensor.

    Source: https://docs.pytorch.org/docs/stable/distributed.tensor.html#torch.distributed.tensor.placement_types.Replicate

    >>> from torsh.distributed.tensor import Replicate
    >>> Replicate(), str(Replicate())
    (Replicate(), 'R')
    """

    def __str__(self) -> str:
        return "R"


@dataclasses.dataclass(frozen=True, slots=True)
class Partial(Placement):
    """Every process has a term; the tensor is what ``reduce_op`` makes of them ("sum", "avg", "product", "max", "min").

    Source: https://docs.pytorch.org/docs/stable/distributed.tensor.html#torch.distributed.tensor.placement_types.Partial

    >>> from torsh.distributed.tensor import Partial
    >>> Partial(), str(Partial("avg"))
    (Partial(sum), 'P(avg)')
    """

    reduce_op: str = "sum"

    def __post_init__(self) -> None:
        if not isinstance(self.reduce_op, str):
            raise TypeError(
                f"Partial(reduce_op): reduce_op must be the name of an operation, got {type(self.reduce_op).__name__}"
            )

    def __repr__(self) -> str:
        return f"Partial({self.reduce_op})"

    def __str__(self) -> str:
        return f"P({self.reduce_op})"
