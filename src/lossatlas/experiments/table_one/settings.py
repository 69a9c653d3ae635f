"""What is trained, sampled and predicted: the grid of networks, and the two presets."""

import itertools
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

import torch

from lossatlas import __version__
from lossatlas._arrays import InputError
from lossatlas.experiments.table_one.classification import ClassificationSettings
from lossatlas.experiments.training import digest
from lossatlas.sample import JumpSettings

Data = Literal["digits", "cifar10"]

# After which shares of the training the learning rate is divided by 10: epochs 100, 150 and 185 of the paper's 200.
_MILESTONES = (0.5, 0.75, 0.925)
# No more steps along a direction of the naive sample than this; 64 x 10 are the paper's 640 points.
_MOST_STEPS = 10


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network of the grid: what tells it from the others."""

    depth: int
    width: int
    batch: int
    weight_decay: float
    is_augmented: bool

    @property
    def name(self) -> str:
        """Name of its folder."""
        augmented = "-augmented" if self.is_augmented else ""
        return f"depth-{self.depth}-width-{self.width}-batch-{self.batch}-decay-{self.weight_decay:g}{augmented}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All choices of the experiment. Every network of the grid is trained from the same seed, once.

    The grid is that of Horoi et al. 2022, Section 4.1, with other numbers: depth, width, batch, weight decay, augmentation. No
    two networks are alike, so that none is predicted from its twin.

    Raises:
        InputError: a value is out of its range.
    """

    data: Data = "digits"
    folder: str = "data"  # of CIFAR-10; digits come with scikit-learn
    device: str = ""  # as torch names it; by default the processor
    n_train: int = 200  # of digits; of CIFAR-10 all are taken
    split: int = 0  # which digits are trained on
    seed: int = 0  # of the shared initialisation, the order of data, and the rivals' directions
    depths: tuple[int, ...] = (1, 2)
    widths: tuple[int, ...] = (8, 16)
    batches: tuple[int, ...] = (20, 60, 180)  # the paper: 32, 128, 512
    weight_decays: tuple[float, ...] = (0.0, 1e-3, 1e-2)  # 10 apart, as the paper's 0, 1e-4, 1e-3
    augmentations: tuple[bool, ...] = (False, True)
    shift: int = 1  # pixels, of the augmentation
    epochs: int = 200
    learning_rate: float = 0.05  # divided by 10 after 50 %, 75 % and 92.5 % of the epochs
    jump: JumpSettings = field(default_factory=lambda: JumpSettings(epochs=15, learning_rate=0.01))
    passes: int = 2  # over the data in an epoch of a retraining
    reach: float = 1.0  # the longest step of the naive sample, and half the side of the grid
    classification: ClassificationSettings = field(default_factory=ClassificationSettings)

    def __post_init__(self) -> None:
        if self.data not in get_args(Data):
            raise InputError(f"data must be one of {', '.join(get_args(Data))}, but is {self.data!r}; choose one")
        for name, least in {"n_train": 20, "epochs": 1, "passes": 1, "seed": 0, "split": 0, "shift": 0}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be {least} or more, but is {getattr(self, name)}; change it")
        for name in ("depths", "widths", "batches", "weight_decays", "augmentations"):
            values = getattr(self, name)
            least = 0 if name in {"weight_decays", "augmentations"} else 1
            if not values or len(set(values)) < len(values) or min(values) < least:
                raise InputError(f"{name} must be different values from {least} on, but is {values!r}; change it")
        if not 0 < self.reach < math.inf:
            raise InputError(f"reach must be above 0, but is {self.reach}; change it")
        self._refuse_few()

    def _refuse_few(self) -> None:
        """Refuse a grid that no classifier could be tried on, before its networks are trained."""
        own, n = self.classification, len(self.networks)
        counts = {"weight_decays": len(self.weight_decays), "augmentations": len(self.augmentations), "n_classes": own.n_classes}
        for name, n_classes in counts.items():
            if n_classes < 2:
                raise InputError(f"{name} must be 2 values or more, for classifiers are to tell them apart; add one")
            if n // n_classes < own.folds:
                raise InputError(
                    f"{own.folds} folds need {own.folds} networks of each class, but {n} networks make {n // n_classes} for "
                    f"each of the {n_classes} {name}; take fewer folds or classes, or a larger grid"
                )

    @property
    def networks(self) -> list[Network]:
        """The grid, a network a cell."""
        axes = (self.depths, self.widths, self.batches, self.weight_decays, self.augmentations)
        return [
            Network(depth=depth, width=width, batch=batch, weight_decay=decay, is_augmented=is_augmented)
            for depth, width, batch, decay, is_augmented in itertools.product(*axes)
        ]

    @property
    def milestones(self) -> list[int]:
        """Epochs of the training after which the learning rate is divided by 10."""
        return [max(round(self.epochs * share), 1) for share in _MILESTONES]

    @property
    def n_jumps(self) -> int:
        """Retrainings of a network."""
        return len(self.jump.seeds) * len(self.jump.steps)

    @property
    def n_points(self) -> int:
        """Points that each method looks at, the same for all: every retraining's jump and epochs."""
        return self.n_jumps * (self.jump.epochs + 1)

    @property
    def naive(self) -> tuple[int, int]:
        """Directions of the naive sample, and steps along each."""
        steps = max(step for step in range(1, _MOST_STEPS + 1) if self.n_points % step == 0)
        return self.n_points // steps, steps

    @property
    def grid(self) -> tuple[int, int, int]:
        """Points along the axes of the grid, as near to a cube as their product allows.

        >>> Settings(jump=JumpSettings(epochs=39)).grid
        (8, 8, 10)
        """
        n = self.n_points
        first = max(side for side in range(1, n + 1) if n % side == 0 and side**3 <= n)
        second = max(side for side in range(1, n + 1) if n // first % side == 0 and side**2 <= n // first)
        return first, second, n // first // second

    def key(self, network: Network) -> str:
        """Return what names the work on a network: all that decides its points, and nothing of the grid or the classifiers."""
        left_out = {"folder", "device", "depths", "widths", "batches", "weight_decays", "augmentations", "classification"}
        own = {name: value for name, value in asdict(self).items() if name not in left_out}
        # The version stands for the networks and the code, which no setting names.
        return digest({"version": __version__, **own, "network": asdict(network)})


def default_settings(*, scale: Literal["small", "paper"] = "small", epochs: int | None = None, seed: int = 0) -> Settings:
    """Return the settings on digits, or the paper's, with another length of the retrainings or another seed."""
    chosen = Settings() if scale == "small" else paper_settings()
    jump = chosen.jump if epochs is None else replace(chosen.jump, epochs=epochs)
    return replace(chosen, seed=seed, split=seed, jump=jump)


def paper_settings() -> Settings:
    """Return those of Horoi et al. 2022, Sections 3.1 and 4.1, as far as the authors' code is known: 108 WideResNets on CIFAR-10.

    A retraining gives its jump and the 39 epochs after it: 4 x 4 x 40 are the 640 points that the paper counts. Its naive
    sample and its grid have 640 too, divided as :attr:`Settings.naive` and :attr:`Settings.grid` do.
    """
    return Settings(
        data="cifar10",
        device="cuda" if torch.cuda.is_available() else "",
        depths=(10, 16, 22),
        widths=(1, 2),
        batches=(32, 128, 512),
        weight_decays=(0.0, 1e-4, 1e-3),
        shift=4,
        learning_rate=0.1,
        jump=JumpSettings(epochs=39, learning_rate=0.001, batchnorm="stale"),
        passes=1,
    )
