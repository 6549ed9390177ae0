"""The loader: batches of a dataset, made here or in worker processes.

Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
"""

from __future__ import annotations

import functools
import itertools
import math
import multiprocessing
import multiprocessing.context
import os
import pickle
import queue
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from torsh._callers import warn
from torsh.utils.data._utils import worker as _worker
from torsh.utils.data._utils.collate import default_collate, default_convert
from torsh.utils.data._utils.worker import Ended, ExceptionWrapper, Fetcher, Resume
from torsh.utils.data.dataset import Dataset, IterableDataset, Subset, TensorDataset
from torsh.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

T_co = TypeVar("T_co", covariant=True)
_collate_fn_t = Callable[[list[Any]], Any]
_worker_init_fn_t = Callable[[int], None]
get_worker_info = _worker.get_worker_info

# How long to wait for a batch before looking whether the workers are alive, in seconds.
STATUS_INTERVAL = 5.0


class _DatasetKind:
    Map = 0
    Iterable = 1


class _InfiniteConstantSampler(Sampler[Any]):
    """None for ever: an iterable dataset is asked for its next sample, not for a certain one."""

    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(None)


def _rows_at_once(dataset: Any, collate_fn: Any) -> Callable[[list[int]], list[Any]] | None:
    """A function from indices to the batch that collating single rows of a TensorDataset would give, or None.

    One indexing per tensor instead of one per row and a stack.
    """
    if collate_fn is not default_collate:
        return None
    numbers = None
    if type(dataset) is Subset:
        numbers, dataset = dataset.indices, dataset.dataset
    if type(dataset) is not TensorDataset or not all(t.dim() for t in dataset.tensors):
        return None
    import torsh

    def rows(indices: list[int]) -> list[Any]:
        if numbers is not None:
            indices = [numbers[i] for i in indices]
        at = torsh.tensor(indices)
        found = []
        for t in dataset.tensors:
            found.append(t[at if t.device == at.device else at.to(t.device)])
        return found

    return rows


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches.

    shuffle: a new random order every epoch.  num_workers: processes that load batches, 0 for none.  collate_fn: makes a
    batch of a list of samples.  generator: the source of random orders and of workers' seeds.
    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader

    >>> import torsh
    >>> from torsh.utils.data import DataLoader, TensorDataset
    >>> data = TensorDataset(torsh.arange(5.), torsh.arange(5))
    >>> for x, y in DataLoader(data, batch_size=2):
    ...     print(x, y)
    tensor([0., 1.]) tensor([0, 1])
    tensor([2., 3.]) tensor([2, 3])
    tensor([4.]) tensor([4])
    """

    _fixed = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})
    _ready = False

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: _collate_fn_t | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: _worker_init_fn_t | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
                "multiprocessing, otherwise set prefetch_factor to None."
            )
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        elif prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        iterable = isinstance(dataset, IterableDataset)
        self._dataset_kind = _DatasetKind.Iterable if iterable else _DatasetKind.Map
        if iterable:
            for name, value, bad in (
                ("shuffle", shuffle, shuffle not in {False, None}),
                ("sampler", sampler, sampler is not None),
                ("batch_sampler", batch_sampler, batch_sampler is not None),
            ):
                if bad:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
            drop_last = False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if iterable:
                sampler = _InfiniteConstantSampler()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self._IterableDataset_len_called: int | None = None
        self._iterator: Any = None
        self.check_worker_number_rationality()
        self._ready = True

    # ---- what it is made of

    @property
    def multiprocessing_context(self) -> Any:
        """How workers are started: a context of ``multiprocessing``, or None for the default."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            if isinstance(context, str):
                valid = multiprocessing.get_all_start_methods()
                if context not in valid:
                    raise ValueError(
                        f"multiprocessing_context option should specify a valid start method in {valid!r}, but got "
                        f"multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the start "
                    f"method, but got multiprocessing_context={context}"
                )
        self._context = context

    def __setattr__(self, attr: str, val: Any) -> None:
        if self._ready and attr in self._fixed:
            raise ValueError(f"{attr} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(attr, val)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def _get_iterator(self) -> Any:
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    def __iter__(self) -> Any:
        if not (self.persistent_workers and self.num_workers > 0):
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator

    def __len__(self) -> int:
        if self._dataset_kind != _DatasetKind.Iterable:
            return len(self._index_sampler)
        # Kept, so that an iterator can warn if the dataset gives more than it said.
        length = self._IterableDataset_len_called = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn about more workers than there are processors."""
        if not self.num_workers:
            return
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if available is not None and self.num_workers <= available:
            return
        warnings.warn(
            f"This DataLoader will create {self.num_workers} worker processes in total. Our suggested max number of worker in "
            f"current system is {available}, which is smaller than what this DataLoader is going to create. Please be aware "
            "that excessive worker creation might get DataLoader running slow or even freeze, lower the worker number to "
            "avoid potential slowness/freeze if necessary.",
            stacklevel=2,
        )


def _warn_about_pinning(loader: DataLoader[Any]) -> None:
    import torsh

    if loader.pin_memory_device:
        warn(
            "pin_memory_device is deprecated, the current accelerator will be used as the device,ignore "
            f"pin_memory_device='{loader.pin_memory_device}'."
        )
    if not torsh.accelerator.is_available():
        warn(
            "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be used."
        )


class _BaseDataLoaderIter:
    """One pass over a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        if loader.pin_memory:
            _warn_about_pinning(loader)
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        self._auto_collation = loader._auto_collation
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._timeout = loader.timeout
        self._sampler_iter = iter(self._index_sampler)
        # Drawn also where there are no workers: the random stream must not depend on their number.
        self._base_seed = draw_seed(loader.generator)
        self._persistent_workers = loader.persistent_workers
        self._num_yielded = 0
        iterable = self._dataset_kind == _DatasetKind.Iterable
        at_once = None if iterable or not self._auto_collation else _rows_at_once(loader.dataset, loader.collate_fn)
        self._make_fetcher = functools.partial(
            _make_fetcher, loader.dataset, iterable, self._auto_collation, loader.collate_fn, loader.drop_last
        )
        self._at_once = at_once

    def __iter__(self) -> Any:
        return self

    def _reset(self, loader: DataLoader[Any], first_iter: bool = False) -> None:
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def _next_index(self) -> Any:
        return next(self._sampler_iter)

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        said = self._IterableDataset_len_called
        if said is not None and self._dataset_kind == _DatasetKind.Iterable and self._num_yielded > said:
            message = (
                f"Length of IterableDataset {self._dataset} was reported to be {said}(when accessing len(dataloader)), but "
                f"{self._num_yielded} samples have been fetched. "
            )
            if self._num_workers > 0:
                message += (
                    "For multiprocessing data-loading, this could be caused by not properly configuring the IterableDataset "
                    "replica at each worker."
                )
            warnings.warn(message, stacklevel=2)
        return data

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")


def _make_fetcher(dataset: Any, iterable: bool, batched: bool, collate_fn: Any, drop_last: bool) -> Fetcher:
    at_once = _rows_at_once(dataset, collate_fn) if batched and not iterable else None
    return Fetcher(dataset, iterable, batched, collate_fn, drop_last, at_once)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._dataset_fetcher = self._make_fetcher()

    def _next_data(self) -> Any:
        return self._dataset_fetcher.fetch(next(self._sampler_iter))


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Hands out index lists to workers in turn and gives their batches back in order.

    ``_tasks`` maps the number of every task under way to its worker, ``_arrived`` to its batch once it is there.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._prefetch = loader.prefetch_factor or 0
        self._in_order = loader.in_order
        context: Any = loader.multiprocessing_context or multiprocessing
        self._data_queue = context.Queue()
        self._index_queues: list[Any] = []
        self._workers: list[Any] = []
        self._shut = False
        for i in range(self._num_workers):
            index_queue = context.Queue()
            # A queue must not keep the interpreter from ending while it has data nobody wants.
            index_queue.cancel_join_thread()
            worker = context.Process(
                target=_worker.run,
                args=(
                    self._make_fetcher, self._dataset, index_queue, self._data_queue, self._base_seed, loader.worker_init_fn, i,
                    self._num_workers,
                ),
                daemon=True,
            )  # fmt: skip
            worker.start()
            self._index_queues.append(index_queue)
            self._workers.append(worker)
        self._reset(loader, first_iter=True)

    def _reset(self, loader: DataLoader[Any], first_iter: bool = False) -> None:
        super()._reset(loader, first_iter)
        self._tasks: dict[int, int] = {}
        self._arrived: dict[int, Any] = {}
        self._sent = self._next = 0
        self._active = [True] * self._num_workers
        self._turn = itertools.cycle(range(self._num_workers))
        if not first_iter:
            for q in self._index_queues:
                q.put(Resume())
            # What is still on its way from the last pass arrives before a worker's answer.
            left = self._num_workers
            while left:
                if isinstance(self._receive()[1], Resume):
                    left -= 1
        for _ in range(self._prefetch * self._num_workers):
            self._send()

    def _send(self) -> None:
        """Give the next index list to the next worker that is not done."""
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        for _ in range(self._num_workers):
            worker = next(self._turn)
            if self._active[worker]:
                break
        else:
            return
        self._index_queues[worker].put((self._sent, index))
        self._tasks[self._sent] = worker
        self._sent += 1

    def _receive(self) -> tuple[int, Any]:
        """What comes next from any worker: (task number, batch)."""
        deadline = time.monotonic() + self._timeout if self._timeout > 0 else None
        while True:
            wait = (
                STATUS_INTERVAL if deadline is None else min(STATUS_INTERVAL, max(deadline - time.monotonic(), 0.001))
            )
            try:
                number, sent = self._data_queue.get(timeout=wait)
                return number, pickle.loads(sent)
            except queue.Empty:
                dead = [w for i, w in enumerate(self._workers) if self._active[i] and not w.is_alive()]
                if dead:
                    pids = ", ".join(str(w.pid) for w in dead)
                    self._shutdown_workers()
                    raise RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly") from None
                if deadline is not None and time.monotonic() >= deadline:
                    raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds") from None

    def _next_data(self) -> Any:
        while True:
            # Tasks of workers that ended will not be answered.
            while self._next < self._sent and self._next not in self._arrived:
                if self._next in self._tasks and self._active[self._tasks[self._next]]:
                    break
                self._tasks.pop(self._next, None)
                self._next += 1
            if self._next >= self._sent:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            if self._next in self._arrived:
                data = self._arrived.pop(self._next)
                self._next += 1
                return self._give(data)
            number, data = self._receive()
            worker = self._tasks.pop(number, None)
            if isinstance(data, Ended):
                self._active[data.worker_id] = False
                if not self._persistent_workers:
                    self._index_queues[data.worker_id].put(None)
                self._send()
                continue
            if worker is None:
                continue
            if not self._in_order:
                return self._give(data)
            self._arrived[number] = data

    def _give(self, data: Any) -> Any:
        self._send()
        if isinstance(data, ExceptionWrapper):
            data.reraise()
        return data

    def _shutdown_workers(self) -> None:
        if self._shut:
            return
        self._shut = True
        for q in self._index_queues:
            try:
                q.put(None)
            except (OSError, ValueError):
                pass
        for w in self._workers:
            w.join(timeout=STATUS_INTERVAL)
            if w.is_alive():
                w.terminate()
        for q in self._index_queues:
            q.close()

    def __del__(self) -> None:
        if hasattr(self, "_shut"):
            # Batches nobody took would keep workers from ending: they wait until the queue is read.
            try:
                while True:
                    self._data_queue.get_nowait()
            except Exception:
                pass
            self._shutdown_workers()


__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]
