"""FileCheck: does a text contain what it should, in order?"""

from __future__ import annotations

import re
from typing import NamedTuple


class _Check(NamedTuple):
    kind: str
    text: str
    count: int = 0

    def __str__(self) -> str:
        kind = f"{self.kind}-{self.count}" if self.kind == "CHECK-COUNT" else self.kind
        return f"{kind}: {self.text}"


class FileCheck:
    """Checks to be made on a text, in the order in which they were added; ``run`` raises RuntimeError at the first that fails.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> from torsh.testing import FileCheck
    >>> FileCheck().check("one").check_next("two").check_not("four").run("one\\ntwo\\nthree")
    """

    def __init__(self) -> None:
        self._checks: list[_Check] = []

    def _add(self, kind: str, text: str, count: int = 0) -> FileCheck:
        self._checks.append(_Check(kind, text, count))
        return self

    def check(self, str: str) -> FileCheck:
        """The text comes after what was found before."""
        return self._add("CHECK", str)

    def check_not(self, str: str) -> FileCheck:
        """The text does not come between what is found before and after this check."""
        return self._add("CHECK-NOT", str)

    def check_same(self, str: str) -> FileCheck:
        """The text comes later in the line of what was found before."""
        return self._add("CHECK-SAME", str)

    def check_next(self, str: str) -> FileCheck:
        """The text comes in the line after what was found before."""
        return self._add("CHECK-NEXT", str)

    def check_count(self, str: str, count: int, exactly: bool = False) -> FileCheck:
        """The text comes ``count`` times; ``exactly``: and not once more."""
        if not count and not exactly:
            raise RuntimeError("Count == 0 && !exactly doesn't do anything")
        if count:
            self._add("CHECK-COUNT", str, count)
        return self._add("CHECK-NOT", str) if exactly else self

    def check_dag(self, str: str) -> FileCheck:
        """The text comes after what was found before; neighbouring checks of this sort come in any order."""
        return self._add("CHECK-DAG", str)

    def check_source_highlighted(self, str: str) -> FileCheck:
        """The text comes, and the line below it underlines it with ``~``."""
        return self._add("CHECK-SOURCE-HIGHLIGHTED", str)

    def check_regex(self, str: str) -> FileCheck:
        """A match of the regular expression comes after what was found before."""
        return self._add("CHECK-REGEX", str)

    def run(self, *args: str, **named: str) -> None:
        """Check a text.  With two texts, the first says the checks (lines with ``# CHECK: text`` and the like).

        Raises RuntimeError saying what was not found (or found) and where.
        """
        texts = [*args, *named.values()]
        if len(texts) == 2:
            self._checks = _read(texts[0])
            texts = texts[1:]
        text = texts[0]
        if not self._checks:
            raise RuntimeError("No checks have been added to this instance of Filecheck! Check for bad input.")
        at, i = 0, 0
        while i < len(self._checks):
            forbidden: list[_Check] = []
            while i < len(self._checks) and self._checks[i].kind == "CHECK-NOT":
                forbidden.append(self._checks[i])
                i += 1
            group = self._checks[i : i + 1]
            i += 1
            if group and group[0].kind == "CHECK-DAG":
                while i < len(self._checks) and self._checks[i].kind == "CHECK-DAG":
                    group.append(self._checks[i])
                    i += 1
            before = at
            start = len(text)
            if group:
                start, at = _find_group(text, group, at)
            for check in forbidden:
                _absent(text, check.text, before, start, check)


def _read(text: str) -> list[_Check]:
    """The checks that comments of a text ask for."""
    found = []
    pattern = r"#[ \t]*CHECK(?:-(NOT|SAME|NEXT|DAG|REGEX|SOURCE-HIGHLIGHTED|COUNT-(\d+)(-EXACTLY)?))?:[ \t]*(.*)"
    for match in re.finditer(pattern, text):
        kind, count, exactly, what = match.groups()
        what = what.rstrip()
        if count:
            found.append(_Check("CHECK-COUNT", what, int(count)))
            if exactly:
                found.append(_Check("CHECK-NOT", what))
        else:
            found.append(_Check(f"CHECK-{kind}" if kind else "CHECK", what))
    return found


def _marked(text: str, start: int, width: int) -> str:
    """The line at a place with a mark below it."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    return f"{text[:last]}\n{' ' * (start - first)}{'~' * width} <--- HERE\n{text[last + 1 :]}"


def _present(text: str, what: str, start: int, check: _Check) -> int:
    at = text.find(what, start)
    if at < 0:
        shown = _marked(text, start, 1) if start else text
        raise RuntimeError(
            f"Expected to find {_quoted(what)} but did not find it\nSearched string:\n{shown}From {check}\n"
        )
    return at


def _absent(text: str, what: str, start: int, end: int, check: _Check) -> None:
    at = text.find(what, start, end)
    if at >= 0:
        raise RuntimeError(
            f"Expected to not find {_quoted(what)} but found it\n{_marked(text, at, len(what))}From {check}\n"
        )


def _quoted(what: str) -> str:
    return '"' + what.replace("\n", "\\n") + '"'


def _find_group(text: str, group: list[_Check], at: int) -> tuple[int, int]:
    """(where the first of the checks was found, where the last ends)."""
    check = group[0]
    if check.kind == "CHECK-DAG":
        places = [(_present(text, c.text, at, c), c) for c in group]
        return min(p for p, _ in places), max(p + len(c.text) for p, c in places)
    if check.kind == "CHECK-COUNT":
        first = end = -1
        for _ in range(check.count):
            found = _present(text, check.text, at, check)
            first = found if first < 0 else first
            at = end = found + len(check.text)
        return first, end
    if check.kind == "CHECK-REGEX":
        match = re.compile(check.text).search(text, at)
        if match is None:
            raise RuntimeError(
                f'Expected to find regex "{check.text}" but did not find it\nSearched string:\n{text[at:]}From {check}\n'
            )
        return match.start(), match.end()
    if check.kind == "CHECK-NEXT":
        line = _present(text, "\n", at, check) + 1
        found = _present(text, check.text, line, check)
        _absent(text, "\n", line, found, check)
        return found, found + len(check.text)
    found = _present(text, check.text, at, check)
    if check.kind == "CHECK-SAME":
        _absent(text, "\n", at, found, check)
    elif check.kind == "CHECK-SOURCE-HIGHLIGHTED":
        while not _underlined(text, found, len(check.text)):
            later = text.find(check.text, found + 1)
            if later < 0:
                raise RuntimeError(
                    f'Expected to find "{check.text}"highlighted but it is not.\n{_marked(text, found, len(check.text))}'
                )
            found = later
    return found, found + len(check.text)


def _underlined(text: str, at: int, width: int) -> bool:
    column = at - (text.rfind("\n", 0, at) + 1)
    below = text.find("\n", at)
    if below < 0:
        return False
    line = text[below + 1 :].split("\n", 1)[0]
    return (
        line[column : column + width] == "~" * width
        and line[column - 1 : column] != "~"
        and line[column + width : column + width + 1] != "~"
    )


__all__ = ["FileCheck"]
