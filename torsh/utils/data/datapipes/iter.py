"""The steps of pipes that are iterated over."""

from __future__ import annotations

import collections
import copy
import fnmatch
import os
import random
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any

from torsh.utils.data.datapipes._base import DataChunk, IterDataPipe, functional_datapipe, named

__all__ = [
    "Batcher", "Collator", "Concater", "Demultiplexer", "FileLister", "FileOpener", "Filter", "Forker", "Grouper", "IterDataPipe",
    "IterableWrapper", "Mapper", "Multiplexer", "Sampler", "ShardingFilter", "Shuffler", "StreamReader", "UnBatcher", "Zipper",
]  # fmt: skip


def _length(source: Any) -> int:
    if isinstance(source, Sized):
        return len(source)
    raise TypeError(f"object of type '{type(source).__name__}' has no len()")


class IterableWrapper(IterDataPipe[Any]):
    """The elements of an iterable; ``deepcopy``: copied before each iteration, where they can be."""

    def __init__(self, iterable: Iterable[Any], deepcopy: bool = True) -> None:
        self.iterable = iterable
        self.deepcopy = deepcopy

    def __iter__(self) -> Iterator[Any]:
        source = self.iterable
        if self.deepcopy:
            try:
                source = copy.deepcopy(source)
            except TypeError:  # a generator, say
                pass
        yield from source

    def __len__(self) -> int:
        return _length(self.iterable)


@functional_datapipe("map")
class Mapper(IterDataPipe[Any]):
    """``fn`` of every element; input_col: of one or several of its members, output_col: where the result goes."""

    def __init__(self, datapipe: Any, fn: Callable[..., Any], input_col: Any = None, output_col: Any = None) -> None:
        if input_col is None and output_col is not None:
            raise ValueError("`output_col` must be None when `input_col` is None.")
        self.datapipe, self.fn, self.input_col, self.output_col = datapipe, fn, input_col, output_col

    def _apply(self, data: Any) -> Any:
        if self.input_col is None:
            return self.fn(data)
        columns = self.input_col if isinstance(self.input_col, (list, tuple)) else [self.input_col]
        found = self.fn(*[data[c] for c in columns])
        is_tuple = isinstance(data, tuple)
        changed = list(data) if is_tuple else data
        if self.output_col is None:
            changed[columns[0]] = found
            for c in sorted(columns[1:], reverse=True):
                del changed[c]
        elif self.output_col == -1:
            changed.append(found)
        else:
            changed[self.output_col] = found
        return tuple(changed) if is_tuple else changed

    def __iter__(self) -> Iterator[Any]:
        for data in self.datapipe:
            yield self._apply(data)

    def __len__(self) -> int:
        return _length(self.datapipe)


@functional_datapipe("collate")
class Collator(Mapper):
    """Batches as tensors, by ``default_collate`` or a function of one's own."""

    def __init__(self, datapipe: Any, conversion: Any = None, collate_fn: Any = None) -> None:
        from torsh.utils.data.dataloader import default_collate

        super().__init__(datapipe, collate_fn or (conversion if callable(conversion) else default_collate))


@functional_datapipe("filter")
class Filter(IterDataPipe[Any]):
    """The elements for which ``filter_fn`` (of one of their members: input_col) is true."""

    def __init__(self, datapipe: Any, filter_fn: Callable[..., Any], input_col: Any = None) -> None:
        self.datapipe, self.filter_fn, self.input_col = datapipe, filter_fn, input_col

    def __iter__(self) -> Iterator[Any]:
        for data in self.datapipe:
            columns = self.input_col if isinstance(self.input_col, (list, tuple)) else [self.input_col]
            kept = self.filter_fn(data) if self.input_col is None else self.filter_fn(*[data[c] for c in columns])
            if not isinstance(kept, bool) and not hasattr(kept, "item"):
                raise ValueError(f"Boolean output is required for `filter_fn` of FilterIterDataPipe, got {type(kept)}")
            if kept:
                yield data


@functional_datapipe("batch")
class Batcher(IterDataPipe[Any]):
    """Batches of ``batch_size`` elements; the last may be smaller unless ``drop_last``."""

    def __init__(self, datapipe: Any, batch_size: int, drop_last: bool = False, wrapper_class: Any = DataChunk) -> None:
        if batch_size <= 0:
            raise AssertionError("Batch size is required to be larger than 0!")
        self.datapipe, self.batch_size, self.drop_last, self.wrapper_class = (
            datapipe,
            batch_size,
            drop_last,
            wrapper_class,
        )

    def __iter__(self) -> Iterator[Any]:
        batch: list[Any] = []
        for x in self.datapipe:
            batch.append(x)
            if len(batch) == self.batch_size:
                yield self.wrapper_class(batch)
                batch = []
        if batch and not self.drop_last:
            yield self.wrapper_class(batch)

    def __len__(self) -> int:
        n = _length(self.datapipe)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


@functional_datapipe("unbatch")
class UnBatcher(IterDataPipe[Any]):
    """The elements of batches, ``unbatch_level`` levels deep (-1: all)."""

    def __init__(self, datapipe: Any, unbatch_level: int = 1) -> None:
        if unbatch_level < -1:
            raise ValueError("unbatch_level must be -1 or >= 0")
        self.datapipe, self.unbatch_level = datapipe, unbatch_level

    def _dive(self, element: Any, level: int) -> Iterator[Any]:
        is_batch = isinstance(element, (list, DataChunk))
        if level == 0 or (level == -1 and not is_batch):
            yield element
            return
        if not is_batch:
            raise IndexError(f"unbatch_level {self.unbatch_level} exceeds the depth of the DataPipe")
        for item in element:
            yield from self._dive(item, level if level == -1 else level - 1)

    def __iter__(self) -> Iterator[Any]:
        for element in self.datapipe:
            yield from self._dive(element, self.unbatch_level)


@functional_datapipe("groupby")
class Grouper(IterDataPipe[Any]):
    """Groups of the elements with the same ``group_key_fn``, each given out when it has ``group_size`` or the pipe ends.

    At most ``buffer_size`` elements are kept; when it is full, the largest group is given out (RuntimeError if it has fewer
    than ``guaranteed_group_size``, unless ``drop_remaining``).
    """

    def __init__(
        self, datapipe: Any, group_key_fn: Callable[[Any], Any], *, keep_key: bool = False, buffer_size: int = 10000,
        group_size: int | None = None, guaranteed_group_size: int | None = None, drop_remaining: bool = False,
    ) -> None:  # fmt: skip
        self.datapipe, self.group_key_fn, self.keep_key, self.buffer_size = (
            datapipe,
            group_key_fn,
            keep_key,
            buffer_size,
        )
        self.group_size, self.drop_remaining = group_size, drop_remaining
        self.guaranteed = (
            guaranteed_group_size
            if guaranteed_group_size is not None
            else group_size
            if group_size == buffer_size
            else None
        )

    def __iter__(self) -> Iterator[Any]:
        groups: dict[Any, list[Any]] = collections.defaultdict(list)
        kept = 0

        def give(key: Any) -> Any:
            found = DataChunk(groups.pop(key))
            return (key, found) if self.keep_key else found

        for x in self.datapipe:
            key = self.group_key_fn(x)
            groups[key].append(x)
            kept += 1
            if self.group_size is not None and len(groups[key]) == self.group_size:
                kept -= self.group_size
                yield give(key)
            if kept == self.buffer_size:
                largest = max(groups, key=lambda k: len(groups[k]))
                n = len(groups[largest])
                kept -= n
                if self.guaranteed is not None and n < self.guaranteed:
                    if not self.drop_remaining:
                        raise RuntimeError(
                            f"Failed to group items: the largest group has {n} of {self.guaranteed} guaranteed elements"
                        )
                    groups.pop(largest)
                else:
                    yield give(largest)
        for key in list(groups):
            if self.guaranteed is None or len(groups[key]) >= self.guaranteed or not self.drop_remaining:
                yield give(key)


@functional_datapipe("shuffle")
class Shuffler(IterDataPipe[Any]):
    """The elements in random order, drawn from a buffer of ``buffer_size``."""

    def __init__(self, datapipe: Any, *, buffer_size: int = 10000, unbatch_level: int = 0) -> None:
        if buffer_size <= 0:
            raise ValueError("buffer_size should be larger than 0")
        self.datapipe = datapipe if unbatch_level == 0 else datapipe.unbatch(unbatch_level=unbatch_level)
        self.buffer_size = buffer_size
        self._enabled = True
        self._seed: int | None = None

    def set_shuffle(self, shuffle: bool = True) -> Shuffler:
        """Turn shuffling on or off."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed: int) -> Shuffler:
        """Set the seed of the next iteration; without one it comes from torch's generator."""
        self._seed = seed
        return self

    def __iter__(self) -> Iterator[Any]:
        if not self._enabled:
            yield from self.datapipe
            return
        import torsh

        seed = int(torsh.empty((), dtype=torsh.int64).random_().item()) if self._seed is None else self._seed
        self._seed = None
        rng, buffer = random.Random(seed), []
        for x in self.datapipe:
            if len(buffer) == self.buffer_size:
                i = rng.randint(0, len(buffer) - 1)
                value, buffer[i] = buffer[i], x
                yield value
            else:
                buffer.append(x)
        while buffer:
            yield buffer.pop(rng.randint(0, len(buffer) - 1))

    def __len__(self) -> int:
        return _length(self.datapipe)


class Sampler(IterDataPipe[Any]):
    """Indices drawn by a sampler of the pipe's length."""

    def __init__(
        self, datapipe: Any, sampler: Any = None, sampler_args: Any = None, sampler_kwargs: Any = None
    ) -> None:
        from torsh.utils.data.sampler import SequentialSampler

        self.datapipe = datapipe
        self.sampler = (sampler or SequentialSampler)(
            *(sampler_args or ()), data_source=datapipe, **(sampler_kwargs or {})
        )

    def __iter__(self) -> Iterator[Any]:
        yield from self.sampler

    def __len__(self) -> int:
        return len(self.sampler)


@functional_datapipe("concat")
class Concater(IterDataPipe[Any]):
    """One pipe after the other."""

    def __init__(self, *datapipes: Any) -> None:
        if not datapipes:
            raise ValueError("Expected at least one DataPipe, but got nothing")
        if not all(isinstance(d, IterDataPipe) for d in datapipes):
            raise TypeError("Expected all inputs to be `IterDataPipe`")
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        for d in self.datapipes:
            yield from d

    def __len__(self) -> int:
        return sum(_length(d) for d in self.datapipes)


@functional_datapipe("zip")
class Zipper(IterDataPipe[Any]):
    """Tuples of one element of each pipe, as long as all have some."""

    def __init__(self, *datapipes: Any) -> None:
        if not all(isinstance(d, IterDataPipe) for d in datapipes):
            raise TypeError("All inputs are required to be `IterDataPipe` for `ZipIterDataPipe`.")
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        yield from zip(*self.datapipes)

    def __len__(self) -> int:
        return min(_length(d) for d in self.datapipes)


@functional_datapipe("mux")
class Multiplexer(IterDataPipe[Any]):
    """An element of each pipe in turn, until one has no more."""

    def __init__(self, *datapipes: Any) -> None:
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        for parts in zip(*self.datapipes):
            yield from parts

    def __len__(self) -> int:
        return min(_length(d) for d in self.datapipes) * len(self.datapipes)


class _Shared:
    """One source that several pipes read, with what some have read and others not yet."""

    def __init__(self, source: Any, n: int, buffer_size: int) -> None:
        self.source, self.n, self.buffer_size = source, n, buffer_size
        self.begin()

    def begin(self) -> None:
        self.iterator: Iterator[Any] | None = None
        self.queues: list[collections.deque[Any]] = [collections.deque() for _ in range(self.n)]
        self.started: set[int] = set()

    def join(self, i: int) -> None:
        if i in self.started:  # a pipe that begins again makes all begin again
            self.begin()
        self.started.add(i)
        if self.iterator is None:
            self.iterator = iter(self.source)

    def read(self, targets: Callable[[Any], list[int]]) -> bool:
        assert self.iterator is not None
        for x in self.iterator:
            for i in targets(x):
                self.queues[i].append(x)
            if self.buffer_size >= 0 and max(map(len, self.queues)) > self.buffer_size:
                raise BufferError(
                    f"a pipe is more than buffer_size={self.buffer_size} elements behind another; use a larger one, or -1"
                )
            return True
        return False


class _Child(IterDataPipe[Any]):
    def __init__(self, shared: _Shared, i: int, targets: Callable[[Any], list[int]], sized: bool) -> None:
        self.shared, self.i, self.targets, self.sized = shared, i, targets, sized

    def __iter__(self) -> Iterator[Any]:
        shared = self.shared
        shared.join(self.i)
        queue = shared.queues[self.i]
        while True:
            while queue:
                yield queue.popleft()
            if queue is not shared.queues[self.i]:
                raise RuntimeError(
                    "This iterator has been invalidated because another iterator has been created from the same pipe"
                )
            if not shared.read(self.targets) and not queue:
                return

    def __len__(self) -> int:
        if not self.sized:
            raise TypeError(f"object of type '{type(self).__name__}' has no len()")
        return _length(self.shared.source)


class _Several:
    def __init__(self, name: str, build: Callable[..., Any]) -> None:
        self.__name__ = self.__qualname__ = name
        self.__doc__ = build.__doc__
        self.build = build

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.build(*args, **kwargs)


def _fork(datapipe: Any, num_instances: int, buffer_size: int = 1000, copy: str | None = None) -> list[Any]:
    """Several pipes that all give every element; one may be ``buffer_size`` (-1: any number) ahead of the others."""
    if num_instances < 1:
        raise ValueError(f"Expected `num_instances` larger than 0, but {num_instances} is found")
    if num_instances == 1 and copy is None:
        return [datapipe]
    shared = _Shared(datapipe, num_instances, buffer_size)
    everyone = list(range(num_instances))
    children: list[Any] = [_Child(shared, i, lambda x: everyone, True) for i in everyone]
    if copy is None:
        return children
    if copy not in ("shallow", "deep"):
        raise ValueError(f"Unknown copy method `{copy}`: expected 'shallow' or 'deep'")
    import copy as copies

    return [Mapper(c, copies.copy if copy == "shallow" else copies.deepcopy) for c in children]


def _demux(
    datapipe: Any,
    num_instances: int,
    classifier_fn: Callable[[Any], Any],
    drop_none: bool = False,
    buffer_size: int = 1000,
) -> list[Any]:
    """Several pipes, to one of which each element goes: the one whose number ``classifier_fn`` gives."""
    if num_instances < 1:
        raise ValueError(f"Expected `num_instances` larger than 0, but {num_instances} is found")

    def target(x: Any) -> list[int]:
        i = classifier_fn(x)
        if i is None and drop_none:
            return []
        if i is None or not 0 <= i < num_instances:
            raise ValueError(
                f"Output of the classification fn should be between 0 and {num_instances - 1}. {i} is returned."
            )
        return [int(i)]

    shared = _Shared(datapipe, num_instances, buffer_size)
    return [_Child(shared, i, target, False) for i in range(num_instances)]


Forker, Demultiplexer = _Several("Forker", _fork), _Several("Demultiplexer", _demux)
IterDataPipe.register_function("fork", _fork)
IterDataPipe.register_function("demux", _demux)


@functional_datapipe("sharding_filter")
class ShardingFilter(IterDataPipe[Any]):
    """Of every ``num_of_instances`` elements the ``instance_id``-th; all, until ``apply_sharding`` says otherwise."""

    def __init__(self, source_datapipe: Any, sharding_group_filter: Any = None) -> None:
        self.source_datapipe = source_datapipe
        self.num_of_instances, self.instance_id = 1, 0

    def apply_sharding(self, num_of_instances: int, instance_id: int, sharding_group: Any = None) -> None:
        """Which shard this is.  Raises ValueError for an id that is not below the number."""
        if instance_id >= num_of_instances:
            raise ValueError(f"instance_id({instance_id}) should be smaller than num_of_instances({num_of_instances})")
        self.num_of_instances, self.instance_id = num_of_instances, instance_id

    def __iter__(self) -> Iterator[Any]:
        for i, x in enumerate(self.source_datapipe):
            if i % self.num_of_instances == self.instance_id:
                yield x

    def __len__(self) -> int:
        n = _length(self.source_datapipe)
        return n // self.num_of_instances + (self.instance_id < n % self.num_of_instances)


@functional_datapipe("list_files")
class FileLister(IterDataPipe[Any]):
    """The paths of the files in folders whose names match ``masks``."""

    def __init__(
        self,
        root: Any = ".",
        masks: Any = "",
        *,
        recursive: bool = False,
        abspath: bool = False,
        non_deterministic: bool = False,
        length: int = -1,
    ) -> None:
        self.roots = [root] if isinstance(root, (str, os.PathLike)) else root
        self.masks = [masks] if isinstance(masks, str) else list(masks)
        self.recursive, self.abspath, self.length = recursive, abspath, length

    def __iter__(self) -> Iterator[str]:
        for root in self.roots:
            for folder, folders, files in os.walk(root):
                folders.sort()
                for name in sorted(files):
                    if any(not m or fnmatch.fnmatch(name, m) for m in self.masks):
                        path = os.path.join(folder, name)
                        yield os.path.abspath(path) if self.abspath else path
                if not self.recursive:
                    break


@functional_datapipe("open_files")
class FileOpener(IterDataPipe[Any]):
    """(path, open file) of every path."""

    def __init__(self, datapipe: Any, mode: str = "r", encoding: str | None = None, length: int = -1) -> None:
        self.datapipe, self.mode, self.encoding, self.length = datapipe, mode, encoding, length

    def __iter__(self) -> Iterator[Any]:
        for path in self.datapipe:
            yield path, open(path, self.mode, encoding=self.encoding)  # noqa: SIM115

    def __len__(self) -> int:
        return _length(self.datapipe)


@functional_datapipe("read_from_stream")
class StreamReader(IterDataPipe[Any]):
    """(name, bytes) of every (name, open file): the whole contents, or ``chunk`` bytes at a time."""

    def __init__(self, datapipe: Any, chunk: int | None = None) -> None:
        self.datapipe, self.chunk = datapipe, chunk

    def __iter__(self) -> Iterator[Any]:
        for name, stream in self.datapipe:
            while data := stream.read(-1 if self.chunk is None else self.chunk):
                yield name, data
            stream.close()


named(globals(), [n for n in __all__ if n != "IterDataPipe"], "IterDataPipe")
