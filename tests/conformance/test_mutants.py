"""The suite's own test: every deliberately broken backend is caught."""

from __future__ import annotations

import pytest

from torsh.ops._op import OPS
from torsh_conformance.mutants import MUTANTS, Mutant, hunt

pytest.importorskip("torch")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_mutant_is_caught(mutant: Mutant) -> None:
    assert all(name in OPS for name in mutant.ops), f"{mutant.name} breaks {mutant.ops}, which are no ops"
    verdict = hunt(mutant)
    assert verdict.caught, f"nobody noticed that {mutant.text}"


def test_a_healthy_backend_is_not_caught() -> None:
    healthy = Mutant("healthy", "nothing is wrong", ("exp", "sum", "mul"), lambda kernel: kernel)
    assert not hunt(healthy).caught


def test_there_are_enough_and_they_differ() -> None:
    assert len({m.name for m in MUTANTS}) == len(MUTANTS) >= 12
