"""What runs in a worker process of a loader, and what it sends back."""

from __future__ import annotations

import os
import queue
import random
import sys
import traceback
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

# How often an idle worker looks whether its parent is still there, in seconds.
CHECK_INTERVAL = 5.0


class WorkerInfo:
    """id, num_workers, seed and dataset of a worker; given by :func:`get_worker_info`.

    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info

    >>> from torsh.utils.data import DataLoader, get_worker_info
    >>> class Ids:
    ...     def __len__(self):
    ...         return 1
    ...     def __getitem__(self, i):
    ...         return get_worker_info() is None
    >>> next(iter(DataLoader(Ids())))  # no worker processes: no info
    tensor([True])
    """

    def __init__(self, **kwargs: Any) -> None:
        for k, v in kwargs.items():
            self.__dict__[k] = v
        self.__dict__["_keys"] = tuple(kwargs)

    def __setattr__(self, key: str, value: Any) -> None:
        raise RuntimeError(f"Cannot assign attributes to {type(self).__name__} objects")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={getattr(self, k)}' for k in self._keys)})"


class _Here:
    info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What a worker process knows of itself, None in the main process.

    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info

    >>> from torsh.utils.data import get_worker_info
    >>> get_worker_info() is None  # in the main process
    True
    """
    return _Here.info


class ExceptionWrapper:
    """An exception with its traceback as text, since tracebacks cannot be sent."""

    def __init__(self, where: str, error: BaseException | None = None) -> None:
        info = sys.exc_info() if error is None else (type(error), error, error.__traceback__)
        self.exc_type = info[0]
        self.exc_msg = "".join(traceback.format_exception(*info))
        self.where = where

    def reraise(self) -> None:
        """Raise an exception of the same type whose message has the traceback."""
        kind: Any = self.exc_type
        message = f"Caught {kind.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if kind is KeyError:
            message = KeyErrorMessage(message)
        elif getattr(kind, "message", None):
            raise kind(message=message)
        try:
            exception = kind(message)
        except Exception:
            # Its constructor wants other arguments.
            raise RuntimeError(message) from None
        raise exception


class KeyErrorMessage(str):
    """A text that KeyError shows with its line breaks."""

    def __repr__(self) -> str:
        return str(self)


class Resume:
    """Sent to a persistent worker at the start of an epoch, and sent back."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed


class Ended:
    """Sent by a worker whose share of an iterable dataset is used up."""

    def __init__(self, worker_id: int) -> None:
        self.worker_id = worker_id


class Fetcher:
    """Gets the samples of a batch and collates them."""

    def __init__(
        self,
        dataset: Any,
        iterable: bool,
        batched: bool,
        collate_fn: Callable[..., Any],
        drop_last: bool,
        at_once: Any = None,
    ) -> None:
        self.dataset, self.batched, self.collate_fn, self.drop_last = dataset, batched, collate_fn, drop_last
        self.at_once = at_once
        self.iterator = iter(dataset) if iterable else None
        self.ended = False

    def fetch(self, index: Any) -> Any:
        """The batch (or sample) for a list of indices (or an index)."""
        if self.at_once is not None:
            return self.at_once(index)
        if self.iterator is not None:
            return self._next(index)
        dataset = self.dataset
        if not self.batched:
            return self.collate_fn(dataset[index])
        many = getattr(dataset, "__getitems__", None)
        return self.collate_fn(many(index) if many else [dataset[i] for i in index])

    def _next(self, index: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.batched:
            return self.collate_fn(next(self.iterator))  # type: ignore[arg-type]
        data = []
        for _ in index:
            try:
                data.append(next(self.iterator))  # type: ignore[arg-type]
            except StopIteration:
                self.ended = True
                break
        if not data or (self.drop_last and len(data) < len(index)):
            raise StopIteration
        return self.collate_fn(data)


def _generate_state(base_seed: int, worker_id: int) -> list[int]:
    """The seed of NumPy's global generator in a worker: four words."""
    words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return np.random.SeedSequence(words).generate_state(4).tolist()  # type: ignore[no-any-return]


def run(
    make_fetcher: Callable[[], Fetcher],
    dataset: Any,
    index_queue: Any,
    data_queue: Any,
    base_seed: int,
    init_fn: Callable[[int], None] | None,
    worker_id: int,
    num_workers: int,
) -> None:
    """A worker's life: take indices from its queue, send back pickled batches, end at None or when the parent is gone."""
    import torsh

    parent = os.getppid()
    seed = base_seed + worker_id
    random.seed(seed)
    torsh.manual_seed(seed)
    np.random.seed(_generate_state(base_seed, worker_id))
    _Here.info = WorkerInfo(id=worker_id, num_workers=num_workers, seed=seed, dataset=dataset)
    where = f"in DataLoader worker process {worker_id}"
    fetcher: Fetcher | None = None
    failed: ExceptionWrapper | None = None
    try:
        if init_fn is not None:
            init_fn(worker_id)
        fetcher = make_fetcher()
    except Exception:
        failed = ExceptionWrapper(where)
    ended = False
    while True:
        try:
            task = index_queue.get(timeout=CHECK_INTERVAL)
        except queue.Empty:
            if os.getppid() != parent:
                return
            continue
        except KeyboardInterrupt:
            return
        if task is None:
            data_queue.close()
            return
        if isinstance(task, Resume):
            ended = False
            try:
                fetcher = make_fetcher()
            except Exception:
                failed = ExceptionWrapper(where)
            data_queue.put((worker_id, bytes(ForkingPickler.dumps(task))))
            continue
        number, index = task
        if ended:
            continue
        try:
            if failed is not None:
                data: Any = failed
                failed = None
            else:
                data = fetcher.fetch(index)  # type: ignore[union-attr]
        except StopIteration as stop:
            if fetcher is None or fetcher.iterator is None:
                data = ExceptionWrapper(where, stop)
            else:
                data, ended = Ended(worker_id), True
        except Exception:
            data = ExceptionWrapper(where)
        # Pickled here and not in the queue's thread, whose errors nobody would see.
        try:
            sent = bytes(ForkingPickler.dumps(data))
        except Exception:
            sent = bytes(ForkingPickler.dumps(ExceptionWrapper(where)))
        data_queue.put((number, sent))
