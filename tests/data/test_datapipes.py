"""Data pipes against PyTorch's: the same elements, lengths, names and refusals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

import torsh
import torsh.utils.data
import torsh.utils.data.datapipes.iter
import torsh.utils.data.datapipes.map

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.data")
BOTH = (torsh, torch)
pytestmark = pytest.mark.filterwarnings("ignore")


def pipe(lib: Any, items: Any) -> Any:
    return lib.utils.data.datapipes.iter.IterableWrapper(items)


def seq(lib: Any, items: Any) -> Any:
    return lib.utils.data.datapipes.map.SequenceWrapper(items)


def odd(x: int) -> int:
    return x % 2


CASES = {
    "steps": lambda lib: list(pipe(lib, range(10)).map(lambda x: x * 2).filter(lambda x: x > 4).batch(3)),
    "drop_last": lambda lib: list(pipe(lib, range(10)).batch(3, drop_last=True)), "zip": lambda lib: list(pipe(lib, range(5)).zip(pipe(lib, "abcde"))),
    "unbatch": lambda lib: list(pipe(lib, [[1, [2]], [3]]).unbatch()), "unbatch all": lambda lib: list(pipe(lib, [[1, [2]], [3]]).unbatch(unbatch_level=-1)),
    "fork": lambda lib: [list(x) for x in pipe(lib, range(4)).fork(2)], "forked together": lambda lib: list(zip(*pipe(lib, range(4)).fork(3))),
    "demux": lambda lib: [list(x) for x in pipe(lib, range(6)).demux(2, odd)], "concat": lambda lib: list(pipe(lib, range(4)).concat(pipe(lib, range(2)))),
    "mux": lambda lib: list(pipe(lib, range(6)).mux(pipe(lib, "ab"))), "sharding": lambda lib: list(pipe(lib, range(6)).sharding_filter()),
    "groupby": lambda lib: list(pipe(lib, range(7)).groupby(odd)), "group size": lambda lib: list(pipe(lib, range(7)).groupby(odd, group_size=2)),
    "kept key": lambda lib: list(pipe(lib, range(4)).groupby(odd, keep_key=True)), "twice": lambda lib: [list(p) for p in [pipe(lib, range(3)).map(str)] * 2],
    "lengths": lambda lib: [len(pipe(lib, range(7))), len(pipe(lib, range(7)).batch(2)), len(pipe(lib, range(3)).concat(pipe(lib, range(2))))],
    "name": lambda lib: [str(pipe(lib, []).map(len)), str(pipe(lib, [])), str(seq(lib, [1]).batch(1))], "column": lambda lib: list(pipe(lib, [(1, 2), (3, 4)]).map(lambda x: -x, input_col=1)),
    "columns": lambda lib: list(pipe(lib, [(1, 2, 3)]).map(lambda a, b: a + b, input_col=[0, 2], output_col=1)), "merged": lambda lib: list(pipe(lib, [(1, 2, 3)]).map(lambda a, b: a + b, input_col=[0, 2])),
    "appended": lambda lib: list(pipe(lib, [[1, 2]]).map(lambda a: a * 10, input_col=1, output_col=-1)), "filter column": lambda lib: list(pipe(lib, [(1, 2), (3, 0)]).filter(bool, input_col=1)),
    "no length": lambda lib: len(pipe(lib, range(3)).filter(bool)), "shuffled": lambda lib: sorted(pipe(lib, range(30)).shuffle(buffer_size=4)),
    "seeded": lambda lib: list(pipe(lib, range(30)).shuffle(buffer_size=7).set_seed(3)), "unshuffled": lambda lib: list(pipe(lib, range(9)).shuffle().set_shuffle(False)),
    "map": lambda lib: [seq(lib, [1, 2, 3]).map(lambda x: x * 10)[i] for i in range(3)], "map batch": lambda lib: list(itertools.islice(seq(lib, [1, 2, 3]).batch(2), 2)),
    "map concat": lambda lib: seq(lib, [1, 2]).concat(seq(lib, [3]))[2], "map zip": lambda lib: seq(lib, [1, 2]).zip(seq(lib, [3]))[0], "map shuffle": lambda lib: sorted(seq(lib, range(9)).shuffle()),
    "map seeded": lambda lib: list(seq(lib, range(9)).shuffle().set_seed(3)), "map lengths": lambda lib: [len(seq(lib, range(7)).batch(2)), len(seq(lib, range(7)).zip(seq(lib, range(3))))],
    "out of range": lambda lib: seq(lib, [1, 2]).concat(seq(lib, [3]))[3], "bad batch": lambda lib: pipe(lib, []).batch(0), "bad demux": lambda lib: list(pipe(lib, range(3)).demux(2, lambda x: x)[0]),
    "far ahead": lambda lib: list(pipe(lib, range(9)).fork(2, buffer_size=3)[0]), "nothing": lambda lib: pipe(lib, []).no_such_step, "chunk": lambda lib: [lib.utils.data.DataChunk([1, 2]), lib.utils.data.DataChunk([1]).as_str("  ")],
    "too deep": lambda lib: list(pipe(lib, [1]).unbatch()), "not bool": lambda lib: list(pipe(lib, [1]).filter(lambda x: x)), "concat of lists": lambda lib: pipe(lib, []).concat([1]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_pipes(case: str) -> None:
    def found(lib: Any) -> Any:
        try:
            return CASES[case](lib)
        except Exception as e:
            return type(e)

    assert found(torsh) == found(torch)


def test_sharding() -> None:
    for lib in BOTH:
        p = pipe(lib, range(7)).sharding_filter()
        p.apply_sharding(3, 1)
        assert list(p) == [1, 4]
        assert len(p) == 2
        with pytest.raises(ValueError, match="should be smaller"):
            p.apply_sharding(2, 2)


def test_a_pipe_in_a_loader() -> None:
    loader = torsh.utils.data.DataLoader(pipe(torsh, range(6)).map(float), batch_size=4)
    assert [b.tolist() for b in loader] == [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0]]
    assert [b.tolist() for b in pipe(torsh, range(4)).batch(2).collate()] == [[0, 1], [2, 3]]


def test_files(tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    (tmp_path / "c.bin").write_text("no")
    for lib in BOTH:
        files = pipe(lib, [str(tmp_path)]).list_files(masks="*.txt")
        assert [(n.rsplit("/", 1)[1], t) for n, t in files.open_files(mode="r").read_from_stream()] == [
            ("a.txt", "one"),
            ("b.txt", "two"),
        ]


def test_determinism() -> None:
    for lib in BOTH:
        D = lib.utils.data

        class Chance(D.IterDataPipe):
            def __iter__(self) -> Iterator[int]:
                yield 4

        step = D.non_deterministic(Chance)
        assert list(step()) == [4]
        with D.guaranteed_datapipes_determinism(), pytest.raises(TypeError):
            step()
        with pytest.raises(TypeError):
            D.non_deterministic(3)


def test_validation() -> None:
    D = torsh.utils.data

    class Numbers(D.IterDataPipe[int]):
        def __init__(self, items: Any) -> None:
            self.items = items

        @D.runtime_validation
        def __iter__(self) -> Iterator[int]:
            yield from self.items

    assert list(Numbers([1, 2])) == [1, 2]
    with pytest.raises(RuntimeError, match="Expected an instance as subtype of"):
        list(Numbers([1, "x"]))
    with D.runtime_validation_disabled():
        assert list(Numbers([1, "x"])) == [1, "x"]

    @D.argument_validation
    def first(source: torsh.utils.data.IterDataPipe) -> Any:
        return next(iter(source))

    assert first(pipe(torsh, [7])) == 7
    with pytest.raises(TypeError, match="Expected argument"):
        first([7])
    with pytest.raises(TypeError, match="can only decorate"):
        D.functional_datapipe("nothing")(int)
    with pytest.raises(ValueError, match="already taken"):
        D.functional_datapipe("map")(Numbers)
