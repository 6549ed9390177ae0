"""What is put to the test: every public op, and every public function that has samples without being an op."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torsh_conformance.sample import FALLBACKS, Generator, default_generator, load_generators

# Families in the order of torsh.ops.FAMILIES; others follow.
_OWN_RESULT = re.compile(r"empty|^resize")  # memory is not initialised: only shape and dtype are defined


@dataclass
class Subject:
    """One op (or function) and its samples.

    path: its principal public name, e.g. ``torch.gather``; ``method``: its Tensor method, if it has one.
    derived: whether the samples follow from the declaration alone.
    """

    name: str
    path: str
    op: Any
    generator: Generator
    derived: bool
    method: str | None = None
    paths: tuple[str, ...] = ()
    family: str = ""
    tags: frozenset[str] = field(default_factory=frozenset)

    @property
    def values_defined(self) -> bool:
        return not _OWN_RESULT.search(self.name)

    @property
    def random(self) -> bool:
        return "random" in self.tags

    @property
    def pointwise(self) -> bool:
        return "pointwise" in self.tags

    def function(self, module: Any) -> Callable[..., Any]:
        """The function form in a torch-like module.  AttributeError where the module lacks it."""
        found = lookup(module, self.path)
        # An attribute of Tensor (T, mT, real): reading it is the call.
        return found if callable(found) else operator.attrgetter(self.path.rpartition(".")[2])


def lookup(module: Any, path: str) -> Any:
    """What a public path (``torch.linalg.det``, ``Tensor.item``) means in a torch-like module."""
    found = module
    for part in path.removeprefix("torch.").split("."):
        found = getattr(found, part)
    return found


def principal(paths: tuple[str, ...]) -> str | None:
    """The name an op goes by: a function before a method, the shallowest namespace first as declared."""
    functions = [p for p in paths if not p.startswith("Tensor.") and p.count(".")]
    public = [p for p in functions if not p.rpartition(".")[2].startswith("_")]
    return (public or functions or list(paths) or [None])[0]


def all_subjects(pattern: str | None = None) -> list[Subject]:
    """Subjects whose name or path matches a regular expression (all if None), sorted by name."""
    import torsh
    from torsh.ops._op import OPS

    generators = load_generators()
    subjects: dict[str, Subject] = {}
    claimed: set[str] = set()
    for op in OPS.values():
        claimed.update(op.paths)
        path = principal(op.paths)
        if path is None or op.fn is None:
            continue
        own = next((table[p] for table in (generators, FALLBACKS) for p in op.paths if p in table), None)
        subjects[op.name] = Subject(
            op.name, path, op, own or default_generator(op), own is None, _method(op.paths), op.paths,
            getattr(op.fn, "__module__", "").rpartition(".")[2], op.tags,
        )  # fmt: skip
    for path, generator in generators.items():
        if path in claimed:
            continue  # an op's; below are functions that are no ops
        name = path.removeprefix("torch.").replace("nn.functional.", "")
        if name in subjects:
            name = path
        function = _find(torsh, path)
        op = getattr(function, "op", None)
        method = f"Tensor.{name}" if path.startswith("torch.") and hasattr(torsh.Tensor, name) else None
        subjects[name] = Subject(
            name, path, op, generator, False, path if path.startswith("Tensor.") else method, (path,),
            generator.__module__.rpartition(".")[2], op.tags if op is not None else frozenset(),
        )  # fmt: skip
    found = sorted(subjects.values(), key=lambda s: s.name)
    if pattern:
        wanted = re.compile(pattern)
        found = [s for s in found if wanted.search(s.name) or any(wanted.search(p) for p in s.paths)]
    return found


def _find(module: Any, path: str) -> Any:
    try:
        return lookup(module, path)
    except AttributeError:
        return None


def _method(paths: tuple[str, ...]) -> str | None:
    from torsh.ops import PROPERTIES

    named = [p for p in paths if p.startswith("Tensor.") and not p.startswith("Tensor.__") and p[7:] not in PROPERTIES]
    return named[0] if named else None
