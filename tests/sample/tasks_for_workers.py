"""Tasks and pieces of work that other processes can import."""

import functools
import os
import signal
import time
from pathlib import Path

import torch
from torch import nn

from lossatlas.sample import Task


def small_net(seed: int) -> nn.Sequential:
    """Return a network with convolution, batch norm and 53 parameters; its weights follow from the seed alone."""
    with torch.random.fork_rng([]):  # torch's own initialisation draws from the global generator
        model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 1), nn.Linear(1, 2))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(generator=generator)
        model[1].running_mean.normal_(generator=generator)
        model[1].running_var.uniform_(0.5, 2, generator=generator)
        model[1].num_batches_tracked.fill_(17)
    return model


def batches(seed: int, sizes: tuple[int, ...] = (4, 4, 3)) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return fixed batches of images with a class each."""
    generator = torch.Generator().manual_seed(seed)
    return [(torch.randn(n, 1, 4, 4, generator=generator), torch.randint(2, (n,), generator=generator)) for n in sizes]


def shuffled_data(seed: int) -> torch.utils.data.DataLoader:
    """Return the same images in an order that is drawn anew each epoch."""
    x, y = (torch.cat(parts) for parts in zip(*batches(seed), strict=True))
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=4, shuffle=True)


def small_task(**changes) -> Task:
    """Return a task of the small network; the start is another one's weights."""
    parts = {
        "model": small_net(1),
        "loss": nn.functional.cross_entropy,
        "train": batches(2),
        "test": batches(3, (5, 2)),
        "optimizer": functools.partial(torch.optim.SGD, lr=0.05, momentum=0.9),
    }
    return Task(**(parts | changes))


def shuffled_task() -> Task:
    """Return the small task with an order of data that depends on chance."""
    return small_task(train=shuffled_data(2), train_eval=batches(2))


def attended(asked: torch.Tensor) -> torch.Tensor:
    """Return what two heads of attention make of queries, keys and values ``(n, l, 6 d)`` of ``l`` places, ``(n, l, 2 d)``."""
    q, k, v = asked.unflatten(-1, (2, -1)).transpose(1, 2).chunk(3, dim=-1)
    return nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def square(x: int) -> int:
    """Return the square, in another process."""
    return x * x


def fail(words: str) -> None:
    """Raise an error of the work's own."""
    raise LookupError(words)


def threads(_: object = None) -> int:
    """Return how many threads torch uses here."""
    return torch.get_num_threads()


def die_once(flag: Path, x: int) -> int:
    """Kill this very process at the first call, and square at the next."""
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x * x


def die_always(log: Path) -> None:
    """Kill this very process, having left a line."""
    with log.open("a") as stream:
        stream.write("died\n")
    os.kill(os.getpid(), signal.SIGKILL)


def touch_and_sleep(folder: Path, seconds: float) -> int:
    """Leave a file named by this process, sleep, and return its number."""
    (folder / str(os.getpid())).touch()
    time.sleep(seconds)
    return os.getpid()


def touch(file: Path) -> None:
    """Leave a file."""
    file.touch()
