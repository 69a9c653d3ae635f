"""Atlases of walks, made without a run on disk."""

import functools

import numpy as np

from lossatlas._atlas import Atlas, Trace
from lossatlas.distance import pairwise
from lossatlas.embed import phate
from lossatlas.measure import comparison, merge_tree, persistence, trajectory_geometry, valleys


def walks(lengths=(30, 30), *, methods=("pca",), nulls=True, kinds=None, metric="cosine", **settings):
    """Return an atlas of random walks of so many points."""
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(n, 40)).cumsum(axis=0) + 8 for n in lengths])
    stops = np.cumsum(lengths).tolist()
    traces = tuple(
        Trace(name=f"run {i}", kind=kind, start=stop - n, stop=stop)
        for i, (n, stop, kind) in enumerate(zip(lengths, stops, kinds or ["training"] * len(lengths), strict=True))
    )
    between = pairwise(points)
    embedded = functools.partial(phate, metric=metric, n_landmark=None, **settings)
    embedding, loss = embedded(between), rng.uniform(1, 2, size=len(points))
    runs = [(trace.start, trace.stop) for trace in traces if trace.is_ordered]
    steps = np.concatenate([np.arange(float(n)) for n in lengths])
    return Atlas(
        traces=traces,
        steps=steps,
        step_label="epoch",
        metrics={"loss": loss},
        embedding=embedding,
        optimum=None,
        distance_from_optimum=None,
        diagram=persistence(embedding, loss, knn=5),
        loss="loss",
        distances=getattr(between, metric),
        geometry=trajectory_geometry(between, runs, steps=steps),
        valleys=valleys(embedding, loss, knn=5),
        merge_tree=merge_tree(embedding, loss, knn=5),
        comparison=comparison(embedding, between, metric=metric, runs=runs, methods=methods, redrawn=embedded if nulls else None),
    )
