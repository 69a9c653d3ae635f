"""Two processes that train one model spread over them: ``sharded_training.py FOLDER KEEP WAY``."""

import sys
from pathlib import Path

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Replicate, Shard, distribute_tensor
from torch.multiprocessing import spawn

import lossatlas as la
from lossatlas import InputError

STEPS = 5


def model() -> nn.Sequential:
    """A network whose sizes do not divide by two, with batch norm, tied weights and frozen ones."""
    torch.random.manual_seed(0)
    made = nn.Sequential(
        nn.Linear(7, 33), nn.BatchNorm1d(33), nn.ReLU(), nn.Linear(33, 33), nn.Linear(33, 33, bias=False), nn.Linear(33, 5)
    )
    made[4].weight = made[3].weight
    made[3].bias.requires_grad_(requires_grad=False)
    made[5].weight.requires_grad_(requires_grad=False)
    return made


def spread(made: nn.Sequential, way: str) -> nn.Module:
    """Spread a model over the processes."""
    if way == "fsdp":
        return fully_shard(made)
    if way == "fsdp by layers":
        for part in (made[0], made[5]):
            fully_shard(part)
        return fully_shard(made)
    mesh = init_device_mesh("cpu", (2,))
    for name, parameter in list(made.named_parameters()):
        # By columns, by rows, one on all, and one that is left whole.
        way_of = {"0.weight": [Shard(1)], "3.weight": [Shard(0)], "5.weight": [Replicate()]}.get(name)
        if way_of is not None:
            owner = made[int(name[0])]
            spread_out = distribute_tensor(parameter.detach(), mesh, way_of)
            owner.weight = nn.Parameter(spread_out, requires_grad=parameter.requires_grad)
    made[4].weight = made[3].weight
    return made


def step(made: nn.Module, number: int, way: str) -> None:
    """Move the weights, the same way wherever they lie."""
    if way.startswith("fsdp"):
        x = torch.randn(16, 7, generator=torch.Generator().manual_seed(number))
        made(x).square().mean().backward()
        with torch.no_grad():
            for parameter in filter(lambda p: p.requires_grad, made.parameters()):
                parameter.sub_(parameter.grad, alpha=0.1)
                parameter.grad = None
            made(x)  # as an evaluation does: the root's parameters stay gathered after it
        return
    with torch.no_grad():
        for parameter in filter(lambda p: p.requires_grad, made.parameters()):
            parameter.mul_(1 + 0.1 * number)


def fail(made: nn.Module, folder: str, keep: str, way: str) -> None:
    """Train on while the disk of the first process fails, which the others must not wait for."""
    refused = 0
    recorder = la.Recorder(f"{folder}/run", made, keep=keep)
    for number in range(1, 9):
        step(made, number, way)
        if number == 3 and recorder._writer:
            recorder.flush()
            recorder._writer._lines.close()
        try:
            recorder.step()
        except ValueError:  # of the closed file
            refused += 1
    try:
        recorder.close()
    except ValueError:
        refused += 1
    with open(f"{folder}/refused{distributed.get_rank()}", "w") as file:  # noqa: PTH123
        file.write(str(refused))
    distributed.destroy_process_group()


def groups_threads() -> int:
    """How many threads wait for the work of process groups; 0 where torch does not name them, as 2.8."""
    return sum("gloo" in task.joinpath("comm").read_text() for task in Path("/proc/self/task").iterdir())


def train(rank: int, folder: str, keep: str, way: str) -> None:
    """One of the processes."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    made = spread(model(), way)
    if way.startswith("fsdp"):
        with torch.no_grad():
            made.eval()(torch.ones(2, 7))
            made.train()
    keep, _, dtype = keep.partition(" ")
    named = {"keep": keep, "dtype": dtype if dtype == "bfloat16" else None}
    if dtype == "failing":
        fail(made, folder, keep, way)
        return
    own = groups_threads()
    record(made, folder, named, way)
    # A thread that outlives its recorder may need Python when there is none any more, which ends the process with SIGABRT.
    if groups_threads() != own:
        raise AssertionError(f"{groups_threads()} threads of groups where {own} were")
    distributed.destroy_process_group()


def record(made: nn.Module, folder: str, named: dict[str, str | None], way: str) -> None:
    """Record a training, be refused the taken folder, and go on where it may."""
    alone = groups_threads()
    with la.Recorder(f"{folder}/run", made, every=2, **named) as recorder:
        if alone and groups_threads() <= alone:
            raise AssertionError("the recorder has no group of its own")
        for number in range(1, STEPS + 1):
            step(made, number, way)
            recorder.step(train_loss=float(number))
    try:
        la.Recorder(f"{folder}/run", made, **named)
    except InputError as error:  # in all of them, none waits for another
        refused = str(error)
    else:
        refused = ""
    if "holds a run already" not in refused:
        raise AssertionError(refused)
    if named["keep"] != "sketch":
        with la.Recorder(f"{folder}/run", made, if_exists="append", **named) as recorder:
            step(made, 7, way)
            recorder.step()


if __name__ == "__main__":
    spawn(train, tuple(sys.argv[1:]), nprocs=2)
