"""The choices that make a PHATE embedding, and the door where wrong ones are turned away."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.embed.connect import Connect
from lossatlas.embed.diffusion import refuse_gamma
from lossatlas.embed.kernel import Symmetrization, reach, refuse_kernel

Preset: TypeAlias = Literal["sound", "paper"]
PotentialMetric: TypeAlias = Literal["euclidean", "cosine"]
Scaling: TypeAlias = Literal["classical", "metric", "nonmetric"]
Time: TypeAlias = Literal["autocorrelation"]

# What a preset decides. "sound": METHOD by the mathematics. "paper": PHATE 1.0.6 as Horoi et al. 2022 called it, its centred
# PCA, its step of t, its unconverged scaling of no unit and its graph in pieces included.
PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "sound": MappingProxyType({"n_pca": None, "connect": "mst", "potential_metric": "euclidean"}),
        "paper": MappingProxyType({"n_pca": 100, "connect": None, "potential_metric": "cosine"}),
    }
)


@dataclass(frozen=True, kw_only=True)
class PhateSettings:
    """Every choice that made an embedding."""

    metric: str  # "callable" for a function
    origin: str
    knn: int
    decay: float | None
    t: int | Literal["auto"]
    gamma: float
    n_components: int
    n_landmark: int | None
    preset: Preset
    knn_max: int | None
    bandwidth: float | Literal["given"] | None
    bandwidth_scale: float
    symmetrization: Symmetrization
    theta: float
    anisotropy: float
    scaling: Scaling
    n_pca: int | None
    connect: Connect | None
    time: Time | None
    potential_metric: PotentialMetric
    seed: int
    device: str

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        refuse_unknown(
            preset=(self.preset, Preset),
            scaling=(self.scaling, Scaling),
            connect=(self.connect, Connect, None),
            time=(self.time, Time, None),
            potential_metric=(self.potential_metric, PotentialMetric),
        )
        refuse_fractions(knn=self.knn, n_components=self.n_components, seed=self.seed)
        if self.n_components == 0:
            raise InputError("n_components must be 1 or more, but is 0; a map has 2")
        for name in ("n_pca", "n_landmark", "knn_max"):
            value = getattr(self, name)
            if value is not None:
                refuse_fractions(**{name: value})
        if self.n_pca == 0:
            raise InputError("n_pca must be 1 or more, but is 0; pass None to keep every dimension")
        if self.t != "auto" and (not isinstance(self.t, (int, np.integer)) or isinstance(self.t, bool) or self.t < 1):
            raise InputError(f"t must be 'auto' or a whole number from 1 on, but is {self.t!r}; pass one of these")
        if self.n_landmark is not None and self.n_landmark <= self.n_components:
            raise InputError(
                f"n_landmark must be more than the {self.n_components} axes, but is {self.n_landmark}; "
                "pass None to embed every point"
            )
        reach(self.decay)
        refuse_gamma(self.gamma)
        refuse_kernel(
            knn=self.knn, knn_max=self.knn_max, bandwidth_scale=self.bandwidth_scale, symmetrization=self.symmetrization
        )


def refuse_fractions(**numbers: object) -> None:
    """Refuse what does not count things."""
    for name, value in numbers.items():
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 0:
            raise InputError(f"{name} must be a whole number, 0 or more, but is {value!r}; pass one")


def refuse_unknown(**choices: tuple[Any, ...]) -> None:
    """Refuse a word that is none of a ``Literal``'s, or of what else is allowed."""
    for name, (value, words, *others) in choices.items():
        if value not in (*get_args(words), *others):
            allowed = ", ".join([*get_args(words), *map(str, others)])
            raise InputError(f"{name} must be one of {allowed}, but is {value!r}; choose one of these")
