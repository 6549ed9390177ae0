"""Arguments of types that PyTorch's parser refuses, in its words; and numbers of other libraries, which it takes."""

from __future__ import annotations

import numpy as np
import pytest
from bad_input import cases, first_words, torch, torsh

# what fits no signature
SIGNATURES = r"""
t.addmm(t.eye(2), t.eye(2), t.eye(2), alpha='q')
t.addmv(t.ones(2), t.eye(2), t.ones(2), beta='q')
t.lerp(t.ones(2), t.ones(2), 'q')
t.where(t.ones(2) > 0, 'a', t.ones(2))
t.addcdiv(t.ones(2), t.ones(2), [1., 2.])
t.add(t.ones(2), t.ones(2), alpha='x')
t.add(None, t.ones(2), alpha=2)
t.sub('x', t.ones(2), alpha=2)
t.gather(t.eye(2), 1.5, t.zeros(2, 2, dtype=t.int64))
t.nn.functional.avg_pool2d(t.ones(1, 1, 4, 4), (2, 2.5))
t.nn.functional.avg_pool2d(t.ones(1, 1, 4, 4), (2.5, 2))
t.nn.functional.avg_pool2d(t.ones(1, 1, 4, 4), 'x')
t.linalg.vector_norm(t.ones(3), 'a')
t.cat([t.zeros(2), 3])
t.stack((1, t.ones(2)))
t.cat(t.ones(2))
t.randint(0, 2**63, (2,))
t.ones(2).repeat_interleave('x')
"""

# operands of different dtypes, where there is no promotion
DTYPES = r"""
t.linalg.cross(t.ones(3), t.ones(3).double())
t.linalg.vecdot(t.ones(3), t.ones(3).double())
t.cdist(t.ones(2, 2), t.ones(2, 2).double())
t.nn.functional.bilinear(t.ones(2, 3), t.ones(2, 3), t.ones(2, 3, 3).double())
t.nn.functional.batch_norm(t.ones(2, 3).double(), t.zeros(3), t.ones(3))
t.nn.functional.batch_norm(t.ones(2, 3), t.zeros(3).double(), t.ones(3).double())
t.nn.functional.layer_norm(t.ones(2, 3), (3,), t.ones(3).double())
t.nn.functional.layer_norm(t.ones(2, 3).double(), (3,), t.ones(3))
t.nn.functional.layer_norm(t.ones(2, 3).bfloat16(), (3,), t.ones(3).double())
t.nn.functional.group_norm(t.ones(2, 4, 3).double(), 2, t.ones(4), t.ones(4))
t.nn.functional.mse_loss(t.ones(2) + 1j, t.ones(2) + 1j)
t.nn.functional.huber_loss(t.ones(2) + 1j, t.ones(2) + 1j)
t.nn.functional.smooth_l1_loss(t.ones(2) + 1j, t.ones(2) + 1j)
t.meshgrid(t.ones(2), t.ones(2).double(), indexing='ij')
"""

# sources that are no stack of slices
SLICES = r"""
t.zeros(5).index_add(0, t.tensor([0, 1]), t.ones(2, 1))
t.zeros(5).index_add(0, t.tensor([0, 1]), t.ones(1, 2))
t.zeros(5, 3).index_add(0, t.tensor([0, 1]), t.ones(2))
t.zeros(1, 5).index_add(1, t.tensor([0, 1]), t.ones(2))
t.zeros(()).index_add(0, t.tensor([0]), t.ones(1))
t.zeros(5).index_add(0, t.tensor([0]), t.tensor(1.))
t.zeros(5).index_reduce(0, t.tensor([0]), t.tensor(1.), 'amax')
t.cdist(t.ones(2, 2), t.ones(2, 2), p=float('nan'))
"""


@pytest.mark.parametrize("case", cases(SIGNATURES, DTYPES, SLICES))
def test_the_first_words_are_those_of_pytorch(case) -> None:
    assert first_words(case, torsh) == first_words(case, torch)


NUMBERS = {
    "kernel": lambda t, n: t.nn.functional.avg_pool2d(t.arange(16.0).reshape(1, 1, 4, 4), n),
    "stride": lambda t, n: t.nn.functional.max_pool2d(t.arange(16.0).reshape(1, 1, 4, 4), 2, n),
    "convolution": lambda t, n: t.nn.functional.conv1d(
        t.arange(8.0).reshape(1, 2, 4), t.ones(2, 1, 2), None, 1, 1, 1, n
    ),
    "order": lambda t, n: t.linalg.vector_norm(t.arange(4.0), n),
    "distance": lambda t, n: t.dist(t.arange(4.0), t.ones(4), n),
    "counts": lambda t, n: t.eye(3).repeat_interleave(n, 0),
    "groups": lambda t, n: t.nn.functional.channel_shuffle(t.arange(8.0).reshape(1, 4, 2), n),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_numpy_and_tensors_of_one_element_stand_for_numbers(name) -> None:
    call = NUMBERS[name]
    for torsh_number, torch_number in ((np.int64(2), np.int64(2)), (torsh.tensor(2), torch.tensor(2))):
        try:
            expected = call(torch, torch_number)
        except (TypeError, RuntimeError) as error:
            with pytest.raises(type(error)):
                call(torsh, torsh_number)
            continue
        assert call(torsh, torsh_number).tolist() == expected.tolist()


def test_elements_outside_a_window_do_not_touch_its_mean() -> None:
    for bad in (float("inf"), float("nan")):
        for t in (torsh, torch):
            x = t.arange(64.0).reshape(1, 1, 8, 8)
            x[0, 0, 3, 3] = bad
            pooled = t.nn.functional.adaptive_avg_pool2d(x, 3)
            grown = t.nn.functional.interpolate(x, size=(5, 11), mode="bilinear")
            assert int(pooled.isfinite().sum()) == 8
            assert int(grown.isfinite().sum()) == 52
