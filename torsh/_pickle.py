"""Pickling with PyTorch's names, and unpickling what is safe.

Names below ``torsh`` are written as names below ``torch`` and read back as torsh's, so that files can be exchanged.
"""

from __future__ import annotations

import importlib
import pickle
import types
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh._callers import warn

# Where torsh's place of something is not PyTorch's: (module, name) in torsh -> in PyTorch.
_ELSEWHERE = {
    ("torsh._utils", "_rebuild_from_type_v2"): ("torch._tensor", "_rebuild_from_type_v2"),
    ("torsh.tensor", "Tensor"): ("torch", "Tensor"),
    ("torsh.tensor", "Size"): ("torch", "Size"),
    ("torsh.tensor", "Parameter"): ("torch.nn.parameter", "Parameter"),
    ("torsh.device", "device"): ("torch", "device"),
    ("torsh.dtypes", "dtype"): ("torch", "dtype"),
    ("torsh.random", "Generator"): ("torch", "Generator"),
}
_BACK = {there: here for here, there in _ELSEWHERE.items()}


def pytorch_name(obj: Any, name: str | None = None) -> tuple[str, str]:
    """(module, name) under which PyTorch's files have an object of torsh's."""
    name = name or getattr(obj, "__qualname__", None) or obj.__name__
    module = pickle.whichmodule(obj, name)
    if (module, name) in _ELSEWHERE:
        return _ELSEWHERE[module, name]
    if module == "torsh" or module.startswith("torsh."):
        module = "torch" + module[5:]
    return module, name


def resolve(module: str, name: str) -> Any:
    """torsh's object for a name of PyTorch's; raises AttributeError or ImportError if there is none."""
    if module == "torch.tensor":  # where Tensor was before PyTorch 0.4
        module = "torch._tensor"
    module, name = _BACK.get((module, name), (module, name))
    if module == "torch" or module.startswith("torch."):
        module = "torsh" + module[5:]
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


# ---- writing -----------------------------------------------------------------------------------------------------------


def make_pickler(module: Any) -> Callable[..., Any]:
    """A pickler class's constructor: (file, protocol, persistent_id).

    A ``pickle_module`` of the user's own is used as it is, so that its features work; its names are torsh's then.
    """
    if module is pickle:
        return _Pickler

    def make(file: Any, protocol: int, persistent_id: Callable[[Any], Any]) -> Any:
        class Pickler(module.Pickler):  # type: ignore[misc, name-defined]
            def persistent_id(self, obj: Any) -> Any:
                return persistent_id(obj)

        return Pickler(file, protocol=protocol)

    return make


class _Pickler(pickle._Pickler):  # type: ignore[misc, name-defined]
    """The pickler in Python, whose way to write names can be changed (that of the one in C cannot)."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, file: Any, protocol: int, persistent_id: Callable[[Any], Any]) -> None:
        super().__init__(file, protocol)
        self._persistent = persistent_id

    def persistent_id(self, obj: Any) -> Any:
        # Asked for every object: most are of these types.
        return None if type(obj) in _NEVER else self._persistent(obj)

    def _write_name(self, obj: Any, module: str, name: str) -> None:
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + module.encode() + b"\n" + name.encode() + b"\n")
        self.memoize(obj)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module, full = pytorch_name(obj, name)
        if not module.startswith("torch"):
            super().save_global(obj, name)
            return
        self._write_name(obj, module, full)

    dispatch[types.FunctionType] = save_global

    def save_type(self, obj: Any) -> None:
        if obj is type(None) or obj is type(NotImplemented) or obj is type(...):
            super().save_type(obj)
            return
        self.save_global(obj)

    dispatch[type] = save_type

    def save_dtype(self, obj: Any) -> None:
        self._write_name(obj, "torch", obj.name)

    dispatch[dtypes.dtype] = save_dtype

    def save_tensor(self, obj: Any) -> None:
        """Tensors of types without a storage class of their own go as bytes with their dtype."""
        from torsh import _utils

        if (
            obj.device.type == "meta"
            or _utils.has_legacy_storage(obj.dtype)
            or not obj._kind.backend.capabilities.mutable
        ):
            self.save_reduce(*obj.__reduce_ex__(self.proto), obj=obj)
            return
        args = (
            obj.untyped_storage(), obj.storage_offset(), tuple(obj.shape), tuple(obj.stride()), obj._rg, OrderedDict(), obj.dtype,
        )  # fmt: skip
        self.save_reduce(_utils._rebuild_tensor_v3, args, obj=obj)

    @classmethod
    def _register(cls) -> None:
        from torsh.memory_format import layout, memory_format
        from torsh.tensor import Tensor

        cls.dispatch[Tensor] = cls.save_tensor
        cls.dispatch[layout] = cls.save_layout
        cls.dispatch[memory_format] = lambda self, obj: self._write_name(obj, "torch", obj.name)

    def save_layout(self, obj: Any) -> None:
        """A layout as PyTorch writes it: a call that finds it by its name."""
        from torsh.serialization import _get_layout

        self.save_reduce(_get_layout, (f"torch.{obj.name}",), obj=obj)


_NEVER = frozenset({str, int, float, bool, type(None), dict, list, tuple, OrderedDict, bytes})
_Pickler._register()


# ---- reading ---------------------------------------------------------------------------------------------------------


def make_unpickler(module: Any) -> Callable[..., Any]:
    """An unpickler class's constructor: (file, persistent_load, **options)."""

    class Unpickler(module.Unpickler):  # type: ignore[misc, name-defined]
        def __init__(self, file: Any, persistent_load: Callable[[Any], Any], **options: Any) -> None:
            super().__init__(file, **options)
            self._persistent = persistent_load

        def persistent_load(self, pid: Any) -> Any:
            return self._persistent(pid)

        def find_class(self, module_name: str, name: str) -> Any:
            if module_name == "torch" or module_name.startswith("torch."):
                return resolve(module_name, name)
            return super().find_class(module_name, name)

    return Unpickler


class _Safe:
    """What the user allowed: full name -> object."""

    user: dict[str, Any] = {}
    listed: list[Any] = []
    default: dict[str, Any] | None = None


def _full_name(obj: Any) -> str:
    module, name = pytorch_name(obj)
    return f"{module}.{name}"


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allow classes and functions (or pairs of one and its full name in the file) to ``load`` with weights_only.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.add_safe_globals

    >>> import torsh
    >>> class Point:
    ...     pass
    >>> torsh.serialization.add_safe_globals([Point])
    >>> Point in torsh.serialization.get_safe_globals()
    True
    >>> torsh.serialization.clear_safe_globals()
    """
    for item in safe_globals:
        if isinstance(item, tuple):
            if len(item) != 2:
                raise ValueError(
                    f"Expected tuple of length 2 (global, str of callable full path), but got tuple of length: {len(item)}"
                )
            obj, name = item
            if not isinstance(name, str):
                raise TypeError(f"Expected second item of tuple to be str of callable full path, but got: {type(name)}")
        else:
            obj, name = item, _full_name(item)
        _Safe.user[name] = obj
        _Safe.listed.append(item)


def clear_safe_globals() -> None:
    """Forget everything that was allowed.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.clear_safe_globals

    >>> import torsh
    >>> torsh.serialization.clear_safe_globals()
    """
    _Safe.user = {}
    _Safe.listed = []


def get_safe_globals() -> list[Any]:
    """What was allowed.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.get_safe_globals

    >>> import torsh
    >>> torsh.serialization.get_safe_globals()
    []
    """
    return list(_Safe.listed)


class safe_globals:
    """Allow classes and functions inside a ``with`` block.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.safe_globals

    >>> import torsh
    >>> class Point:
    ...     pass
    >>> with torsh.serialization.safe_globals([Point]):
    ...     print(Point in torsh.serialization.get_safe_globals())
    True
    """

    def __init__(self, safe_globals: list[Any]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self._before = (dict(_Safe.user), list(_Safe.listed))
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exc: object) -> None:
        _Safe.user, _Safe.listed = self._before


def allowed() -> dict[str, Any]:
    """Every name that may be in a file loaded with weights_only."""
    if _Safe.default is None:
        from _codecs import encode

        import torsh
        from torsh import _utils, legacy, serialization, storage
        from torsh.memory_format import FORMATS, LAYOUTS
        from torsh.tensor import Parameter, Size, Tensor

        found: dict[str, Any] = {
            "collections.OrderedDict": OrderedDict, "collections.Counter": Counter, "torch.Size": Size,
            "torch.nn.parameter.Parameter": Parameter, "torch.serialization._get_layout": serialization._get_layout,
            "torch.Tensor": Tensor, "torch.device": torsh.device, "_codecs.encode": encode, "builtins.bytearray": bytearray,
            "builtins.set": set, "builtins.complex": complex, "torch.storage.UntypedStorage": storage.UntypedStorage,
            "torch.storage.TypedStorage": storage.TypedStorage,
            "torch._tensor._rebuild_from_type_v2": _utils._rebuild_from_type_v2,
        }  # fmt: skip
        found.update({f"torch.{d.name}": d for d in dtypes.ALL})
        found.update({f"torch.{n}": c for n, c in storage.CLASSES.items()})
        found.update({f"torch.{n}": c for n, c in legacy.TYPES.items()})
        found.update({f"torch._utils.{n}": v for n, v in vars(_utils).items() if n.startswith("_rebuild")})
        found.update({f"torch.{f.name}": f for f in (*FORMATS, *LAYOUTS)})
        _Safe.default = found
    return {**_Safe.default, **_Safe.user}


_BLOCKED = frozenset({"sys", "os", "posix", "nt"})
_OPCODES = (
    "NEWOBJ REDUCE BUILD APPEND APPENDS SETITEM SETITEMS MARK TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWFALSE NEWTRUE EMPTY_TUPLE "
    "EMPTY_LIST EMPTY_DICT EMPTY_SET BINPERSID BININT BININT1 BININT2 BINFLOAT BINGET LONG_BINGET BINPUT LONG_BINPUT GLOBAL "
    "BINUNICODE SHORT_BINSTRING LONG1 PROTO STOP"
)


class SafeUnpickler(pickle._Unpickler):  # type: ignore[misc, name-defined]
    """Reads only what PyTorch's ``weights_only`` does: few opcodes, only allowed names, no attributes of anything else."""

    dispatch = {
        getattr(pickle, n)[0]: pickle._Unpickler.dispatch[getattr(pickle, n)[0]]  # type: ignore[attr-defined]
        for n in _OPCODES.split()
    }

    def __init__(self, file: Any, persistent_load: Callable[[Any], Any], encoding: str = "bytes") -> None:
        super().__init__(file, encoding=encoding)
        self._persistent = persistent_load
        self._allowed = allowed()
        self._values = {id(v) for v in self._allowed.values()}

    def load(self) -> Any:
        try:
            return super().load()
        except EOFError:
            raise EOFError("Ran out of input: the file is empty or ends too early") from None
        except KeyError as e:
            # pickle looks the opcode up in ``dispatch``; any other key is the file's fault, too.
            if not isinstance(e.args[0], int):
                raise pickle.UnpicklingError(f"the file is no pickle of tensors, or damaged: KeyError: {e}") from None
            raise pickle.UnpicklingError(f"Unsupported operand {e.args[0]}") from None
        except (IndexError, UnicodeDecodeError, ValueError, AttributeError) as e:
            raise pickle.UnpicklingError(
                f"the file is no pickle of tensors, or damaged: {type(e).__name__}: {e}"
            ) from None

    def load_proto(self) -> None:
        super().load_proto()
        if self.proto != 2:
            warn(
                f"Detected pickle protocol {self.proto} in the checkpoint, which was not the default pickle protocol used by "
                "`torch.load` (2). The weights_only Unpickler might not support all instructions implemented by this protocol: save "
                "with pickle_protocol=2 if it does not.",
                UserWarning,
            )

    dispatch[pickle.PROTO[0]] = load_proto

    def persistent_load(self, pid: Any) -> Any:
        if type(pid) is not tuple and type(pid) is not int:
            raise pickle.UnpicklingError(f"persistent_load id must be tuple or int, but got {type(pid)}")
        if type(pid) is tuple and pid:
            kind = pid[0].decode("ascii") if isinstance(pid[0], bytes) else pid[0]
            if kind != "storage":
                raise pickle.UnpicklingError(f"Only persistent_load of storage is allowed, but got {type(pid[0])}")
        return self._persistent(pid)

    def find_class(self, module: str, name: str) -> Any:
        if self.proto < 3:
            module, name = _PY2.get((module, name), (module, name))
            module = _PY2_MODULES.get(module, module)
        full = f"{module}.{name}"
        if module in _BLOCKED:
            raise pickle.UnpicklingError(f"Trying to load unsupported GLOBAL {full} whose module {module} is blocked.")
        if full not in self._allowed:
            shown = full[9:] if full.startswith("builtins.") else full
            raise pickle.UnpicklingError(
                f"Unsupported global: GLOBAL {shown} was not an allowed global by default. Please use "
                f"`torch.serialization.add_safe_globals([{shown}])` or the `torch.serialization.safe_globals([{shown}])` "
                "context manager to allowlist this global if you trust this class/function."
            )
        return self._allowed[full]

    def load_newobj(self) -> None:
        from torsh.tensor import Parameter

        args = self.stack.pop()
        cls = self.stack.pop()
        if cls is Parameter:
            self.append(Parameter(*args))
        elif id(cls) in self._values:
            self.append(cls.__new__(cls, *args))
        else:
            raise pickle.UnpicklingError(
                f"Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got {cls}"
            )

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_reduce(self) -> None:
        args = self.stack.pop()
        func = self.stack[-1]
        if id(func) not in self._values:
            raise pickle.UnpicklingError(f"Trying to call reduce for unrecognized function {func}")
        self.stack[-1] = func(*args)

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_build(self) -> None:
        from torsh.tensor import Parameter, Tensor

        state = self.stack.pop()
        inst = self.stack[-1]
        kind = type(inst)
        if kind is Tensor:
            inst.set_(*state)
        elif kind is OrderedDict:
            inst.__dict__.update(state)
        elif kind is Parameter or any(kind is v for v in self._allowed.values()):
            if hasattr(inst, "__setstate__"):
                inst.__setstate__(state)
                return
            slots = None
            if isinstance(state, tuple) and len(state) == 2:
                state, slots = state
            if state:
                inst.__dict__.update(state)
            for k, v in (slots or {}).items():
                setattr(inst, k, v)
        else:
            raise pickle.UnpicklingError(
                "Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got "
                f"{kind}"
            )

    dispatch[pickle.BUILD[0]] = load_build

    def _check_list(self, target: Any) -> None:
        if type(target) is not list:
            raise pickle.UnpicklingError(f"Can only append to lists, but got {type(target)}")

    def load_append(self) -> None:
        value = self.stack.pop()
        self._check_list(self.stack[-1])
        self.stack[-1].append(value)

    dispatch[pickle.APPEND[0]] = load_append

    def load_appends(self) -> None:
        items = self.pop_mark()
        self._check_list(self.stack[-1])
        self.stack[-1].extend(items)

    dispatch[pickle.APPENDS[0]] = load_appends

    def _check_dict(self, target: Any, what: str) -> None:
        if type(target) not in (dict, OrderedDict, Counter):
            raise pickle.UnpicklingError(
                f"Can only {what} for dict, collections.OrderedDict, collections.Counter, but got {type(target)}"
            )

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._check_dict(self.stack[-1], "SETITEM")
        self.stack[-1][key] = value

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        items = self.pop_mark()
        self._check_dict(self.stack[-1], "SETITEMS")
        for i in range(0, len(items), 2):
            self.stack[-1][items[i]] = items[i + 1]

    dispatch[pickle.SETITEMS[0]] = load_setitems


# Python 2's names, which protocols below 3 use.
_PY2: dict[tuple[str, str], tuple[str, str]] = {}
_PY2_MODULES: dict[str, str] = {}


def _python2() -> None:
    import _compat_pickle

    _PY2.update(_compat_pickle.NAME_MAPPING)
    _PY2_MODULES.update(_compat_pickle.IMPORT_MAPPING)


_python2()
