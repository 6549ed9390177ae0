"""Typed storages: their deprecation warning, what tensors and storages share, what the meta device refuses."""

from __future__ import annotations

import warnings

import pytest

import torsh
from torsh import storage as storages

torch = pytest.importorskip("torch")


@pytest.fixture
def always():
    storages._set_always_warn_typed_storage_removal(True)
    yield
    storages._set_always_warn_typed_storage_removal(False)


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_each_public_use_warns_once_when_asked_to(always):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = torsh.FloatStorage(3)
    uses = (
        lambda: torsh.FloatStorage(),
        lambda: torsh.FloatStorage.dtype,
        lambda: s.fill_(0),
        lambda: s.is_cuda,
        lambda: s.untyped(),
        lambda: len(s),
        lambda: s[0],
        lambda: torsh.ones(2).storage(),
        lambda: s.double(),
    )
    for use in uses:
        with pytest.warns(UserWarning, match="^TypedStorage is deprecated") as found:
            use()
        assert len(found) == 1
        assert found[0].filename == __file__


def test_the_silent_names_do_not_warn(always, quiet):
    s = torsh.FloatStorage(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        s._setitem(slice(0, 3), 1)
        assert (s._size(), s._nbytes(), s._element_size(), s._getitem(0)) == (3, 12, 4, 1.0)
        torsh.ones(2)._typed_storage()
        torsh.FloatStorage(_internal=True)


def test_by_default_only_the_first_use_warns():
    storages._reset_warn_typed_storage_removal()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        torsh.FloatStorage()
        torsh.ones(2).storage()
    assert [str(w.message)[:26] for w in found] == ["TypedStorage is deprecated"]


def test_tensor_types_look_at_a_storage(quiet):
    x = torsh.arange(4.0)
    assert torsh.FloatTensor(x.storage()).data_ptr() == x.data_ptr()
    assert x.new(x.storage()).data_ptr() == x.data_ptr()
    for lib in (torch, torsh):
        t = lib.arange(4.0)
        with pytest.raises(
            RuntimeError, match="Expected a Storage of type Float or an UntypedStorage, but got type Double"
        ):
            lib.FloatTensor(t.double().storage())
        with pytest.raises(RuntimeError, match="Expected a Storage of type Float or an UntypedStorage, but got Double"):
            lib.tensor(t.double().storage(), dtype=lib.float32)
        assert lib.tensor(t.untyped_storage(), dtype=lib.float32).tolist() == t.tolist()
        assert lib.Tensor(size=(2, 3)).shape == (2, 3)
        assert t.new(size=(2,)).shape == (2,)


@pytest.mark.parametrize("lib", [torch, torsh], ids=["torch", "torsh"])
def test_storages_of_the_meta_device_have_no_values(lib, quiet):
    s = lib.UntypedStorage([1, 2, 3], device="meta")
    assert (s.nbytes(), s.data_ptr()) == (3, 0)
    for use in (lambda: s[0], lambda: s.tolist(), lambda: s[0:2]):
        with pytest.raises(NotImplementedError, match="Not available for 'meta' device type"):
            use()
    with pytest.raises(RuntimeError, match="only available on CPU"):
        s.share_memory_()
    assert repr(s.clone()).startswith("...\n[")


def test_the_storage_class_follows_the_default_dtype():
    torsh.set_default_dtype(torsh.float64)
    try:
        assert torsh.Storage is torsh.DoubleStorage
    finally:
        torsh.set_default_dtype(torsh.float32)
    assert torsh.Storage is torsh.FloatStorage
