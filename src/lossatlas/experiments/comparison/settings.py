"""All choices of a comparison, read from the TOML file beside its module."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lossatlas import __version__
from lossatlas._arrays import InputError
from lossatlas.experiments.catalogue import Value
from lossatlas.experiments.comparison.recipe import STRICT, Recipe
from lossatlas.experiments.training import digest
from lossatlas.sample import JumpSettings

T = TypeVar("T")
Scale = Literal["small", "paper"]
Shared = Literal["weights", "predictions"]

# What may be a folder's name everywhere.
_FIT = re.compile(r"[\w][\w .,%+×=()-]*")


@dataclass(frozen=True, kw_only=True)
class Jump:
    """How each optimum is sampled; see :class:`lossatlas.JumpSettings`. An epoch is ``passes`` passes over the data."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    seeds: tuple[int, ...] = (0, 1)
    steps: tuple[float, ...] = (0.5, 1.0)
    epochs: int = 15
    passes: int = 2
    rate: float = 0.1  # the constant learning rate, over the one that the training began with; the paper's is 0.01
    batchnorm: Literal["recompute", "stale"] = "recompute"

    def settings(self, learning_rate: float) -> JumpSettings:
        """Return it as jump_and_retrain takes it, after a training that began with ``learning_rate``."""
        return JumpSettings(
            seeds=self.seeds,
            steps=self.steps,
            epochs=self.epochs,
            learning_rate=self.rate * learning_rate,
            batchnorm=self.batchnorm,
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All choices of a comparison.

    Attributes:
        title: Its name for people.
        question: What it asks.
        recipe: What the variants have in common.
        variants: What each changes of it.
        seeds: Of initialisation and order of the data: each variant is trained once a seed, from the same starts.
        jump: How optima are sampled; without it they are not.
        shared: What the map of all trainings is of: weights, where all variants have the same, or predictions.
        with_curvature: Whether sharpness and Hessian of each optimum are measured, by hundreds of passes over the data.
        options: What only this comparison asks.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    title: str
    question: str
    recipe: Recipe
    variants: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...] = (0, 1, 2)
    jump: Jump | None = None
    shared: Shared = "weights"
    with_curvature: bool = True
    options: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.variants) < 2:
            raise InputError(f"a comparison needs 2 variants or more, but has {len(self.variants)}; add one")
        for name in self.variants:
            if not _FIT.fullmatch(name):
                raise InputError(f"a variant's name must be letters, digits, spaces and signs, but is {name!r}; change it")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise InputError(f"seeds must be different whole numbers from 0 on, but are {self.seeds!r}; change them")
        for name in self.variants:
            self.recipe_of(name)

    def recipe_of(self, variant: str) -> Recipe:
        """Return how the networks of a variant are made and trained."""
        return _checked(Recipe, _over(asdict(self.recipe), self.variants[variant]), f"variants.{variant}")

    def key(self, variant: str, seed: int) -> str:
        """Return what names the work on one network: all that decides its numbers, and nothing of the other variants."""
        recipe = {name: value for name, value in asdict(self.recipe_of(variant)).items() if name != "device"}
        jump = None if self.jump is None else asdict(self.jump)
        # The version stands for the code, which no setting names.
        own = {"version": __version__, "recipe": recipe, "jump": jump, "seed": seed, "with_curvature": self.with_curvature}
        return digest(own | {"options": dict(self.options)})


def settings_of(name: str, *, scale: Scale = "small") -> Settings:
    """Return the settings that the file of a comparison holds.

    ``[paper]`` holds what the full size changes, table by table.

    Raises:
        InputError: the file is not right, or there is no such size.
    """
    where, read = _read(name)
    at_full_size = read.pop("paper", None)
    if scale == "paper":
        if at_full_size is None:
            raise InputError(f"{name} has no full size; leave out --scale paper")
        read = _over(read, at_full_size)
    return _checked(Settings, read, where)


def has_full_size(name: str) -> bool:
    """Whether the file of a comparison has a full size."""
    return "paper" in _read(name)[1]


def _read(name: str) -> tuple[str, dict[str, Any]]:
    """Return the name of the file of a comparison, and what it holds."""
    where = f"{name.replace('-', '_')}.toml"
    try:
        return where, tomllib.loads(files("lossatlas.experiments.presets").joinpath(where).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is no TOML: {error}; mend it") from error


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``below`` with what ``above`` says otherwise, table by table; options are of one thing, and replaced as a whole."""
    both = {
        name: _over(below[name], value)
        if isinstance(value, Mapping) and isinstance(below.get(name), Mapping) and not name.endswith("_options")
        else value
        for name, value in above.items()
    }
    return {**below, **both}


def _checked(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, (where, *first["loc"])))
        ours = first.get("ctx", {}).get("error")
        said = str(ours) if isinstance(ours, InputError) else f"{first['msg']}, but {first['input']!r} came; change it"
        raise InputError(f"{place}: {said}") from None
