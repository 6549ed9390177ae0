"""``torch.utils.benchmark``: what it prints of given times is what PyTorch prints, and timers time."""

from __future__ import annotations

import importlib
import itertools

import pytest

import torsh

torch = pytest.importorskip("torch")
LIBRARIES = [importlib.import_module(f"{library.__name__}.utils.benchmark") for library in (torch, torsh)]
TIMES = [
    [2e-6],
    [3.1e-6, 3.2e-6, 3.15e-6],
    [1e-3, 1.1e-3, 0.98e-3, 1.02e-3, 1e-3],
    [4e-5, 9e-5, 5e-5, 7e-5, 6e-5, 4.4e-5],
    [2.5],
]
TASKS = [
    {"stmt": "x + y", "setup": "pass"}, {"stmt": "x + y", "setup": "x = 1\ny = 2", "label": "sum"},
    {"stmt": "f(x)\ng(x)", "setup": "pass", "sub_label": "both", "description": "two lines", "num_threads": 4},
    {"stmt": "f()", "setup": "import f", "label": "call", "sub_label": "of f", "description": "plain", "env": "here"},
]  # fmt: skip


def _measured(library, times, **task):
    return library.Measurement(10, [10 * t for t in times], library.TaskSpec(**task))


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("task", TASKS)
def test_a_measurement_prints_as_pytorchs(times, task):
    expected, found = (_measured(library, times, **task) for library in LIBRARIES)
    assert repr(found).splitlines()[1:] == repr(expected).splitlines()[1:]
    for name in (
        "median",
        "mean",
        "iqr",
        "significant_figures",
        "has_warnings",
        "title",
        "as_row_name",
        "stmt",
        "env",
        "num_threads",
    ):
        assert getattr(found, name) == pytest.approx(getattr(expected, name)), name


@pytest.mark.parametrize("options", list(itertools.product([False, True], [None, False, True], [False, True])))
def test_tables_are_pytorchs(options):
    trim, rowwise, warn = options

    def table(library):
        results = [
            _measured(
                library,
                times,
                stmt="s",
                setup="pass",
                label=label,
                sub_label=f"n = {n}",
                description=how,
                num_threads=threads,
            )
            for label in ("first", "second")
            for threads in (1, 4)
            for n, (a, b) in enumerate(itertools.pairwise(TIMES))
            for how, times in (("numpy", a), ("torch", b))
            if (n, how) != (1, "torch")
        ]
        compare = library.Compare(results)
        if trim:
            compare.trim_significant_figures()
        if rowwise is not None:
            compare.colorize(rowwise)
        if warn:
            compare.highlight_warnings()
        return str(compare)

    expected, found = map(table, LIBRARIES)
    assert found == expected


def test_tables_of_several_environments():
    def table(library):
        return str(
            library.Compare(
                [
                    _measured(library, [t], stmt="s", setup="pass", sub_label=name, description="d", env=env)
                    for t, name, env in ((1e-5, "a", "master"), (2e-5, "b", "master"), (3e-5, "a", "branch"))
                ]
            )
        )

    expected, found = map(table, LIBRARIES)
    assert found == expected


def test_timers():
    library = LIBRARIES[1]
    calls = []
    timer = library.Timer("f(torch.ones(2))", globals={"f": calls.append}, label="l", num_threads=1)
    once = timer.timeit(20)
    assert once.number_per_run == 20 and len(once.times) == 1 and len(calls) == 22
    seen = []
    many = timer.blocked_autorange(lambda number, seconds: seen.append(number), min_run_time=0.01)
    assert sum(many.raw_times) >= 0.01 and seen == [many.number_per_run] * len(many.raw_times)
    assert len(timer.adaptive_autorange(0.9, max_run_time=0.2).raw_times) >= 1


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda b: b.Timer(print), ValueError), (lambda b: b.Timer("1", language="cobol"), ValueError),
        (lambda b: b.Timer("1", global_setup="x"), ValueError), (lambda b: b.Compare([3]), ValueError),
        (lambda b: b.Timer("1").repeat(), NotImplementedError), (lambda b: b.trim_sigfig(1.0, 1.5), AssertionError),
    ],
)  # fmt: skip
def test_mistakes(make, error):
    for library in LIBRARIES:
        with pytest.raises(error):
            make(library)
