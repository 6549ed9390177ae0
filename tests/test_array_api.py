"""The Array API namespace, and SciPy's and scikit-learn's functions that take arrays of any such namespace."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import torsh
import torsh.array_api as xp

PROGRAM = r"""
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, torsh
torsh.registry.bind("cpu", sys.argv[1])
import torsh.array_api as xp
import scipy.cluster.vq, scipy.fft, scipy.integrate, scipy.signal, scipy.special, scipy.stats
import sklearn, sklearn.metrics, sklearn.preprocessing

rng = np.random.default_rng(0)
a, b = rng.standard_normal((2, 20, 4))
y, z = rng.integers(0, 2, (2, 20))
special, stats, metrics, scale = scipy.special, scipy.stats, sklearn.metrics, sklearn.preprocessing
CASES = {
    "special.logsumexp": lambda f: special.logsumexp(f(a), axis=1),
    "special.softmax": lambda f: special.softmax(f(a), axis=1),
    "special.erf": lambda f: special.erf(f(a)),
    "special.entr": lambda f: special.entr(f(abs(a))),
    "stats.zscore": lambda f: stats.zscore(f(a)),
    "stats.skew": lambda f: stats.skew(f(a)),
    "stats.kurtosis": lambda f: stats.kurtosis(f(a)),
    "stats.moment": lambda f: stats.moment(f(a), 3),
    "stats.gmean": lambda f: stats.gmean(f(abs(a))),
    "stats.sem": lambda f: stats.sem(f(a)),
    "stats.variation": lambda f: stats.variation(f(a)),
    "stats.pearsonr": lambda f: stats.pearsonr(f(a[:, 0]), f(b[:, 0])).statistic,
    "stats.ttest_1samp": lambda f: stats.ttest_1samp(f(a), 0.0).statistic,
    "fft.fft": lambda f: scipy.fft.fft(f(a)),
    "cluster.whiten": lambda f: scipy.cluster.vq.whiten(f(a)),
    "integrate.trapezoid": lambda f: scipy.integrate.trapezoid(f(a)),
    "signal.detrend": lambda f: scipy.signal.detrend(f(a)),
    "sklearn.r2_score": lambda f: metrics.r2_score(f(a), f(b)),
    "sklearn.mean_squared_error": lambda f: metrics.mean_squared_error(f(a), f(b)),
    "sklearn.accuracy_score": lambda f: metrics.accuracy_score(f(y), f(z)),
    "sklearn.MinMaxScaler": lambda f: scale.MinMaxScaler().fit_transform(f(a)),
    "sklearn.MaxAbsScaler": lambda f: scale.MaxAbsScaler().fit_transform(f(a)),
    "sklearn.normalize": lambda f: scale.normalize(f(a)),
}
problems = {}
with sklearn.config_context(array_api_dispatch=True):
    for name, case in CASES.items():
        got, want = case(xp.asarray), case(np.asarray)
        if not isinstance(got, (float, torsh.Tensor)):
            problems[name] = f"gave {type(got).__name__}"
        elif not np.allclose(np.asarray(got), np.asarray(want), rtol=1e-6, atol=1e-9):
            problems[name] = "differs"
print(json.dumps([len(CASES), problems]))
"""


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_scipy_and_sklearn_run_on_torsh_arrays(backend):
    pytest.importorskip("sklearn")
    if backend == "torch":
        pytest.importorskip("torch")
    env = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, backend], capture_output=True, text=True, env=env, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    count, problems = json.loads(done.stdout.splitlines()[-1])
    assert count >= 20
    assert not problems


def test_names_and_kinds():
    assert xp.__array_api_version__ == "2025.12"
    assert xp.isdtype(xp.float32, "real floating")
    assert not xp.isdtype(xp.int8, ("unsigned integer", "bool"))
    a = xp.asarray([[1, 2], [3, 4]])
    assert a.size == 4
    assert a.__array_namespace__() is xp
    assert torsh.ones(2).__array_namespace__() is xp
    with pytest.raises(ValueError, match="unsupported version"):
        a.__array_namespace__(api_version="1999.1")


def test_promotion_of_unsigned_integers():
    a, b = xp.asarray([1], dtype=xp.uint16), xp.asarray([-2], dtype=xp.int16)
    assert (a + b).dtype is xp.int32
    assert xp.result_type(xp.uint32, xp.int8) is xp.int64
    with pytest.raises(TypeError, match="no promotion"):
        xp.result_type(xp.uint64, xp.int8)


def test_negative_steps_and_writing_through_them():
    a = xp.reshape(xp.arange(6), (2, 3))
    expected = np.arange(6).reshape(2, 3)
    assert np.array_equal(np.asarray(a[::-1, ::-2]), expected[::-1, ::-2])
    a[:, ::-1] = xp.asarray([10, 20, 30])
    expected[:, ::-1] = [10, 20, 30]
    assert np.array_equal(np.asarray(a), expected)


def test_division_by_and_of_infinities():
    inf = xp.inf
    a, b = xp.asarray([1.0, -1.0, inf, 0.0, 1.0]), xp.asarray([inf, inf, 2.0, 5.0, 0.0])
    assert np.array_equal(np.asarray(a // b), [0.0, -0.0, inf, 0.0, inf])


def test_bound_to_a_backend():
    pytest.importorskip("torch")
    bound = xp.namespace("torch")
    a = bound.ones((2, 2))
    assert a._kind.backend.name == "torch"
    assert (a @ a)._kind.backend.name == "torch"
    assert bound.fft.fft(bound.ones(2))._kind.backend.name == "torch"
    assert str(inspect.signature(bound.linalg.vecdot)) == str(inspect.signature(xp.linalg.vecdot))
    a[a > 0] = 5  # indexing makes its helpers where the array is
    assert float(bound.sum(a[bound.asarray(True)])) == 20
    with pytest.raises(torsh.registry.BackendUnavailable, match="unknown backend 'nowhere'"):
        xp.namespace("nowhere")
