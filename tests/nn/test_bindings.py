"""What programs take from ``torch._C._nn``."""

import pytest

import torsh
from torsh import _C

torch = pytest.importorskip("torch")

CALLS = [
    lambda lib, parse: parse(lib.float64),
    lambda lib, parse: parse("cpu", lib.float16),
    lambda lib, parse: parse(lib.ones(2)),
    lambda lib, parse: parse(device="cpu"),
    lambda lib, parse: parse(memory_format=lib.channels_last),
    lambda lib, parse: parse(lib.float32, True),
    lambda lib, parse: parse("cpu", None, True),
    lambda lib, parse: parse(),
    lambda lib, parse: parse(lib.ones(1), copy=True),
]


@pytest.mark.parametrize("call", CALLS)
def test_arguments_of_to(call):
    def run(lib, parse):
        try:
            return [str(x).rpartition(".")[2] for x in call(lib, parse)]
        except RuntimeError as e:
            return str(e)[:35]

    assert run(torsh, _C._nn._parse_to) == run(torch, torch._C._nn._parse_to)


def test_functions():
    assert _C._nn.gelu(torsh.tensor([1.0])).item() == pytest.approx(torch._C._nn.gelu(torch.tensor([1.0])).item())
