"""``python -m benchmarks [eager] [pointwise] [tensor] [families] [networks] [training] [programs]``: torsh and PyTorch side by side, as ratios.

Every figure is a median of interleaved rounds in one run; single times on a shared machine mean little, ratios do.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks import eager, families, networks, pointwise, programs, tensor, training
from benchmarks.timing import compare, human

SECTIONS = ("eager", "pointwise", "tensor", "families", "networks", "training", "programs")


def row(name: str, ours: float, theirs: float, target: float) -> None:
    ratio = ours / theirs
    print(
        f"{name:40s} {human(ours):>11s} {human(theirs):>11s}  {ratio:6.2f}x  target {target:.1f}x  {'ok' if ratio <= target else 'ABOVE'}"
    )


def main(argv: list[str]) -> None:
    wanted = argv or SECTIONS
    unknown = set(wanted) - set(SECTIONS)
    if unknown:
        raise SystemExit(f"unknown section {sorted(unknown)}; there are {', '.join(SECTIONS)}")
    print(f"{'':40s} {'torsh':>11s} {'PyTorch':>11s}  ratio")
    if set(wanted) - {"programs"}:
        import torch

        import torsh
        import torsh.nn

        torch.set_num_threads(1)
    if "eager" in wanted:
        for name, target, fns in eager.cases(torsh, torch):
            times = compare(fns)
            row(name, times["torsh"], times["torch"], target)
    if "pointwise" in wanted:
        print()
        pointwise.report(torsh, torch)
        print()
    if "tensor" in wanted:
        for name, fns in tensor.cases(torsh, torch):
            times = compare(fns)
            row(name, times["torsh"], times["torch"], tensor.TARGET)
    if "families" in wanted:
        print()
        families.report(torsh, torch)
        print()
    if "networks" in wanted:
        for name, target, fns in networks.cases(torsh, torch):
            times = compare(fns, budget=0.03)
            row(name, times["torsh"], times["torch"], target)
        peaks = networks.peak_memory()
        ours, theirs = peaks["torsh"], peaks["torch"]
        print(
            f"{'12-layer MLP training, peak memory':40s} {ours:7.0f} MiB {theirs:7.0f} MiB  {ours / theirs:6.2f}x  target 1.0x"
        )
    if "training" in wanted:
        for name, fns in training.cases(torsh, torch):
            times = compare(fns)
            row(name, times["torsh"], times["torch"], training.TARGET)
    if "programs" in wanted:
        found = programs.digits()
        row("digits, one epoch on NumPy", found["torsh"]["epoch"], found["torch"]["epoch"], 2.0)
        ours, theirs = found["torsh"]["peak"], found["torch"]["peak"]
        print(f"{'digits, peak memory':40s} {ours:7.0f} MiB {theirs:7.0f} MiB  {ours / theirs:6.2f}x  target 1.0x")
        times = programs.importing()
        row("import torsh, against import numpy", times["torsh"], times["numpy"], 2.0)
        row("import torsh, against import torch", times["torsh"], times["torch"], 1.0)


if __name__ == "__main__":
    main(sys.argv[1:])
