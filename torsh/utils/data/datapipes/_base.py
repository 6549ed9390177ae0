"""Data pipes: datasets made of steps that are written one after the other, ``pipe.map(f).shuffle().batch(4)``.

Source: https://docs.pytorch.org/docs/stable/data.html
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic, TypeVar

from torsh.utils.data.dataset import Dataset, IterableDataset

T_co = TypeVar("T_co", covariant=True)


def _functional(cls: type, name: str) -> Callable[..., Any]:
    """A step as a method of every pipe."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return cls(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = cls.__doc__
    return method


class _Functional:
    """Pipes whose steps are found by name."""

    functions: ClassVar[dict[str, Callable[..., Any]]]

    def __getattr__(self, name: str) -> Any:
        found = type(self).functions.get(name)
        if found is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return functools.partial(found, self)

    @classmethod
    def register_function(cls, function_name: str, function: Callable[..., Any]) -> None:
        """Make ``function(pipe, ...)`` a method of every pipe."""
        cls.functions[function_name] = function

    @classmethod
    def register_datapipe_as_function(
        cls, function_name: str, cls_to_register: type, enable_df_api_tracing: bool = False
    ) -> None:
        """Make a step a method of every pipe.  Raises ValueError for a name that is taken."""
        if function_name in cls.functions:
            raise ValueError(f"Unable to add DataPipe function name {function_name} as it is already taken")
        cls.functions[function_name] = _functional(cls_to_register, function_name)

    def __repr__(self) -> str:
        return type(self).__qualname__

    __str__ = __repr__


class IterDataPipe(_Functional, IterableDataset[T_co]):
    """A pipe that is iterated over.  Subclasses define ``__iter__``; ``reset`` is called before it begins again.

    Source: https://docs.pytorch.org/docs/stable/data.html

    >>> from torsh.utils.data.datapipes.iter import IterableWrapper
    >>> list(IterableWrapper(range(6)).filter(lambda x: x % 2 == 0).map(lambda x: x * 10))
    [0, 20, 40]
    """

    functions: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("__iter__")
        if own is not None and not getattr(own, "_resets", False):

            @functools.wraps(own)
            def begin(self: Any) -> Iterator[Any]:
                self.reset()
                return own(self)  # type: ignore[no-any-return]

            begin._resets = True  # type: ignore[attr-defined]
            cls.__iter__ = begin  # type: ignore[assignment]

    def reset(self) -> None:
        """Called before iteration begins; for subclasses."""


class DFIterDataPipe(IterDataPipe[Any]):
    """A pipe of data frames."""

    def _is_dfpipe(self) -> bool:
        return True


class MapDataPipe(_Functional, Dataset[T_co]):
    """A pipe that is indexed.  Subclasses define ``__getitem__`` and ``__len__``.

    Source: https://docs.pytorch.org/docs/stable/data.html
    """

    functions: ClassVar[dict[str, Callable[..., Any]]] = {}


class DataChunk(list[Any], Generic[T_co]):
    """A batch: a list of elements, which may be batches themselves.

    >>> from torsh.utils.data import DataChunk
    >>> list(DataChunk([DataChunk([1, 2]), DataChunk([3])]).raw_iterator())
    [[1, 2], [3]]
    """

    def __init__(self, items: Any) -> None:
        items = list(items)
        super().__init__(items)
        self.items = items

    def as_str(self, indent: str = "") -> str:
        """The elements in brackets."""
        return indent + "[" + ", ".join(str(i) for i in iter(self)) + "]"

    def raw_iterator(self) -> Iterator[Any]:
        """Over the elements."""
        yield from self.items


class functional_datapipe:
    """Decorates a step: ``@functional_datapipe("name")`` makes it the method ``name`` of every pipe of its sort.

    >>> from torsh.utils.data import IterDataPipe, functional_datapipe
    >>> from torsh.utils.data.datapipes.iter import IterableWrapper
    >>> @functional_datapipe("doubled_for_example")
    ... class Doubler(IterDataPipe):
    ...     def __init__(self, source):
    ...         self.source = source
    ...     def __iter__(self):
    ...         for x in self.source:
    ...             yield 2 * x
    >>> list(IterableWrapper([1, 2]).doubled_for_example())
    [2, 4]
    """

    def __init__(self, name: str, enable_df_api_tracing: bool = False) -> None:
        self.name = name

    def __call__(self, cls: Any) -> Any:
        if not isinstance(cls, type):
            if not isinstance(cls, non_deterministic):
                raise TypeError("`functional_datapipe` can only decorate a class")
            made = cls.cls
        else:
            made = cls
        for sort in (IterDataPipe, MapDataPipe):
            if isinstance(made, type) and issubclass(made, sort):
                sort.register_datapipe_as_function(self.name, cls)
                return cls
        raise TypeError("`functional_datapipe` can only decorate IterDataPipe or MapDataPipe")


def named(module: dict[str, Any], names: Any, suffix: str) -> None:
    """Give the steps of a module the longer names that PyTorch's classes have."""
    for n in names:
        step = module[n]
        step.__name__ = step.__qualname__ = f"{n}{suffix}"
        module[step.__name__] = step


# ---- determinism -------------------------------------------------------------------------------------------------------

_guaranteed = False


class guaranteed_datapipes_determinism:
    """Inside, making a step that is not deterministic raises TypeError."""

    def __init__(self) -> None:
        self.before = _guaranteed

    def __enter__(self) -> None:
        global _guaranteed
        _guaranteed = True

    def __exit__(self, *exc: object) -> None:
        global _guaranteed
        _guaranteed = self.before


class non_deterministic:
    """Decorates a step that is not deterministic, or a function of its arguments that says whether it is not."""

    cls: Any = None

    def __init__(self, arg: Any) -> None:
        self.deterministic_fn: Callable[..., bool] = lambda *a, **k: True
        if isinstance(arg, type):
            if not issubclass(arg, IterDataPipe):
                raise TypeError(
                    f"Only `IterDataPipe` can be decorated with `non_deterministic`, but {arg.__name__} is found"
                )
            self.cls = arg
        elif callable(arg):
            self.deterministic_fn = arg
        else:
            raise TypeError(f"{arg} can not be decorated by non_deterministic")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.cls is None:  # the decorator was given a function; now comes the class
            if len(args) != 1 or not isinstance(args[0], type) or not issubclass(args[0], IterDataPipe):
                raise TypeError(f"Only `IterDataPipe` can be decorated, but {args[0] if args else None} is found")
            self.cls = args[0]
            return self
        if _guaranteed and self.deterministic_fn(*args, **kwargs):
            raise TypeError(
                f"{self.cls.__name__} is non-deterministic with these arguments. If you want to use it, turn off "
                "`guaranteed_datapipes_determinism`"
            )
        return self.cls(*args, **kwargs)


# ---- validation --------------------------------------------------------------------------------------------------------


def argument_validation(f: Callable[..., Any]) -> Callable[..., Any]:
    """Check that arguments annotated as pipes are pipes; TypeError if not."""
    signature = inspect.signature(f)
    hints = typing.get_type_hints(f)

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            hint = hints.get(name)
            wanted = typing.get_origin(hint) or hint
            if (
                isinstance(wanted, type)
                and issubclass(wanted, (IterDataPipe, MapDataPipe))
                and not isinstance(value, wanted)
            ):
                raise TypeError(f"Expected argument '{name}' as a {wanted.__name__}, but found {type(value)}")
        return f(*args, **kwargs)

    return wrapper


_validating = True


class runtime_validation_disabled:
    """Inside, ``runtime_validation`` checks nothing."""

    def __init__(self) -> None:
        self.before = _validating

    def __enter__(self) -> None:
        global _validating
        _validating = False

    def __exit__(self, *exc: object) -> None:
        global _validating
        _validating = self.before


def _is_instance(value: Any, kind: Any) -> bool:
    """Whether a value is of a type or a ``typing`` form, as deep as that says."""
    if kind is Any or isinstance(kind, TypeVar):
        return True
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return isinstance(value, kind) if isinstance(kind, type) else True
    if origin is typing.Union:
        return any(_is_instance(value, a) for a in args)
    if not isinstance(value, origin):
        return False
    if origin is tuple and args:
        if len(args) == 2 and args[1] is Ellipsis:
            return all(_is_instance(v, args[0]) for v in value)
        return len(args) == len(value) and all(_is_instance(v, a) for v, a in zip(value, args))
    if origin in (list, set, frozenset) and args:
        return all(_is_instance(v, args[0]) for v in value)
    if origin is dict and args:
        return all(_is_instance(k, args[0]) and _is_instance(v, args[1]) for k, v in value.items())
    return True


def runtime_validation(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates ``__iter__`` of a class ``IterDataPipe[T]``: every element must be a T, else RuntimeError."""
    if f.__name__ != "__iter__":
        raise TypeError(f"Can not decorate function {f.__name__} with 'runtime_validation'")

    @functools.wraps(f)
    def wrapper(self: Any) -> Iterator[Any]:
        kinds = [typing.get_args(b)[0] for b in getattr(type(self), "__orig_bases__", ()) if typing.get_args(b)]
        for item in f(self):
            if _validating and kinds and not _is_instance(item, kinds[0]):
                raise RuntimeError(f"Expected an instance as subtype of {kinds[0]}, but found {item}({type(item)})")
            yield item

    return wrapper
