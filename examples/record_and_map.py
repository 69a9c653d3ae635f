"""Two lines in a loop, one call for the map: ``python examples/record_and_map.py OUTPUT``."""

import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import lossatlas as la

output = Path(sys.argv[1] if len(sys.argv) > 1 else "example")
images, labels = load_digits(return_X_y=True)
x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)

for name, optimizer_class, rate in [("sgd", torch.optim.SGD, 0.5), ("adam", torch.optim.Adam, 0.01)]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = optimizer_class(model.parameters(), lr=rate)
    with la.Recorder(output / "runs" / name, model, if_exists="replace") as recorder:
        for _ in range(30):
            for batch in torch.randperm(1000).split(50):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
                optimizer.step()
            with torch.no_grad():
                predicted = model(x[1000:])
            accuracy = (predicted.argmax(1) == y[1000:]).float().mean()
            recorder.step(test_loss=nn.functional.cross_entropy(predicted, y[1000:]), test_accuracy=accuracy)

atlas = la.atlas(output / "runs")
atlas.save(output / "atlas.html", title="SGD and Adam on digits")
atlas.save(output / "atlas.png", title="SGD and Adam on digits")
