"""A Sphinx extension that writes the pages of the API reference, one per room, before the docs are read.

The pages are generated from what torsh has, into ``docs/api`` (not kept in the repository).
"""

import importlib
import inspect
import re
from pathlib import Path

from torsh_conformance import api


def _kind(value):
    if isinstance(value, property) or inspect.isdatadescriptor(value):
        return "autoattribute"
    return "autoclass" if isinstance(value, type) else "autofunction"


def _summary(value):
    return (inspect.getdoc(value) or "").split("\n")[0].split("  ")[0]


def _page(room, seen):
    found = list(api.entries(room))
    is_class = room == "torsh.Tensor"
    module = importlib.import_module("torsh").Tensor if is_class else importlib.import_module(room)
    lines = [
        room,
        "=" * len(room),
        "",
        _summary(module),
        "",
        f".. py:currentmodule:: {'torsh' if is_class else room}",
        "",
    ]
    for name, value in found:
        kind = _kind(value)
        lines.append(f".. {'automethod' if is_class and kind == 'autofunction' else kind}:: {name}")
        if kind == "autoclass":  # found in several rooms: described in each, in the index once
            if id(value) in seen:
                lines.append("   :no-index:")
            seen.add(id(value))
        lines.append("")
    return "\n".join(lines), len(found)


def _write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


_HEAD = """API reference
=============

The public names of torsh by room, with how many there are. The examples are run by the test suite.

.. toctree::
   :maxdepth: 1

"""


def generate(app):
    """Write ``api/index.rst`` and a page per room."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    rows, seen = [], set()
    for room in api.ROOMS:
        text, count = _page(room, seen)
        _write(folder / f"{room}.rst", text)
        rows.append(f"   {room} ({count}) <{room}>")
    _write(folder / "index.rst", _HEAD + "\n".join(rows) + "\n")


# Between literals, a star, a bar or a trailing underscore is that character, not markup.
_LITERAL = re.compile(r"(``.+?``|:\w+:`.+?`)")
_MARKUP = re.compile(r"\*|\||(?<=\w)_(?!\w)")


def _escaped(line):
    return "".join(part if i % 2 else _MARKUP.sub(r"\\\g<0>", part) for i, part in enumerate(_LITERAL.split(line)))


def plain_text(app, what, name, obj, options, lines):
    """Docstrings are plain text with ``literals`` and examples: let them look like that."""
    found, example = [], False
    for line in lines:
        example = line.startswith(">>>") or (example and line.strip() != "")
        if line.startswith("Source: "):
            found += ["", f"`Source <{line[8:].strip()}>`__", ""] if " " not in line[8:].strip() else ["", line, ""]
        else:
            found.append(line if example else _escaped(line))
    lines[:] = found


def setup(app):
    app.connect("builder-inited", generate)
    app.connect("autodoc-process-docstring", plain_text)
    return {"parallel_read_safe": True}
