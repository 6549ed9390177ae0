"""``masked._where`` with sparse masks."""

import pytest

import torsh

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:Sparse")


def coo(lib, indices, values, size):
    return lib.sparse_coo_tensor(lib.tensor(indices), lib.tensor(values), size).coalesce()


def parts(x):
    if str(x.layout).endswith("csr"):
        return [x.crow_indices().tolist(), x.col_indices().tolist(), x.values().tolist(), tuple(x.shape)]
    return [x.is_coalesced(), x.indices().tolist(), x.values().tolist(), tuple(x.shape)]


MASK = [[0, 0, 1, 2], [0, 2, 1, 0]], [True, True, False, True]
CASES = {
    "coo": lambda lib: (
        coo(lib, *MASK, (3, 4)),
        coo(lib, [[2, 0, 1, 0], [3, 2, 1, 0]], [1.0, 2.0, 3.0, 4.0], (3, 4)),
    ),
    "no entries": lambda lib: (coo(lib, *MASK, (3, 4)), lib.zeros(3, 4).to_sparse()),
    "nothing chosen": lambda lib: (
        coo(lib, [[0], [1]], [False], (3, 4)),
        coo(lib, [[0, 2], [1, 3]], [1.0, 2.0], (3, 4)),
    ),
    "hybrid": lambda lib: (
        coo(lib, [[0, 2, 3]], [[True, False], [True, True], [False, False]], (4, 2)),
        coo(lib, [[3, 0]], [[1.0, 2.0], [3.0, 4.0]], (4, 2)),
    ),
    "csr": lambda lib: (
        coo(lib, *MASK, (3, 4)).to_sparse_csr(),
        coo(lib, [[0, 1, 2], [2, 1, 3]], [2, 3, 4], (3, 4)).to_sparse_csr(),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_entries_of_the_mask(case):
    found, wanted = (
        parts(lib.masked._ops._where(*CASES[case](lib), lib.tensor(7.0 if case != "csr" else 7)))
        for lib in (torsh, torch)
    )
    assert found == wanted


@pytest.mark.parametrize("case", ["layout", "shape", "bsr"])
def test_what_does_not_fit(case):
    def error(lib):
        mask = coo(lib, *MASK, (3, 4))
        other = {"layout": lib.ones(3, 4), "shape": coo(lib, *MASK, (3, 5)), "bsr": mask}[case]
        with pytest.raises((AssertionError, ValueError)) as e:
            lib.masked._where(mask.to_dense().to_sparse_bsr((1, 1)) if case == "bsr" else mask, other, lib.tensor(1.0))
        return type(e.value)

    assert error(torsh) is error(torch)
