"""Processes working together: stores, collective operations and DistributedDataParallel, in real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest

import torsh
from torsh import distributed as dist

PROGRAM = """
import sys, torch, torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP

rank, size, url = int(sys.argv[1]), 3, sys.argv[2]
dist.init_process_group("gloo", init_method=url, rank=rank, world_size=size)
assert dist.is_initialized() and dist.get_world_size() == size and dist.get_backend() == "gloo"
said = []

x = torch.arange(3.) + rank
dist.all_reduce(x)
said.append(x.tolist())
for op in (dist.ReduceOp.MAX, dist.ReduceOp.MIN, dist.ReduceOp.PRODUCT):
    y = torch.tensor([rank + 1, -rank])
    dist.all_reduce(y, op)
    said.append(y.tolist())
z = torch.full((2,), rank, dtype=torch.float64)
dist.broadcast(z, src=1)
said.append(z.tolist())
parts = [torch.zeros(2, dtype=torch.bfloat16) for _ in range(size)]
dist.all_gather(parts, torch.full((2,), rank + 0.5, dtype=torch.bfloat16))
said.append([p.tolist() for p in parts])
flat = torch.empty(3, dtype=torch.int64)
dist.all_gather_into_tensor(flat, torch.tensor([rank]))
said.append(flat.tolist())
part = torch.zeros(1)
dist.scatter(part, [torch.tensor([10. * r]) for r in range(size)] if rank == 2 else None, src=2)
said.append(part.tolist())
got = [torch.zeros(1) for _ in range(size)] if rank == 1 else None
dist.gather(part, got, dst=1)
said.append(got if got is None else [g.item() for g in got])
rs = torch.zeros(2)
dist.reduce_scatter(rs, [torch.full((2,), float(rank * 10 + r)) for r in range(size)])
said.append(rs.tolist())
out = [torch.zeros(1) for _ in range(size)]
dist.all_to_all(out, [torch.tensor([float(rank * 10 + r)]) for r in range(size)])
said.append([o.item() for o in out])
red = torch.ones(1) * (rank + 1)
dist.reduce(red, dst=0)
said.append(red.item() if rank == 0 else None)
objects = [None] * size
dist.all_gather_object(objects, {"rank": rank})
said.append(objects)
one = [{"a": rank}]
dist.broadcast_object_list(one, src=2)
said.append(one)
r = torch.zeros(2)
works = [dist.irecv(r, src=(rank - 1) % size), dist.isend(torch.full((2,), float(rank)), dst=(rank + 1) % size)]
for w in works:
    w.wait()
said.append(r.tolist())
pair = dist.new_group([0, 2])
w = torch.tensor([float(rank)])
if rank != 1:
    dist.all_reduce(w, group=pair)
said.append([w.item(), dist.get_rank(pair)])
dist.barrier()

torch.manual_seed(rank)  # different weights, which become those of process 0
model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
ddp = DDP(model)
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
data = torch.linspace(-1, 1, 36).reshape(12, 3)[rank::size]
for step in range(3):
    optimizer.zero_grad()
    if step == 1:
        with ddp.no_sync():
            ddp(data * 2).square().mean().backward()
    ddp(data).square().mean().backward()
    optimizer.step()
weights = torch.cat([p.detach().reshape(-1) for p in ddp.parameters()])
print(repr((said, [round(v, 5) for v in weights.tolist()], sorted(ddp.state_dict())[:2])))
dist.destroy_process_group()
assert not dist.is_initialized()
"""


def run_three(folder, name, command) -> list[str]:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    url = f"file://{folder / name}"
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [*command, str(program), str(r), url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
        )
        for r in range(3)
    ]
    found = []
    for process in started:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        found.append(out)
    return found


@pytest.mark.slow
def test_three_processes_agree_with_pytorch(tmp_path):
    pytest.importorskip("torch")
    ours = run_three(tmp_path, "ours", [sys.executable, "-m", "torsh._cli", "run"])
    theirs = run_three(tmp_path, "theirs", [sys.executable])
    for a, b in zip(ours, theirs):
        (said, weights, keys), (expected, expected_weights, expected_keys) = eval(a), eval(b)
        assert said == expected
        assert keys == expected_keys
        assert weights == pytest.approx(expected_weights, abs=2e-5)
    assert eval(ours[0])[1] == eval(ours[2])[1]


def test_two_processes_meet_over_tcp_by_environment(tmp_path):
    import socket

    with socket.create_server(("localhost", 0)) as s:
        port = s.getsockname()[1]
    program = tmp_path / "p.py"
    program.write_text(
        textwrap.dedent("""
        import torsh, torsh.distributed as dist
        from torsh import nn
        dist.init_process_group()
        x = torsh.full((1000,), float(dist.get_rank() + 1))
        dist.all_reduce(x)
        torsh.manual_seed(dist.get_rank())
        model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
        start = [torsh.zeros(1, 2), torsh.zeros(1, 2)]
        dist.all_gather(start, model.module.weight.detach())
        (model(torsh.ones(1, 2)) * (1 + 4 * dist.get_rank())).sum().backward()
        with model.no_sync():
            model(torsh.ones(1, 2)).sum().backward()
        print(x.sum().item(), torsh.equal(*start), model.module.weight.grad.tolist())
    """)
    )
    env = {
        **os.environ,
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": "2",
        "OMP_NUM_THREADS": "1",
    }
    started = [
        subprocess.Popen(
            [sys.executable, str(program)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**env, "RANK": str(r)},
        )
        for r in range(2)
    ]
    for process in started:
        out, err = process.communicate(timeout=60)
        assert out == "3000.0 True [[4.0, 4.0]]\n", err


@pytest.fixture
def alone():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_one_process(alone):
    with pytest.raises(ValueError, match="initialize the default process group twice"):
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    x = torsh.ones(2, requires_grad=True)
    assert dist.all_reduce(x, async_op=True).wait()
    assert x.tolist() == [1, 1]
    assert dist.get_rank() == 0
    assert dist.group.WORLD is dist.GroupMember.WORLD
    assert dist.get_process_group_ranks(dist.group.WORLD) == [0]
    with pytest.raises(TypeError, match="Expected parameter `tensor` to be of type"):
        dist.all_reduce(3)
    with pytest.raises(ValueError, match="Global rank 4 is not part of group"):
        dist.broadcast(x, src=4)


def test_distributed_sampler_asks_the_group(alone):
    sampler = torsh.utils.data.DistributedSampler(range(5), shuffle=False)
    assert (sampler.rank, sampler.num_replicas, list(sampler)) == (0, 1, [0, 1, 2, 3, 4])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dist.get_rank(), ValueError, "Default process group has not been initialized"),
        (lambda: dist.all_reduce(torsh.ones(1)), ValueError, "Default process group has not been initialized"),
        (lambda: dist.destroy_process_group(), AssertionError, "Process group cannot be None"),
        (
            lambda: dist.init_process_group("gloo"),
            ValueError,
            "Error initializing torch.distributed using env:// rendezvous",
        ),
        (lambda: dist.init_process_group("mpi"), RuntimeError, "Distributed package doesn't have MPI built in"),
        (
            lambda: dist.init_process_group("gloo", init_method="tcp://localhost"),
            ValueError,
            "Error initializing torch.distributed",
        ),
        (
            lambda: torsh.nn.parallel.DistributedDataParallel(torsh.nn.Linear(1, 1)),
            ValueError,
            "Default process group has not been",
        ),
    ],
)
def test_errors_before_start(monkeypatch, call, error, message):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("kind", ["hash", "file", "tcp"])
def test_stores(kind, tmp_path):
    store = {
        "hash": lambda: dist.HashStore(),
        "file": lambda: dist.FileStore(str(tmp_path / "s"), 1),
        "tcp": lambda: dist.TCPStore("localhost", 0, 1, True),
    }[kind]()
    store.set("a", "1")
    store.append("a", b"\x00\xff")
    assert store.get("a") == b"1\x00\xff"
    assert [store.add("n", 2), store.add("n", -5)] == [2, -3]
    assert store.compare_set("b", "", "x") == b"x"
    assert store.compare_set("b", "y", "z") == b"x"
    assert store.compare_set("none", "y", "z") == b"y"
    assert store.check(["a", "b"])
    assert not store.check(["a", "none"])
    assert store.delete_key("b")
    assert not store.delete_key("b")
    store.multi_set(["k1", "k2"], ["v1", "v2"])
    assert store.multi_get(["k1", "k2"]) == [b"v1", b"v2"]
    with pytest.raises(dist.DistStoreError, match="wait timeout after 10ms, keys: /missing"):
        store.wait(["missing"], timedelta(milliseconds=10))
    part = dist.PrefixStore("p", store)
    part.set("k1", "own")
    assert (store.get("p/k1"), part.get("k1"), store.get("k1"), part.num_keys()) == (b"own", b"own", b"v1", 1)
