"""Networks by numbers: how good and how sharp each is, and of each pair how it is connected and how alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from lossatlas._arrays import InputError
from lossatlas.distance import PredictionKind, pairwise, prediction_distances
from lossatlas.measure import cka, is_constant
from lossatlas.sample import BendSettings, SliceSettings, Task, activations, bezier_path, curvature, predictions, sharpness
from lossatlas.sample.evaluate import evaluation
from lossatlas.sample.outputs import Data
from lossatlas.sample.probe import probed
from lossatlas.sample.start import Start, Tensors, start_tensors


@dataclass(frozen=True, kw_only=True)
class CardSettings:
    """How networks are measured.

    Attributes:
        layers: Whose features are compared; None takes every part that has parameters of its own.
        data: Samples by which predictions and layers are compared; losses on the way are of training.
        batches: So many of the batches, drawn at random, for all but the losses of each network; None takes all.
        bends: How the curve between two is trained; see :func:`lossatlas.bezier_path`.
        with_curvature: Whether the Hessian is measured, by curvlinops.
        seed: Of all chance.
    """

    layers: tuple[str, ...] | None = None
    data: Data = "test"
    batches: int | None = None
    bends: BendSettings = field(default_factory=BendSettings)
    with_curvature: bool = True
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class NetworkCard:
    """One network.

    Attributes:
        train_loss: Mean over the samples, in evaluation mode.
        test_loss: The same on the test data.
        train_accuracy: Share of samples whose class is right; None where there are no classes.
        test_accuracy: The same on the test data.
        norm: Of all parameters.
        sharpness: Keskar's, in percent: how far the loss rises in a small box.
        eigenvalue: The Hessian's greatest; None where curvature was left out.
        trace: The Hessian's; None likewise.
    """

    train_loss: float
    test_loss: float
    train_accuracy: float | None
    test_accuracy: float | None
    norm: float
    sharpness: float
    eigenvalue: float | None
    trace: float | None


@dataclass(frozen=True, kw_only=True)
class PairCard:
    """Two networks.

    Attributes:
        distance: Of their weights, Euclidean.
        cosine_distance: Of their weights, about zero.
        barrier: How far the loss on the straight line rises above its higher end.
        mode_connectivity: Of a trained curve: below 0 a barrier, near 0 connected, above 0 the ends are not at the bottom.
        bhattacharyya: Of their predictions; None where the model has no score for each class.
        disagreement: Share of samples whose likeliest class is another; None likewise.
        cka: Mean over the layers of how alike they are, 0 to 1; None where no layer can be compared.
        cka_by_layer: Of each layer, by its name; None where one of the two gives all samples the same, as a dead layer does.
    """

    distance: float
    cosine_distance: float
    barrier: float
    mode_connectivity: float
    bhattacharyya: float | None
    disagreement: float | None
    cka: float | None
    cka_by_layer: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class ReportCard:
    """Networks by their names, pairs by both names, and every choice that made the numbers."""

    networks: Mapping[str, NetworkCard]
    pairs: Mapping[tuple[str, str], PairCard]
    settings: CardSettings

    def summary(self) -> dict[str, Any]:
        """Return all as plain values."""
        return {
            "networks": {name: asdict(card) for name, card in self.networks.items()},
            "pairs": [{"networks": list(names), **asdict(card)} for names, card in self.pairs.items()],
            "settings": asdict(self.settings),
        }


def report_card(
    task: Task,
    networks: Mapping[str, Start],
    *,
    settings: CardSettings | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> ReportCard:
    """Measure networks of one task, alone and in pairs, after the taxonomy of Yang et al. (2021, NeurIPS).

    Sharpness and curvature depend on the scale of the weights: across networks of other scales they say nothing (Dinh et al.
    2017).

    Args:
        task: Model, data and loss; the model stays as it is.
        networks: By their names; more than one are compared in pairs, each by a curve that is trained.
        settings: How.
        progress: Called with the numbers of things done and in all, and what is done.

    Raises:
        InputError: there is no network, one is not of this model, or as the functions that measure.
    """
    if not networks:
        raise InputError("a report card needs a network, but none came; name at least one")
    how = settings or CardSettings()
    tensors = {name: start_tensors(start, what=name) for name, start in networks.items()}
    pairs = list(combinations(tensors, 2))
    n = len(tensors) + len(pairs)
    told = progress or (lambda _done, _of, _what: None)
    cards, of_pairs = {}, {}
    for done, (name, own) in enumerate(tensors.items()):
        told(done, n, name)
        cards[name] = _network(task, own, how)
    alike = _alike(task, tensors, pairs, how)
    for done, (a, b) in enumerate(pairs, start=len(tensors)):
        told(done, n, f"{a} and {b}")
        has_classes = cards[a].test_accuracy is not None
        of_pairs[a, b] = _pair(task, (tensors[a], tensors[b]), alike[a, b], how, has_classes=has_classes)
    told(n, n, "done")
    return ReportCard(networks=cards, pairs=of_pairs, settings=how)


def _alike(
    task: Task, tensors: Mapping[str, Tensors], pairs: Sequence[tuple[str, str]], how: CardSettings
) -> dict[tuple[str, str], dict[str, float | None]]:
    """Likeness of the layers of each pair: layer by layer, for the features of all at once could be gigabytes."""
    own = [name for name, part in task.model.named_modules() if name and any(True for _ in part.parameters(recurse=False))]
    found: dict[tuple[str, str], dict[str, float | None]] = {pair: {} for pair in pairs}
    for layer in (own if how.layers is None else how.layers) if pairs else ():
        features = activations(task, list(tensors.values()), layer, data=how.data, batches=how.batches, seed=how.seed)
        of = dict(zip(tensors, features, strict=True))
        for a, b in pairs:
            is_dead = is_constant(of[a]) or is_constant(of[b])
            found[a, b][layer] = None if is_dead else cka(of[a], of[b])
    return found


def _network(task: Task, own: Tensors, how: CardSettings) -> NetworkCard:
    numbers = evaluation(task, probed(task, own))
    curved = curvature(task, own, n_eigenvalues=1, batches=how.batches, seed=how.seed) if how.with_curvature else None
    return NetworkCard(
        train_loss=numbers["train_loss"],
        test_loss=numbers["test_loss"],
        train_accuracy=numbers.get("train_accuracy"),
        test_accuracy=numbers.get("test_accuracy"),
        norm=float(np.linalg.norm(_row(task, own))),
        sharpness=sharpness(task, own, batches=how.batches, seed=how.seed).sharpness,
        eigenvalue=None if curved is None else float(curved.eigenvalues[0]),
        trace=None if curved is None else curved.trace,
    )


def _pair(
    task: Task, ends: tuple[Tensors, Tensors], alike: Mapping[str, float | None], how: CardSettings, *, has_classes: bool
) -> PairCard:
    between = pairwise(np.stack([_row(task, end) for end in ends]))
    measure = SliceSettings(batches=how.batches, seed=how.seed)
    path = bezier_path(task, *ends, settings=how.bends, measure=measure, seed=how.seed)
    apart: dict[PredictionKind, float] = {}
    if has_classes:
        said = predictions(task, ends, data=how.data, batches=how.batches, seed=how.seed)
        apart = {kind: float(prediction_distances(said, kind=kind)[0, 1]) for kind in ("bhattacharyya", "disagreement")}
    known = [value for value in alike.values() if value is not None]
    return PairCard(
        distance=float(between.euclidean[0, 1]),
        cosine_distance=float(between.cosine[0, 1]),
        barrier=path.straight.barrier,
        mode_connectivity=path.mode_connectivity,
        bhattacharyya=apart.get("bhattacharyya"),
        disagreement=apart.get("disagreement"),
        cka=float(np.mean(known)) if known else None,
        cka_by_layer=alike,
    )


def _row(task: Task, own: Tensors) -> np.ndarray:
    return np.concatenate([own[name].double().numpy().ravel() for name, _ in task.model.named_parameters() if name in own])
