"""The toy plug-in is put on the path as an installed package would be: code and metadata side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "toy_plugin"


@pytest.fixture(scope="session")
def toy():
    """The toy backend, found through its entry point."""
    pytest.importorskip("array_api_strict")
    from torsh import registry

    sys.path.insert(0, str(PLUGIN))
    registry.refresh()
    yield registry.get("toy")
    sys.path.remove(str(PLUGIN))
    registry.refresh()
