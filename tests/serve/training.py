"""A training in a process of its own: a small network learns, and says when each of its snapshots is on the way to the disk."""

import argparse
import time

import torch
from torch import nn

import lossatlas as la


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path")
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", default="weights")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(asked.seed)
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    x = torch.randn(256, 8, generator=generator)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with la.Recorder(asked.path, model, keep=asked.keep) as recorder:
        for _ in range(asked.n):
            began = time.time()
            batch = torch.randint(256, (32,), generator=generator)
            loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            said = time.time()  # before its line can be there
            recorder.step(loss=loss.detach())
            recorder.flush()
            print(recorder.n_points, said, flush=True)  # noqa: T201 - the test listens
            time.sleep(max(0.0, asked.seconds - (time.time() - began)))


if __name__ == "__main__":
    main()
