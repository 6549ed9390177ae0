"""Every public function, method and class says what it does, where that is specified, and shows it in an example that runs.

Forms that derive from another (in-place, copied, deprecated names) point to it and need no example of their own.
"""

from __future__ import annotations

import doctest
import enum
import inspect
import re
import sys
import warnings

import pytest

from torsh_conformance import api

# How the docstring of a form that derives from another starts; the group names the other one.
DERIVED = re.compile(r"(?:In-place form of|Copy of what|Deprecated name of) :func:`(\w+)`")
_DERIVED_FROM = ("torsh", "torsh.Tensor", "torsh.nn.init", "torsh.nn.utils", "torsh.nn.functional", "torsh.special")

# Without an example, and why.
NO_EXAMPLE = {
    "torsh.alias_copy": "the view it copies is the tensor itself",
    "torsh.slice_copy": "the view it copies has no function of its own",
    "torsh.SymBool": "exists for isinstance() only",
    "torsh.SymFloat": "exists for isinstance() only",
    "torsh.SymInt": "exists for isinstance() only",
    "torsh.compiled_with_cxx11_abi": "about PyTorch's binaries",
    "torsh.set_flush_denormal": "the answer depends on the machine in PyTorch",
    "torsh.set_num_interop_threads": "PyTorch takes it only once per process",
    "torsh.BenchmarkExecutionStats": "what ThroughputBenchmark gives",
    "torsh.ClassType": "names PyTorch's own C++ classes",
    "torsh.EnumType": "made by PyTorch's compiler",
    "torsh.LoggerBase": "a base class",
    "torsh.StorageBase": "a base class",
    "torsh.ScriptDictIterator": "what iter() of a ScriptDict gives",
    "torsh.ScriptDictKeyIterator": "what iter() of a ScriptDict gives",
    "torsh.ScriptListIterator": "what iter() of a ScriptList gives",
    "torsh.library.fallthrough_kernel": "cannot be called",
    "torsh.library.get_ctx": "not in torsh: it raises",
    "torsh.library.get_kernel": "looks up what another program registered",
    "torsh.library.impl_abstract": "the old name of register_fake",
    "torsh.library.register_torch_dispatch": "needs a tensor subclass",
    "torsh.library.triton_op": "not in torsh: it raises",
    "torsh.library.wrap_triton": "not in torsh: it raises",
    "torsh.hub.download_url_to_file": "needs a network",
    "torsh.hub.help": "as hub.load",
    "torsh.hub.load_state_dict_from_url": "needs a network",
    "torsh.Tensor.cuda": "needs a CUDA device",
    "torsh.cuda.current_device": "needs a CUDA device",
    "torsh.cuda.Event": "needs a CUDA device",
    "torsh.cuda.Stream": "needs a CUDA device",
    "torsh.cuda.can_device_access_peer": "needs a CUDA device",
    "torsh.cuda.current_stream": "needs a CUDA device",
    "torsh.cuda.default_stream": "needs a CUDA device",
    "torsh.cuda.get_device_capability": "needs a CUDA device",
    "torsh.cuda.get_device_properties": "needs a CUDA device",
    "torsh.cuda.ipc_collect": "needs a CUDA device",
    "torsh.cuda.is_current_stream_capturing": "needs a CUDA device",
    "torsh.cuda.mem_get_info": "needs a CUDA device",
    "torsh.cuda.set_per_process_memory_fraction": "needs a CUDA device",
    "torsh.cuda.set_sync_debug_mode": "needs a CUDA device",
    "torsh.cuda.get_device_name": "needs a CUDA device",
    "torsh.cuda.get_rng_state": "needs a CUDA device",
    "torsh.cuda.init": "needs a CUDA device",
    "torsh.cuda.set_device": "needs a CUDA device",
    "torsh.cuda.set_rng_state": "needs a CUDA device",
    "torsh.cuda.synchronize": "needs a CUDA device",
    "torsh.overrides.enable_reentrant_dispatch": "accepted for programs that use it, does nothing",
    "torsh.overrides.get_default_nowrap_functions": "bookkeeping of overrides",
    "torsh.profiler.ExecutionTraceObserver": "exists so that programs can name it",
    "torsh.utils.checkpoint.CheckpointError": "an error that checkpoint() raises",
    "torsh.utils.checkpoint.SelectiveCheckpointContext": "made by torsh, given to policy functions",
    "torsh.compat.install": "changes what `import torch` gives in the whole process",
    "torsh.compat.rename_classes": "called by install()",
    "torsh.compat.run": "runs a whole program, see `torsh run`",
}

# The same for families of names.
NO_EXAMPLE_LIKE = {
    r"torsh\.accelerator\.\w+": "needs an accelerator",
    r"torsh\.(cudnn|miopen|mkldnn)_\w+": "other vendors' libraries, refused on the CPU",
    r"torsh\.(Tensor\.)?(eig|lstsq|matrix_rank|solve|symeig|reinforce)": "removed by PyTorch: it raises",
    r"torsh\.(Tensor\.)?(\w+_)?(ipu|xla|mtia|xpu)(_\w+)?": "devices torsh has no backend for",
    r"torsh\.(fbgemm_\w+|quantized_\w+_cell|quantized_lstm|quantized_gru)": "steps of PyTorch's quantized modules",
    r"torsh\.batch_norm_(backward_)?(elemt|reduce|gather_stats\w*)": "steps of batch normalisation over several processes",
    r"torsh\.(Tensor\.)?(slice_inverse|native_norm|sym_fresh_size)": "PyTorch uses it inside only",
}


def _excused(name: str, value: object) -> bool:
    """Whether a name need not have an example: also exceptions, and enumerations made by calls."""
    if isinstance(value, type) and issubclass(value, (BaseException, enum.Enum)):
        return True
    return name in NO_EXAMPLE or any(re.fullmatch(like, name) for like in NO_EXAMPLE_LIKE)


# Examples that PyTorch cannot run or answers otherwise, and why.
NOT_AS_IN_PYTORCH = {
    "torsh.jit.interface": "PyTorch reads the class in its source file",
    "torsh.LockingLogger": "PyTorch's can be filled by compiled code only",
    "torsh.NoopLogger": "PyTorch's can be filled by compiled code only",
    "torsh.batch_norm_stats": "PyTorch has it on CUDA only",
    "torsh.nn.functional.scaled_grouped_mm": "PyTorch has it on CUDA only",
    "torsh.hub.list": "PyTorch lists GitHub repositories only",
    "torsh.nn.functional.grouped_mm": "PyTorch wants strides that are multiples of 16 bytes",
    "torsh.get_printoptions": "PyTorch has it in a private module",
    "torsh.printoptions": "PyTorch has it in a private module",
    "torsh.Tensor.record_stream": "PyTorch needs an accelerator for it",
    "torsh.func.chunk_vmap": "PyTorch has it in torch._functorch",
    "torsh.func.rearrange": "PyTorch has it in functorch",
    "torsh.profiler.DeviceType": "PyTorch has it in torch.autograd",
    "torsh.profiler.kineto_available": "torsh records by itself",
    **{f"torsh.UInt{n}Storage": "PyTorch has storages of signed integers and bytes only" for n in (16, 32, 64)},
    "torsh.cuda.reset_max_memory_allocated": "PyTorch's build without CUDA fails with an AttributeError",
    "torsh.jit.Attribute": "nothing is compiled",
    "torsh.Tensor.to_mkldnn": "torsh has no such layout",
    "torsh.jit.freeze": "nothing is compiled",
    "torsh.jit.load": "nothing is compiled",
    "torsh.jit.save": "nothing is compiled",
    "torsh.jit.optimize_for_inference": "nothing is compiled",
    "torsh.jit.trace": "nothing is compiled",
    "torsh.jit.trace_module": "nothing is compiled",
    "torsh.jit.script": "PyTorch reads the source file, which a docstring is not",
}


ENTRIES = [entry for room in api.ROOMS for entry in api.entries(room)]
BY_NAME = dict(ENTRIES)


def test_rooms_are_not_empty() -> None:
    rooms = {name.rpartition(".")[0] for name, _ in ENTRIES}
    assert set(api.ROOMS) <= rooms, "a room lost its names, or is listed without having any"


def test_everything_public_has_a_docstring() -> None:
    assert [name for name, value in ENTRIES if not inspect.getdoc(value)] == []


def test_every_public_method_has_a_docstring() -> None:
    lacking = set()
    for cls in {value for _, value in ENTRIES if isinstance(value, type)}:
        for base in cls.__mro__:
            if not base.__module__.startswith(("torsh", "torch")):
                continue
            for name, member in vars(base).items():
                member = member.__func__ if isinstance(member, (staticmethod, classmethod)) else member
                if name.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property)):
                    continue
                if not inspect.getdoc(member) and not any(
                    inspect.getdoc(getattr(b, name, None)) for b in base.__mro__[1:]
                ):
                    lacking.add(f"{base.__module__}.{base.__qualname__}.{name}")
    assert lacking == set()


def test_every_docstring_names_its_source() -> None:
    lacking = [
        name for name, value in ENTRIES
        if "Source:" not in (inspect.getdoc(value) or "") and name.rpartition(".")[0] not in api.OWN
    ]  # fmt: skip
    assert lacking == [], "add a line 'Source: ' with PyTorch's page"


def test_every_docstring_has_an_example() -> None:
    lacking = []
    for name, value in ENTRIES:
        doc = inspect.getdoc(value) or ""
        derived = DERIVED.match(doc)
        if derived is None:
            if ">>>" not in doc and not _excused(name, value):
                lacking.append(name)
        elif not _excused(name, value) and not any(
            ">>>" in (inspect.getdoc(BY_NAME.get(f"{room}.{derived[1]}")) or "") for room in _DERIVED_FROM
        ):
            lacking.append(f"{name} (points to {derived[1]}, which has none)")
    assert lacking == [], "add an example that starts with '>>> import torsh'"


def test_exceptions_are_needed() -> None:
    stale = [name for name in NO_EXAMPLE if name not in BY_NAME or ">>>" in (inspect.getdoc(BY_NAME[name]) or "")]
    assert stale == []


def _collected(value: object) -> bool:
    """Whether pytest finds the docstring by itself: in the module that the object says it is from."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    return module is not None and module.__name__ == value.__module__ and any(v is value for v in vars(module).values())


# Docstrings written by a loop over a table, of objects that no module holds under their name.
GENERATED = {
    id(value): (name, value) for name, value in ENTRIES
    if not isinstance(value, property) and ">>>" in (inspect.getdoc(value) or "") and not _collected(value)
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), GENERATED.values(), ids=[name for name, _ in GENERATED.values()])
def test_generated_examples_run(name: str, value: object) -> None:
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(value) or "", {}, name, None, None)
    report: list[str] = []
    with warnings.catch_warnings():
        result = doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert result.attempted
    assert not result.failed, "".join(report)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # from PyTorch's compiler
@pytest.mark.parametrize("room", [room for room in api.ROOMS if room not in api.OWN])
def test_examples_are_pytorchs(room: str) -> None:
    """With ``torch`` in the place of ``torsh`` every example prints the same."""
    pytest.importorskip("torch")
    differing, seen = {}, set()
    for name, value in api.entries(room):
        doc = inspect.getdoc(value) or ""
        if ">>>" not in doc or doc in seen:
            continue
        seen.add(doc)
        example = doctest.DocTestParser().get_doctest(re.sub(r"\btorsh\b", "torch", doc), {}, name, None, None)
        report: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if doctest.DocTestRunner(verbose=False).run(example, out=report.append).failed:
                differing[name] = "".join(report)
    new = {name: text for name, text in differing.items() if name not in NOT_AS_IN_PYTORCH}
    assert new == {}
    stale = [name for name in NOT_AS_IN_PYTORCH if name.rpartition(".")[0] == room and name not in differing]
    assert stale == []
