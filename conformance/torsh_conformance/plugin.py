"""A pytest plugin: the conformance cases of a backend as tests of the backend's own suite.

    pytest --torsh-backend mybackend [--torsh-ops '^(add|mul)$'] [--torsh-dtypes float32,int64]

Every (op, dtype) is one test.  Known failures come from the folder given by ``--torsh-known`` (``<backend>.toml``): a
listed failure is reported as xfail, a line that no longer applies fails.  Without ``--torsh-backend`` the plugin does
nothing and imports nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("torsh", "torsh conformance")
    group.addoption("--torsh-backend", metavar="NAME", help="run the conformance cases on this backend")
    group.addoption("--torsh-device", metavar="DEVICE", help="the device; default: the first the backend offers")
    group.addoption("--torsh-ops", metavar="REGEX", help="only ops whose name or path matches")
    group.addoption("--torsh-dtypes", metavar="LIST", default="float32,int64", help="default: float32,int64")
    group.addoption("--torsh-known", metavar="FOLDER", help="folder with <backend>.toml; default: torsh's own")


class Case(pytest.Item):
    """All cases of one op and dtype."""

    def __init__(self, *, subject: Any, plan: Any, folder: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.subject, self.plan, self.folder = subject, plan, folder

    def runtest(self) -> None:
        from torsh_conformance import known
        from torsh_conformance.runner import run_subject

        part = run_subject(self.subject, self.plan)
        stale = known.apply([part], self.folder, self.plan)
        new = [f for f in part.failures if f.known is None]
        if new:
            raise Finding("\n".join(f"{f.check}, sample {f.sample} {f.call}: {f.message}" for f in new[:5]))
        if stale and not part.failures:
            raise Finding(f"known failures that no longer apply, remove them: {', '.join(k.key for k in stale)}")
        if part.failures:
            pytest.xfail(f"known: {part.failures[0].known['reason']}")  # type: ignore[index]
        if not any(sum(c) for cell in part.cells for c in cell.checks.values()):
            pytest.skip("nothing to check: the reference refuses this dtype")

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        return str(excinfo.value) if excinfo.errisinstance(Finding) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class Finding(AssertionError):
    """A check failed that is not known to."""


class Cases(pytest.Collector):
    """The cases of one backend."""

    def collect(self) -> Iterator[Case]:
        from torsh_conformance import known
        from torsh_conformance.runner import Plan, Target, default_reference, targets
        from torsh_conformance.subjects import all_subjects

        option = self.config.getoption
        name = option("--torsh-backend")
        found, _ = targets([name])
        wanted = option("--torsh-device")
        target = next((t for t in found if wanted is None or t.device == wanted), Target(name, wanted or "cpu"))
        folder = Path(option("--torsh-known")) if option("--torsh-known") else known.FOLDER
        for subject in all_subjects(option("--torsh-ops")):
            for dtype in option("--torsh-dtypes").split(","):
                plan = Plan((target,), (dtype,), reference=default_reference(), timings="none")
                yield Case.from_parent(
                    self,
                    name=f"{subject.name}/{name}/{target.device}/{dtype}",
                    subject=subject,
                    plan=plan,
                    folder=folder,
                )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--torsh-backend"):
        return
    collector = Cases.from_parent(session, name="torsh", nodeid="torsh")
    items.extend(collector.collect())  # type: ignore[arg-type]
