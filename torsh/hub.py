"""Models and weights by name: from a folder on this machine, and files by URL into a cache.

Repositories on GitHub are not fetched: clone one, and load it with ``source="local"``.
Source: https://docs.pytorch.org/docs/stable/hub.html
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import urllib.parse
import urllib.request
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
ENV_TORCH_HOME, ENV_XDG_CACHE_HOME, DEFAULT_CACHE_DIR = "TORCH_HOME", "XDG_CACHE_HOME", "~/.cache"
MODULE_HUBCONF = "hubconf.py"
VAR_DEPENDENCY = "dependencies"
READ_DATA_CHUNK = 128 * 1024

_directory: str | None = None


def _get_torch_home() -> str:
    """The folder for caches: ``$TORCH_HOME``, or ``torch`` in the user's cache folder."""
    cache = os.getenv(ENV_XDG_CACHE_HOME, DEFAULT_CACHE_DIR)
    return os.path.expanduser(os.getenv(ENV_TORCH_HOME, os.path.join(cache, "torch")))


def get_dir() -> str:
    """The folder that ``load`` and ``load_state_dict_from_url`` keep files in.

    Source: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.get_dir

    >>> import torsh
    >>> import os
    >>> isinstance(torsh.hub.get_dir(), str)
    True
    """
    return os.path.join(_get_torch_home(), "hub") if _directory is None else _directory


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep files in another folder.  Source: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.set_dir

    >>> import torsh
    >>> import tempfile
    >>> before, folder = torsh.hub.get_dir(), tempfile.TemporaryDirectory()
    >>> torsh.hub.set_dir(folder.name)
    >>> torsh.hub.get_dir() == folder.name
    True
    >>> torsh.hub.set_dir(before)
    >>> folder.cleanup()
    """
    global _directory
    _directory = os.path.expanduser(d)


def _local(repo_or_dir: str, source: str) -> str:
    if source not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source == "github":
        raise NotImplementedError(
            f"torsh does not fetch repositories: clone {repo_or_dir!r} and pass its folder with source='local'"
        )
    return os.path.expanduser(repo_or_dir)


@contextlib.contextmanager
def _importing_from(path: str) -> Iterator[None]:
    sys.path.insert(0, path)
    try:
        yield
    finally:
        sys.path.remove(path)


def _hubconf(folder: str) -> Any:
    path = os.path.join(folder, MODULE_HUBCONF)
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"[Errno 2] No such file or directory: {path!r}: a folder with models has a {MODULE_HUBCONF}"
        )
    spec = importlib.util.spec_from_file_location(MODULE_HUBCONF, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    missing = [d for d in getattr(module, VAR_DEPENDENCY, ()) if d != "torch" and importlib.util.find_spec(d) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _entry(module: Any, model: str) -> Any:
    if not isinstance(model, str):
        raise ValueError("Invalid input: model should be a string of function name")
    found = getattr(module, model, None)
    if found is None or not callable(found):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return found


def list(
    github: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: Any = None,
    verbose: bool = True,
    *,
    source: str = "local",
) -> Any:
    """The names of the models in a folder's ``hubconf.py``.

    Source: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.list

    >>> import torsh
    >>> import os, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with open(os.path.join(folder.name, "hubconf.py"), "w") as file:
    ...     _ = file.write("def one(): return 1")
    >>> torsh.hub.list(folder.name)
    ['one']
    >>> folder.cleanup()
    """
    folder = _local(github, source)
    with _importing_from(folder):
        module = _hubconf(folder)
    return [f for f in dir(module) if callable(getattr(module, f)) and not f.startswith("_")]


def help(
    github: str,
    model: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: Any = None,
    *,
    source: str = "local",
) -> Any:
    """The docstring of a model's function.  Source: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.help"""
    folder = _local(github, source)
    with _importing_from(folder):
        return _entry(_hubconf(folder), model).__doc__


def load(
    repo_or_dir: str, model: str, *args: Any, source: str = "github", trust_repo: Any = None, force_reload: bool = False, verbose: bool = True,
    skip_validation: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """What a folder's ``hubconf.py`` gives for a model: ``model(*args, **kwargs)``.

    source: "local", a folder.  Repositories of "github" raise NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load

    >>> import torsh
    >>> import os, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with open(os.path.join(folder.name, "hubconf.py"), "w") as file:
    ...     _ = file.write("def one(): return 1")
    >>> torsh.hub.load(folder.name, "one", source="local")
    1
    >>> folder.cleanup()
    """
    folder = _local(repo_or_dir, source)
    with _importing_from(folder):
        return _entry(_hubconf(folder), model)(*args, **kwargs)


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Fetch a URL (``http``, ``https``, ``file``) into a file, which appears when it is complete.

    hash_prefix: what the SHA-256 of the contents must begin with, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.download_url_to_file
    """
    dst = os.path.expanduser(dst)
    digest = hashlib.sha256()
    request = urllib.request.Request(url, headers={"User-Agent": "torch.hub"})
    with urllib.request.urlopen(request) as source:
        handle, partial = tempfile.mkstemp(
            prefix=f"{os.path.basename(dst)}.", suffix=".partial", dir=os.path.dirname(os.path.abspath(dst))
        )
        try:
            with os.fdopen(handle, "wb") as f:
                while chunk := source.read(READ_DATA_CHUNK):
                    f.write(chunk)
                    digest.update(chunk)
            found = digest.hexdigest()
            if hash_prefix is not None and not found.startswith(hash_prefix):
                raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{found}")')
            shutil.move(partial, dst)
        finally:
            if os.path.exists(partial):
                os.remove(partial)


def load_state_dict_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True, check_hash: bool = False,
    file_name: str | None = None, weights_only: bool = False,
) -> Any:  # fmt: skip
    """What ``torch.load`` gives for the file at a URL, fetched once into the cache.

    check_hash: the file's name says the beginning of its SHA-256 (``name-<hash>.ext``), which must be right.
    Source: https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url
    """
    import torsh

    if os.getenv("TORCH_MODEL_ZOO"):
        warnings.warn("TORCH_MODEL_ZOO is deprecated, please use env TORCH_HOME instead", stacklevel=2)
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = os.path.basename(urllib.parse.urlparse(url).path) if file_name is None else file_name
    cached = os.path.join(folder, name)
    if not os.path.exists(cached):
        sys.stderr.write(f'Downloading: "{url}" to {cached}\n')
        wanted = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, cached, wanted.group(1) if wanted else None, progress=progress)
    if zipfile.is_zipfile(cached):
        with zipfile.ZipFile(cached) as z:
            members = z.infolist()
            if len(members) == 1:  # an old archive with the file in it
                z.extractall(folder)
                cached = os.path.join(folder, members[0].filename)
    return torsh.load(cached, map_location=map_location, weights_only=weights_only)
