"""A task of one's own, for the command line.

Train and record it, then look at the loss around what was found and between, and sample it::

python examples/own_task.py runs
lossatlas slice examples/own_task.py:task runs/seed-0 --kind plane -o plane.png
lossatlas slice examples/own_task.py:task runs/seed-0 --kind pca -o path.png
lossatlas slice examples/own_task.py:task runs/seed-0 runs/seed-1 --kind line -o line.png
lossatlas connect examples/own_task.py:task runs/seed-0 runs/seed-1 --method bezier -o around.png
lossatlas sample examples/own_task.py:task --from runs/seed-0 -o around --epochs 5
"""

import functools
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import lossatlas as la


def task(seed: int = 0) -> la.Task:
    """Return the model, the data and the loss: all that the command line needs to know of this file."""
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
    train, test = (torch.utils.data.TensorDataset(x[part], y[part]) for part in (slice(None, 1000), slice(1000, None)))
    torch.manual_seed(seed)
    return la.Task(
        model=nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)),
        loss=nn.functional.cross_entropy,
        train=torch.utils.data.DataLoader(train, batch_size=50, shuffle=True),
        test=torch.utils.data.DataLoader(test, batch_size=200),
        optimizer=functools.partial(torch.optim.SGD, lr=0.5),
        name="digits",
    )


def main(folder: Path) -> None:
    """Train two networks from different starts, and record both."""
    for seed in (0, 1):
        own = task(seed)
        optimizer = own.optimizer(own.model.parameters())
        with la.Recorder(folder / f"seed-{seed}", own.model, if_exists="replace") as recorder:
            for _ in range(20):
                losses = []
                for x, y in own.train:
                    optimizer.zero_grad()
                    loss = own.loss(own.model(x), y)
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                recorder.step(train_loss=sum(losses) / len(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))
