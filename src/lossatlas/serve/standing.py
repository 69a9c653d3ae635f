"""The map that stands: fitted to some points, it gives places to new ones until it is fitted to them too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from lossatlas._arrays import Coordinates, Indices
from lossatlas._atlas import charted
from lossatlas.distance import (
    Pairwise,
    RunSource,
    cross_distances,
    extended,
    pairwise,
    picked,
    recorded_pairwise,
    seen_from,
)
from lossatlas.draw import SceneMap, scene_map
from lossatlas.embed import PhateEmbedding, Preset, phate
from lossatlas.embed.diffusion import refuse_gamma
from lossatlas.embed.kernel import reach
from lossatlas.serve.watched import Key, Seen
from lossatlas.store import Run

LEAST = 3  # points of which two axes say anything
# Bytes of weights that are read to place new points: a standing point in each so many. What it takes stays far below a second.
_BUDGET = 64 * 2**20
_LEAST_ANCHORS = 32
_NEWEST = 8  # of each run, which are the neighbours of what follows them
# A drawing that begins at the standing one may end in a valley of stress that is not the lowest: one that begins anew takes its
# place when it ends lower by more than this part.
_BETTER = 0.05


@dataclass(frozen=True, kw_only=True)
class MapSettings:
    """How the map is made; as for :func:`lossatlas.atlas`."""

    origin: Literal["zero", "centroid", "start"] = "zero"
    knn: int = 5
    decay: float | None = 40.0
    t: int | Literal["auto"] = "auto"
    gamma: float = 1.0
    preset: Preset = "sound"
    loss: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no map could be made with, before anyone waits for one."""
        reach(self.decay)
        refuse_gamma(self.gamma)


@dataclass(frozen=True, eq=False)
class Standing:
    """A fitted map, and what it takes to extend it."""

    keys: tuple[Key, ...]  # of its rows
    between: Pairwise | None  # about zero; None where the runs hold sketches, which are read again
    embedding: PhateEmbedding
    map: SceneMap

    @property
    def rows(self) -> dict[Key, int]:
        """Row of each point."""
        return {key: row for row, key in enumerate(self.keys)}


def fitted(name: str, seen: Seen, settings: MapSettings, before: Standing | None) -> Standing:
    """Fit the map to all that is seen; of a standing map the distances are kept, and the drawing begins there and lies upon it.

    Raises:
        InputError: the points cannot be mapped; the message says why.
    """
    keys = seen.keys
    between, about, error = _distances(seen, settings, before)
    embedding = _drawn(about, settings, _known(keys, before))
    atlas = charted(
        seen.opened,
        seen.kept,
        about,
        embedding,
        loss=settings.loss,
        distance_error=error,
        n_left_out=[run.n_left_out for run in seen.runs],
    )
    return Standing(keys, between, embedding, scene_map(name, atlas))


def _distances(seen: Seen, settings: MapSettings, before: Standing | None) -> tuple[Pairwise | None, Pairwise, float]:
    """Distances about zero where they can be extended, about the origin that is asked for, and their error."""
    if not all(run.has_weights for run in seen.opened):
        about, error = recorded_pairwise(seen.opened, kept=seen.kept, origin=settings.origin)
        return None, about, error
    rows = {} if before is None else before.rows
    keys = seen.keys
    old = [row for row, key in enumerate(keys) if key in rows]
    new = [row for row, key in enumerate(keys) if key not in rows]
    if before is None or before.between is None or not old:
        between = pairwise(_source(seen, range(len(keys))))
    else:
        between = picked(before.between, np.array([rows[keys[row]] for row in old]))
        if new:
            between = extended(between, _source(seen, old), _source(seen, new))
            between = picked(between, np.argsort([*old, *new]))
    # A copy: what is derived of it is kept beside it for as long as it lives.
    return between, replace(seen_from(between, settings.origin)), 0.0


def _drawn(about: Pairwise, settings: MapSettings, start: Coordinates | None) -> PhateEmbedding:
    # A training's first minute has few neighbours; those that have not moved yet are one.
    n_distinct = len(about.norms) - int(np.triu(about.cosine == 0, k=1).any(axis=0).sum())
    made = phate(
        about,
        knn=max(1, min(settings.knn, n_distinct - 1)),
        decay=settings.decay,
        t=settings.t,
        gamma=settings.gamma,
        n_landmark=None,
        preset=settings.preset,
        seed=settings.seed,
        start=start,
    )
    if start is None:
        return made
    anew = made.revised()
    return laid(anew, start) if anew.stress < (1 - _BETTER) * made.stress else made


def laid(embedding: PhateEmbedding, start: Coordinates) -> PhateEmbedding:
    """Turn a map, mirrored if need be, onto coordinates that are NaN where nothing is known."""
    known = np.flatnonzero(np.isfinite(start).all(axis=1))
    return embedding.align_to(start, rows=(known, known))


def _known(keys: Sequence[Key], before: Standing | None) -> Coordinates | None:
    """Where the points stand, NaN for those that do not yet; None where fewer than two do."""
    if before is None:
        return None
    rows = before.rows
    start = np.full((len(keys), before.embedding.coordinates.shape[1]), np.nan)
    for row, key in enumerate(keys):
        if key in rows:
            start[row] = before.embedding.coordinates[rows[key]]
    return start if np.isfinite(start).all(axis=1).sum() >= 2 else None


def places(standing: Standing, seen: Seen, new: Sequence[int]) -> Float[np.ndarray, "m d"]:
    """Coordinates of rows of what is seen that the map was not fitted to, among some of the points that it was fitted to.

    The newest points of each run are among these, so that a point finds the one before it however few are measured.
    """
    rows = standing.rows
    row_of = {key: row for row, key in enumerate(seen.keys)}
    there = [key for key in standing.keys if key in row_of]
    if len(there) < standing.embedding.settings.knn:  # a run that is recorded anew has taken its old points with it
        return np.full((len(new), standing.embedding.coordinates.shape[1]), np.nan)
    run = seen.opened[0]
    most = max(_LEAST_ANCHORS, _BUDGET // max(1, np.dtype(run.precision).itemsize * run.n_parameters))
    chosen = [there[i] for i in _anchors([key.run for key in there], int(most))]
    anchors = [row_of[key] for key in chosen]
    return standing.embedding.transform(
        _across(standing, seen, new, anchors), rows=np.array([rows[key] for key in chosen], dtype=np.int64)
    )


def _anchors(runs: Sequence[str], most: int) -> list[int]:
    """Return which of the points of these runs new ones are measured to: the newest of each, and others evenly."""
    if len(runs) <= most:
        return list(range(len(runs)))
    last: dict[str, list[int]] = {}
    for point, run in enumerate(runs):
        last.setdefault(run, []).append(point)
    newest = [point for points in last.values() for point in points[-min(_NEWEST, max(1, most // (2 * len(last)))) :]]
    evenly = np.linspace(0, len(runs) - 1, max(1, most - len(newest))).round().astype(int).tolist()
    return sorted({*newest, *evenly})


def _across(standing: Standing, seen: Seen, new: Sequence[int], anchors: Sequence[int]) -> Float[np.ndarray, "m k"]:
    origin: Literal["zero", "centroid", "start"] = standing.embedding.settings.origin  # type: ignore[assignment]
    if standing.between is not None:
        return cross_distances(_source(seen, new), _source(seen, anchors), origin=origin)
    order = sorted({*new, *anchors})
    between, _ = recorded_pairwise(seen.opened, kept=_parted(seen, order), origin="zero" if origin == "centroid" else origin)
    if origin == "centroid":  # the paper's preset measures there, whatever was asked for
        between = seen_from(between, origin)
    at: Indices = np.array(order)
    return between.cosine[np.ix_(np.searchsorted(at, new), np.searchsorted(at, anchors))]


def _source(seen: Seen, rows: Sequence[int]) -> RunSource:
    runs: tuple[Run, ...] = tuple(run.ordered_as(seen.opened[0].names) for run in seen.opened)
    return RunSource(runs, tuple(_parted(seen, rows)))


def _parted(seen: Seen, rows: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the points of each run that rising rows are."""
    parts = []
    first = 0
    for kept in seen.kept:
        parts.append(tuple(kept[row - first] for row in rows if first <= row < first + len(kept)))
        first += len(kept)
    return parts
