"""Starting, and what processes do together: ``init_process_group``, ``all_reduce``, ``broadcast``, ...

Source: https://docs.pytorch.org/docs/stable/distributed.html
"""

from __future__ import annotations

import atexit
import os
import pickle
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlparse

from torsh.autograd.grad_mode import no_grad
from torsh.distributed._group import ProcessGroup, ReduceOp, Work, packed, reduced, unpacked
from torsh.distributed._store import FileStore, PrefixStore, Store, TCPStore
from torsh.tensor import Tensor

default_pg_timeout = timedelta(minutes=30)
_NOT_STARTED = "Default process group has not been initialized, please make sure to call init_process_group."


class Backend(str):
    """The name of what carries the exchange, in small letters.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.Backend

    >>> import torsh
    >>> torsh.distributed.Backend("GLOO")
    'gloo'
    """

    UNDEFINED, GLOO, NCCL, UCC, MPI, XCCL, FAKE = "undefined", "gloo", "nccl", "ucc", "mpi", "xccl", "fake"
    backend_list = [UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI, FAKE]

    def __new__(cls, name: str) -> Any:
        if not isinstance(name, str):
            raise ValueError(f"Backend constructor parameter must be string-ish: {name}")
        return str(getattr(Backend, name.upper(), name.lower()))


class GroupMember:
    """``GroupMember.WORLD`` is the group of all processes, None before ``init_process_group``.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#groups

    >>> import torsh
    >>> torsh.distributed.GroupMember.NON_GROUP_MEMBER
    -100
    """

    NON_GROUP_MEMBER = -100
    WORLD: ProcessGroup | None = None


class _World(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:
        return GroupMember.WORLD


class group(metaclass=_World):
    """``group.WORLD``: the group of all processes.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#groups

    >>> import torsh
    >>> torsh.distributed.group.WORLD is None  # not started
    True
    """


class _Started:
    """What ``init_process_group`` leaves behind."""

    groups = 0
    store: Store | None = None
    served: TCPStore | None = None


# ---- starting and stopping -----------------------------------------------------------------------------------------------


def is_available() -> bool:
    """True: processes can work together (over TCP or a shared file).

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.is_available

    >>> import torsh
    >>> torsh.distributed.is_available()
    True
    """
    return True


def is_initialized() -> bool:
    """Whether ``init_process_group`` has been called.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.is_initialized

    >>> import torsh
    >>> torsh.distributed.is_initialized()
    False
    """
    return GroupMember.WORLD is not None


def is_gloo_available() -> bool:
    """True: "gloo" is the name under which torsh's processes exchange.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.is_gloo_available

    >>> import torsh
    >>> torsh.distributed.is_gloo_available()
    True
    """
    return True


def is_nccl_available() -> bool:
    """False: there is no NCCL in torsh.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.is_nccl_available

    >>> import torsh
    >>> torsh.distributed.is_nccl_available()
    False
    """
    return False


is_mpi_available = is_ucc_available = is_xccl_available = is_nccl_available


def is_backend_available(backend: str) -> bool:
    """Whether a backend of this name can be used.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.is_backend_available

    >>> import torsh
    >>> torsh.distributed.is_backend_available("gloo")
    True
    """
    return backend.lower() == "gloo"


def is_torchelastic_launched() -> bool:
    """Whether a launcher (``torchrun``) started this process.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.is_torchelastic_launched

    >>> import torsh
    >>> torsh.distributed.is_torchelastic_launched()
    False
    """
    return os.environ.get("TORCHELASTIC_RUN_ID") is not None


def _check_backend(backend: str | None) -> None:
    """RuntimeError for a backend that torsh does not have, in PyTorch's words."""
    for part in (backend or "gloo").lower().split(","):
        name = part.rpartition(":")[2]
        if name in ("nccl", "mpi", "ucc", "xccl"):
            raise RuntimeError(f"Distributed package doesn't have {name.upper()} built in; use 'gloo'")
        if name not in ("gloo", "undefined"):
            raise ValueError(f"Unknown backend type {name}; use 'gloo'")


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ValueError(
            f"Error initializing torch.distributed using env:// rendezvous: environment variable {name} expected, but not set"
        )
    return value


def _rendezvous(url: str, rank: int, world_size: int, timeout: timedelta) -> tuple[Store, int, int]:
    """Where the processes of a URL meet: (store, rank, number of processes)."""
    parsed = urlparse(url)
    query = {k: v[-1] for k, v in parse_qs(parsed.query).items()}
    if parsed.scheme == "env":
        rank = int(query.get("rank", rank if rank >= 0 else _from_environment("RANK")))
        world_size = int(query.get("world_size", world_size if world_size >= 0 else _from_environment("WORLD_SIZE")))
        host, port = _from_environment("MASTER_ADDR"), int(_from_environment("MASTER_PORT"))
    else:
        rank, world_size = int(query.get("rank", rank)), int(query.get("world_size", world_size))
        for name, value in (("rank", rank), ("world size", world_size)):
            if value < 0:
                raise ValueError(
                    f"Error initializing torch.distributed using {parsed.scheme}:// rendezvous: {name} parameter missing"
                )
        if parsed.scheme == "file":
            return FileStore(parsed.path, world_size), rank, world_size
        if parsed.scheme != "tcp":
            raise RuntimeError(f"No rendezvous handler for {parsed.scheme}://")
        if parsed.port is None or parsed.hostname is None:
            raise ValueError("Error initializing torch.distributed using tcp:// rendezvous: port number missing")
        host, port = parsed.hostname, parsed.port
    _Started.served = TCPStore(host, port, world_size, rank == 0, timeout)
    return _Started.served, rank, world_size


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: timedelta | None = None,
    world_size: int = -1,
    rank: int = -1,
    store: Store | None = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
    _ranks: Any = None,
) -> None:
    """Meet the other processes, and make the group of all of them.

    init_method: ``env://`` (the default: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT tell), ``tcp://host:port`` or
    ``file:///path``; or give a store.  backend: "gloo" (or None).  Raises ValueError if it was called before.
    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.init_process_group

    >>> import torsh
    >>> from torsh import distributed as dist
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> dist.get_rank(), dist.get_world_size()
    (0, 1)
    >>> dist.destroy_process_group()
    """
    if GroupMember.WORLD is not None:
        raise ValueError("trying to initialize the default process group twice!")
    if store is not None and init_method is not None:
        raise AssertionError("Cannot specify both init_method and store.")
    _check_backend(backend)
    wait = default_pg_timeout if timeout is None else timeout
    if not isinstance(wait, timedelta):
        raise TypeError(f"Expected timeout argument to be of type datetime.timedelta, got {timeout}")
    if store is not None:
        if world_size <= 0:
            raise AssertionError("world_size must be positive if using store")
        if rank < 0:
            raise AssertionError("rank must be non-negative if using store")
    else:
        store, rank, world_size = _rendezvous(init_method or "env://", rank, world_size, wait)
    _Started.store, _Started.groups = PrefixStore("default_pg", store), 0
    GroupMember.WORLD = ProcessGroup(_Started.store, rank, world_size, timeout=wait)
    atexit.register(_leave)


def _leave() -> None:
    """Let go of the store; who serves it waits for the others first."""
    served, _Started.served, _Started.store, GroupMember.WORLD = _Started.served, None, None, None
    if served is not None:
        served.close()


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """End a group, by default the group of all processes and with it all others.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.destroy_process_group
    """
    if group is None and GroupMember.WORLD is None:
        raise AssertionError("Process group cannot be None")
    if group is None or group is GroupMember.WORLD:
        _leave()
        atexit.unregister(_leave)


def _group(group: Any) -> ProcessGroup:
    if group is None:
        if GroupMember.WORLD is None:
            raise ValueError(_NOT_STARTED)
        return GroupMember.WORLD
    if not isinstance(group, ProcessGroup):
        raise ValueError("Invalid process group specified: this process is not in it" if group == GroupMember.NON_GROUP_MEMBER
                         else f"Invalid process group specified: {group!r}")  # fmt: skip
    return group


def get_rank(group: Any = None) -> int:
    """This process's number in a group, -1 if it is not in it.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.get_rank
    """
    return -1 if group == GroupMember.NON_GROUP_MEMBER else _group(group).rank()


def get_world_size(group: Any = None) -> int:
    """How many processes a group has, -1 if this one is not in it.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.get_world_size
    """
    return -1 if group == GroupMember.NON_GROUP_MEMBER else _group(group).size()


def get_backend(group: Any = None) -> str:
    """The name of what carries a group's exchange.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.get_backend
    """
    return _group(group).name()


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """This process's number on its machine, as the launcher tells in LOCAL_RANK.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.get_node_local_rank
    """
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is None:
        raise RuntimeError(
            "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow `get_node_local_rank` to work, "
            "assuming you are not running in a multi-device context and want the code to run locally instead."
        )
    return int(fallback_rank)


def get_process_group_ranks(group: Any) -> list[int]:
    """The numbers that a group's processes have among all.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.get_process_group_ranks
    """
    return list(_group(group).ranks)


def get_group_rank(group: Any, global_rank: int) -> int:
    """The number in a group of a process given by its number among all.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.get_group_rank
    """
    ranks = _group(group).ranks
    if global_rank not in ranks:
        raise ValueError(f"Global rank {global_rank} is not part of group {group}")
    return ranks.index(global_rank)


def get_global_rank(group: Any, group_rank: int) -> int:
    """The number among all of a process given by its number in a group.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.get_global_rank
    """
    ranks = _group(group).ranks
    if not 0 <= group_rank < len(ranks):
        raise ValueError(f"Group rank {group_rank} is not part of group {group}")
    return ranks[group_rank]


def new_group(
    ranks: Sequence[int] | None = None, timeout: timedelta | None = None, backend: str | None = None, pg_options: Any = None,
    use_local_synchronization: bool = False, group_desc: str | None = None, device_id: Any = None, sort_ranks: bool = True,
) -> Any:  # fmt: skip
    """A group of some of the processes.  All processes must call it, also those that will not be in it.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.new_group
    """
    world = _group(None)
    _check_backend(backend)
    _Started.groups += 1
    chosen = list(range(world.size())) if ranks is None else sorted(ranks) if sort_ranks else list(ranks)
    if len(set(chosen)) != len(chosen) or any(not 0 <= r < world.size() for r in chosen):
        raise ValueError(
            f"The new group's rank should be within the world_size set by init_process_group, each once; got {chosen}"
        )
    if world.rank() not in chosen:
        return GroupMember.NON_GROUP_MEMBER
    assert _Started.store is not None
    return ProcessGroup(
        _Started.store,
        chosen.index(world.rank()),
        len(chosen),
        chosen,
        f"group{_Started.groups}",
        timeout or world.timeout,
    )


def new_subgroups(
    group_size: int | None = None, group: Any = None, timeout: timedelta | None = None, backend: str | None = None,
    pg_options: Any = None, group_desc: str | None = None,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """Groups of ``group_size`` processes in a row: (this process's, all).

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.new_subgroups
    """
    size = _group(None).size()
    n = size if group_size is None else group_size
    if n <= 0 or size % n:
        raise ValueError(f"The world size ({size}) must be divisible by group_size={n}")
    groups = [new_group(range(start, start + n), timeout, backend) for start in range(0, size, n)]
    return groups[_group(None).rank() // n], groups


# ---- together ------------------------------------------------------------------------------------------------------------


def _tensors(values: Any, name: str) -> None:
    for value in values if isinstance(values, (list, tuple)) else [values]:
        if not isinstance(value, Tensor):
            raise TypeError(
                f"Invalid function argument. Expected parameter `{name}` to be of type torch.Tensor, got {type(value)}"
            )


def _not_here(group: Any) -> bool:
    """Whether this process is not in the group, so that there is nothing for it to do."""
    return group is not None and not isinstance(group, ProcessGroup) and group == GroupMember.NON_GROUP_MEMBER


def _number(g: ProcessGroup, rank: int | None, group_rank: int | None, default: int | None = 0) -> int:
    """A process's number in a group, from its number among all or in the group."""
    if group_rank is not None:
        if rank is not None:
            raise ValueError("Can't specify both group_src/group_dst and src/dst")
        return group_rank
    if rank is None:
        rank = g.ranks[default] if default is not None else -1
    if rank not in g.ranks:
        raise ValueError(f"Global rank {rank} is not part of group {g}")
    return g.ranks.index(rank)


def _write(target: Tensor, data: bytes | Tensor) -> None:
    value = data if isinstance(data, Tensor) else unpacked(data, target.device)
    if value.numel() != target.numel() or value.dtype is not target.dtype:
        raise RuntimeError(
            f"a tensor of shape {tuple(value.shape)} and {value.dtype} came for one of shape {tuple(target.shape)} and {target.dtype}: "
            "processes must call with tensors of the same size and type"
        )
    with no_grad():
        target.copy_(value.reshape(target.shape))


def _done(result: Any, async_op: bool) -> Work | None:
    return Work(result=result) if async_op else None


def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """Replace every process's tensor by all of them joined (added up, by default).

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.all_reduce

    >>> from torsh import distributed as dist, ones
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> x = ones(2)
    >>> dist.all_reduce(x)
    >>> x
    tensor([1., 1.])
    >>> dist.destroy_process_group()
    """
    _tensors(tensor, "tensor")
    if _not_here(group):
        return None
    parts = _group(group).exchange(packed(tensor))
    _write(tensor, reduced([unpacked(p, tensor.device) for p in parts], op))
    return _done([tensor], async_op)


def all_reduce_coalesced(
    tensors: Sequence[Tensor], op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """:func:`all_reduce` of several tensors.

    Source: https://docs.pytorch.org/docs/stable/distributed.html
    """
    for t in tensors:
        all_reduce(t, op, group)
    return _done(list(tensors), async_op)


def reduce(
    tensor: Tensor,
    dst: int | None = None,
    op: Any = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:
    """Like :func:`all_reduce`, but only one process's tensor is replaced.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.reduce
    """
    _tensors(tensor, "tensor")
    if _not_here(group):
        return None
    g = _group(group)
    target = _number(g, dst, group_dst)
    parts = g.exchange(packed(tensor))
    if g.rank() == target:
        _write(tensor, reduced([unpacked(p, tensor.device) for p in parts], op))
    return _done([tensor], async_op)


def broadcast(
    tensor: Tensor, src: int | None = None, group: Any = None, async_op: bool = False, group_src: int | None = None
) -> Work | None:
    """Replace every process's tensor by that of one.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.broadcast
    """
    _tensors(tensor, "tensor")
    if _not_here(group):
        return None
    g = _group(group)
    source = _number(g, src, group_src)
    found = g.spread(packed(tensor) if g.rank() == source else None, source)
    if g.rank() != source:
        _write(tensor, found)
    return _done([tensor], async_op)


def all_gather(tensor_list: Sequence[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Every process's tensor, written into the tensors of a list in order of rank.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.all_gather
    """
    _tensors(tensor_list, "tensor_list")
    _tensors(tensor, "tensor")
    if _not_here(group):
        return None
    g = _group(group)
    if len(tensor_list) != g.size():
        raise ValueError(
            f"ProcessGroupGloo::allgather: invalid output tensor list at index 0 (expected length {g.size()}, got {len(tensor_list)})"
        )
    for target, data in zip(tensor_list, g.exchange(packed(tensor))):
        _write(target, data)
    return _done(list(tensor_list), async_op)


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Every process's tensor, one after the other in one tensor.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.all_gather_into_tensor
    """
    import torsh

    if _not_here(group):
        return None
    parts = [unpacked(p, output_tensor.device).reshape(-1) for p in _group(group).exchange(packed(input_tensor))]
    _write(output_tensor, torsh.cat(parts))
    return _done(output_tensor, async_op)


_all_gather_base = all_gather_into_tensor


def reduce_scatter(
    output: Tensor, input_list: Sequence[Tensor], op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Join the processes' lists element by element; each process gets the element of its number.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.reduce_scatter
    """
    if _not_here(group):
        return None
    parts = _group(group).swap([packed(t) for t in input_list])
    _write(output, reduced([unpacked(p, output.device) for p in parts], op))
    return _done(output, async_op)


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """:func:`reduce_scatter` of one tensor cut into equal parts.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.reduce_scatter_tensor
    """
    if _not_here(group):
        return None
    return reduce_scatter(output, input.reshape(-1).chunk(_group(group).size()), op, group, async_op)


def all_to_all(
    output_tensor_list: Sequence[Tensor], input_tensor_list: Sequence[Tensor], group: Any = None, async_op: bool = False
) -> Work | None:
    """Every process has a tensor for each; each gets those for it, in order of rank.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.all_to_all
    """
    if _not_here(group):
        return None
    for target, data in zip(
        output_tensor_list, _group(group).swap([packed(t) for t in input_tensor_list]), strict=True
    ):
        _write(target, data)
    return _done(list(output_tensor_list), async_op)


def all_to_all_single(
    output: Tensor, input: Tensor, output_split_sizes: Sequence[int] | None = None, input_split_sizes: Sequence[int] | None = None,
    group: Any = None, async_op: bool = False,
) -> Work | None:  # fmt: skip
    """:func:`all_to_all` of parts of one tensor, cut along its first dimension (equally, if no sizes are given).

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.all_to_all_single
    """
    import torsh

    if _not_here(group):
        return None
    g = _group(group)
    parts = input.split(list(input_split_sizes)) if input_split_sizes else input.chunk(g.size())
    _write(output, torsh.cat([unpacked(p, output.device) for p in g.swap([packed(p) for p in parts])]))
    return _done(output, async_op)


def gather(
    tensor: Tensor, gather_list: Sequence[Tensor] | None = None, dst: int | None = None, group: Any = None, async_op: bool = False,
    group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Every process's tensor, written into the list of one process.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.gather
    """
    if _not_here(group):
        return None
    g = _group(group)
    target = _number(g, dst, group_dst)
    if g.rank() == target and not gather_list:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    if g.rank() != target and gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")
    for own, data in zip(gather_list or [], g.exchange(packed(tensor))):
        _write(own, data)
    return _done(gather_list, async_op)


def scatter(
    tensor: Tensor, scatter_list: Sequence[Tensor] | None = None, src: int | None = None, group: Any = None, async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """One process has a list of tensors; each process gets the one of its number.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.scatter
    """
    if _not_here(group):
        return None
    g = _group(group)
    source = _number(g, src, group_src)
    if g.rank() == source and not scatter_list:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    if g.rank() != source and scatter_list:
        raise ValueError("Argument ``scatter_list`` must NOT be specified on non-source ranks.")
    _write(tensor, g.hand_out([packed(t) for t in scatter_list] if scatter_list else None, source))
    return _done(tensor, async_op)


def barrier(
    group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: timedelta | None = None
) -> Work | None:
    """Wait until all processes of the group are here.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.barrier
    """
    if _not_here(group):
        return None
    _group(group).exchange(b"")
    return _done(None, async_op)


def monitored_barrier(group: Any = None, timeout: timedelta | None = None, wait_all_ranks: bool = False) -> None:
    """:func:`barrier`.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.monitored_barrier
    """
    barrier(group)


# ---- objects (pickled: only among processes that trust each other) ---------------------------------------------------------


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Every process's object, in a list in order of rank.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.all_gather_object
    """
    if not _not_here(group):
        object_list[:] = [pickle.loads(p) for p in _group(group).exchange(pickle.dumps(obj))]


def gather_object(
    obj: Any,
    object_gather_list: list[Any] | None = None,
    dst: int | None = None,
    group: Any = None,
    group_dst: int | None = None,
) -> None:
    """Every process's object, in a list of one process.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.gather_object
    """
    if _not_here(group):
        return
    g = _group(group)
    found = g.exchange(pickle.dumps(obj))
    if g.rank() == _number(g, dst, group_dst):
        if object_gather_list is None:
            raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
        object_gather_list[:] = [pickle.loads(p) for p in found]


def broadcast_object_list(
    object_list: list[Any], src: int | None = None, group: Any = None, device: Any = None, group_src: int | None = None
) -> None:
    """Replace the objects in every process's list by those of one process.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.broadcast_object_list
    """
    if _not_here(group):
        return
    g = _group(group)
    source = _number(g, src, group_src)
    found = g.spread(pickle.dumps(list(object_list)) if g.rank() == source else None, source)
    if g.rank() != source:
        object_list[:] = pickle.loads(found)


def scatter_object_list(
    scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None, src: int | None = None,
    group: Any = None, group_src: int | None = None,
) -> None:  # fmt: skip
    """One process has a list of objects; each process's list gets the one of its number as its first element.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.scatter_object_list
    """
    if _not_here(group):
        return
    g = _group(group)
    source = _number(g, src, group_src)
    parts = [pickle.dumps(o) for o in scatter_object_input_list or []] if g.rank() == source else None
    scatter_object_output_list[0] = pickle.loads(g.hand_out(parts, source))


# ---- from one to another -------------------------------------------------------------------------------------------------


def send(tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None) -> None:
    """Send a tensor to one process.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.send
    """
    isend(tensor, dst, group, tag, group_dst)


def isend(
    tensor: Tensor, dst: int | None = None, group: Any = None, tag: int = 0, group_dst: int | None = None
) -> Work | None:
    """:func:`send` without waiting.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.isend
    """
    _tensors(tensor, "tensor")
    if _not_here(group):
        return None
    g = _group(group)
    target = _number(g, dst, group_dst, None)
    if target == g.rank():
        raise ValueError(
            "Invalid destination rank: destination rank should not be the same as the rank of the current process."
        )
    g.send(packed(tensor), target, tag)
    return Work(result=[tensor])


def recv(tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None) -> int:
    """Wait for a tensor from a process; gives that process's number.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.recv
    """
    if _not_here(group):
        return -1
    work = irecv(tensor, src, group, tag, group_src)
    assert work is not None
    work.wait()
    g = _group(group)
    return g.ranks[_number(g, src, group_src, None)]


def irecv(
    tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0, group_src: int | None = None
) -> Work | None:
    """:func:`recv`, which waits only when it is asked to.  The source must be named.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.irecv
    """
    _tensors(tensor, "tensor")
    if _not_here(group):
        return None
    g = _group(group)
    if src is None and group_src is None:
        raise NotImplementedError("receiving from whichever process sends first is not in torsh yet: name it with src")
    source = _number(g, src, group_src, None)
    return Work(lambda: _write(tensor, g.receive(source, tag)), [tensor])


class P2POp:
    """A send or a receive for :func:`batch_isend_irecv`.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.P2POp

    >>> from torsh import distributed as dist, ones
    >>> dist.P2POp(dist.isend, ones(1), 1).peer
    1
    """

    def __init__(
        self,
        op: Callable[..., Any],
        tensor: Tensor,
        peer: int | None = None,
        group: Any = None,
        tag: int = 0,
        group_peer: int | None = None,
    ) -> None:
        if op not in (isend, irecv):
            raise RuntimeError(
                "Invalid ``op``. Expected ``op`` to be of type ``torch.distributed.isend`` or ``torch.distributed.irecv``."
            )
        self.op, self.tensor, self.peer, self.group, self.tag, self.group_peer = (
            op,
            tensor,
            peer,
            group,
            tag,
            group_peer,
        )


def batch_isend_irecv(p2p_op_list: Sequence[P2POp]) -> list[Work]:
    """Start several sends and receives.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.batch_isend_irecv
    """
    return [p.op(p.tensor, p.peer, p.group, p.tag, p.group_peer) for p in p2p_op_list]


def _get_default_group() -> ProcessGroup:
    """The group of all processes."""
    return _group(None)


__all__ = [
    "Backend", "GroupMember", "P2POp", "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce",
    "all_reduce_coalesced", "all_to_all", "all_to_all_single", "barrier", "batch_isend_irecv", "broadcast",
    "broadcast_object_list", "default_pg_timeout", "destroy_process_group", "gather", "gather_object", "get_backend",
    "get_global_rank", "get_group_rank", "get_node_local_rank", "get_process_group_ranks", "get_rank", "get_world_size", "group",
    "init_process_group", "irecv", "is_available", "is_backend_available", "is_gloo_available", "is_initialized",
    "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "is_ucc_available", "is_xccl_available", "isend",
    "monitored_barrier", "new_group", "new_subgroups", "recv", "reduce", "reduce_scatter", "reduce_scatter_tensor", "scatter",
    "scatter_object_list", "send",
]  # fmt: skip
