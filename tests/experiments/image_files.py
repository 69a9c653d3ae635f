"""Sets of images in the formats in which torchvision keeps them on the disk, and a reader of them where it is not installed."""

import pickle  # noqa: TID251 - the format of CIFAR
import struct
import sys
import types
from pathlib import Path

import numpy as np

_RAW = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}


def write_images(name, folder, train, test):
    """Write pairs of images, ``(n, height, width[, 3])`` as bytes, and classes, as those who gave out the set did."""
    if name in _RAW:
        raw = Path(folder) / _RAW[name] / "raw"
        raw.mkdir(parents=True)
        for part, (x, y) in {"train": train, "t10k": test}.items():
            (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">iiii", 0x803, *x.shape) + x.tobytes())
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 0x801, len(y)) + y.astype(np.uint8).tobytes())
    elif name == "cifar10":
        own = Path(folder) / "cifar-10-batches-py"
        parts = zip(np.array_split(train[0], 5), np.array_split(train[1], 5), strict=True)
        for number, part in enumerate(parts, start=1):
            _write(own / f"data_batch_{number}", {"data": _rows(part[0]), "labels": part[1].tolist()})
        _write(own / "test_batch", {"data": _rows(test[0]), "labels": test[1].tolist()})
        _write(own / "batches.meta", {"label_names": [str(number) for number in range(10)]})
    else:
        own = Path(folder) / "cifar-100-python"
        for part, (x, y) in {"train": train, "test": test}.items():
            _write(own / part, {"data": _rows(x), "fine_labels": y.tolist(), "coarse_labels": (y // 5).tolist()})
        _write(own / "meta", {"fine_label_names": [str(number) for number in range(100)]})


def _rows(x):
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def _write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value))


def let_read(monkeypatch):
    """Let torchvision take sets that are not the real ones by their checksums; where it is not there, stand in for it."""
    try:
        from torchvision.datasets import cifar
    except (ImportError, RuntimeError):
        datasets = types.ModuleType("torchvision.datasets")
        datasets.__dict__.update(CIFAR10=CIFAR10, CIFAR100=CIFAR100, MNIST=MNIST, FashionMNIST=FashionMNIST)
        package = types.ModuleType("torchvision")
        package.datasets = datasets
        monkeypatch.setitem(sys.modules, "torchvision", package)
        monkeypatch.setitem(sys.modules, "torchvision.datasets", datasets)
    else:
        monkeypatch.setattr(cifar, "check_integrity", lambda path, md5=None: Path(path).is_file())


class CIFAR10:
    folder, labels = "cifar-10-batches-py", "labels"
    parts = {True: [f"data_batch_{number}" for number in range(1, 6)], False: ["test_batch"]}  # noqa: RUF012

    def __init__(self, root, *, train):
        files = [Path(root) / self.folder / part for part in self.parts[train]]
        if not all(file.is_file() for file in files):
            raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")
        read = [pickle.loads(file.read_bytes()) for file in files]
        rows = np.concatenate([part["data"] for part in read])
        self.data = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.targets = [label for part in read for label in part[self.labels]]


class CIFAR100(CIFAR10):
    folder, labels = "cifar-100-python", "fine_labels"
    parts = {True: ["train"], False: ["test"]}  # noqa: RUF012


class MNIST:
    def __init__(self, root, *, train):
        import torch

        raw, part = Path(root) / type(self).__name__ / "raw", "train" if train else "t10k"
        if not raw.is_dir():
            raise RuntimeError("Dataset not found. You can use download=True to download it")
        images, labels = ((raw / f"{part}-{what}-ubyte").read_bytes() for what in ("images-idx3", "labels-idx1"))
        shape = struct.unpack(">iii", images[4:16])
        self.data = torch.frombuffer(bytearray(images[16:]), dtype=torch.uint8).reshape(shape)
        self.targets = torch.frombuffer(bytearray(labels[8:]), dtype=torch.uint8).long()


class FashionMNIST(MNIST):
    pass
