"""Scenes with everything that a page can show, from closed forms, for the tests of the page."""

import numpy as np

from lossatlas.draw import (
    Barcode,
    DistanceTable,
    Fact,
    Layout,
    Metric,
    Scene,
    SceneMap,
    SceneRun,
    Score,
    Surface,
    SurfacePath,
)

N_POINTS = 41  # of a run


def star_map(
    name: str = "good", *, n_runs: int = 6, n_points: int = N_POINTS, twist: float = 1.0, height: float = 3.0
) -> SceneMap:
    """Return retrainings that jump away from an optimum and spiral back, in three layouts, the first of them in 3-D too."""
    u = np.linspace(0, 1, n_points)
    arms = []
    for number in range(n_runs):
        angle = 2 * np.pi * number / n_runs + twist * u
        radius = (2 + number % 3) * (1 - 0.9 * u)
        arms.append(np.stack([radius * np.cos(angle), radius * np.sin(angle), 1.5 * np.cos(3 * angle) * (1 - u)], axis=1))
    solid = np.concatenate([*arms, np.zeros((1, 3))])
    n = len(solid)
    radius = np.linalg.norm(solid, axis=1)
    loss = 0.05 + height * (1 - np.exp(-((radius / 2) ** 2)))
    loss[3] = np.nan
    runs = tuple(
        SceneRun(
            name=f"seed {i // 3} jump {(i % 3 + 1) / 2:g}",
            kind="retraining",
            start=i * n_points,
            stop=(i + 1) * n_points,
            seed=i // 3,
            jump=(i % 3 + 1) / 2,
        )
        for i in range(n_runs)
    )
    rows = np.unique(np.linspace(0, n - 1, min(n, 120)).round().astype(np.int32))
    between = np.linalg.norm(solid[rows, np.newaxis] - solid[rows], axis=-1)

    def single(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32)

    def kept(values: np.ndarray) -> tuple[Metric, ...]:
        meaning = "share of a point's neighbours that it keeps on the map"
        return (Metric(name="neighbours_kept", label="neighbours kept", values=single(values), meaning=meaning),)

    phate = Layout(
        name="PHATE",
        caption="PHATE, knn 5",
        coordinates=single(solid[:, :2]),
        coordinates_3d=single(solid),
        metrics=kept(1 - radius / 20),
    )
    pca = Layout(name="PCA", caption="PCA: 61 % and 20 %", coordinates=single(solid[:, [0, 2]]), metrics=kept(1 - radius / 8))
    raster = single(np.stack([np.arange(n) % 20, np.arange(n) // 20], axis=1))
    tsne = Layout(name="t-SNE", caption="t-SNE, perplexity 30", coordinates=raster, metrics=kept(radius / 8))
    epochs = np.tile(np.arange(n_points), n_runs)
    return SceneMap(
        name=name,
        layouts=(phate, pca, tsne),
        time=single(np.append(epochs, 200)),
        runs=(*runs, SceneRun(name="optimum", kind="training", start=n - 1, stop=n)),
        metrics=(
            Metric(name="test_loss", label="test loss", values=single(loss), scale="log", meaning="mean loss over the samples"),
            Metric(name="accuracy", label="accuracy", values=single(np.linspace(10, 94.321, n)), unit="%"),
            Metric(name="learning_rate", label="learning rate", values=single(0.1 * 0.95 ** np.append(epochs, 0))),
        ),
        facts=(Fact(label="stress", value="0.043", meaning="How far distances on the map are from those it draws."),),
        scores=(
            Score(
                label="neighbours kept",
                meaning="Share of the nearest neighbours kept.",
                better="higher",
                values=(0.81, 0.52, 0.77),
                nulls=(("shuffled", 0.02), ("random walk", 0.64)),
            ),
            Score(
                label="shattered steps",
                meaning="Share of steps that the map tears.",
                better="lower",
                values=(0.0, 0.01, 0.22),
                nulls=(("shuffled", 0.97), ("random walk", 0.0)),
            ),
        ),
        optimum=n - 1,
        landscape="test_loss",
        barcode=valleys(n, n_points, float(np.nanmax(loss))),
        distances=DistanceTable(label="cosine distance", rows=rows, values=single(between)),
    )


def valleys(n: int, n_points: int, highest: float) -> Barcode:
    """Return the whole map as a valley, two within it, and a cycle."""
    members = [np.arange(n), n_points + np.arange(10, 40), 2 * n_points + np.arange(6), 3 * n_points + np.arange(2)]
    return Barcode(
        metric="test_loss",
        births=np.array([0.05, 0.4, 0.9, 1.1], np.float32),
        deaths=np.array([np.nan, 1.9, 1.2, np.nan], np.float32),
        dimension=np.array([0, 0, 0, 1], np.int32),
        row=np.array([n - 1, n_points + 20, 2 * n_points + 5, 3 * n_points], np.int32),
        offsets=np.cumsum([0, *map(len, members)]).astype(np.int32),
        members=np.concatenate(members).astype(np.int32),
        highest=highest,
    )


def bowl() -> Surface:
    """Return a bowl with a run that falls into it from above its plane."""

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.02 + (x**2 + 2 * y**2) * (1 + 0.3 * np.sin(4 * x)) * (1 + 0.3 * y)

    x, y = np.linspace(-2, 2, 41), np.linspace(-1.5, 1.5, 31)
    loss = height(x[:, np.newaxis], y)
    u = np.linspace(0, 1, 25)
    path = np.stack([1.8 * (1 - u) ** 2, 1.2 * (1 - u) * np.cos(3 * u)], axis=1)
    drawn = height(path[:, 0], path[:, 1])
    off = 0.8 * np.sin(np.pi * u)
    arrays = {
        "steps": np.arange(25.0),
        "coordinates": path,
        "off_plane": off,
        "true_loss": drawn + off**2,
        "drawn_loss": drawn,
    }
    return Surface(
        name="The plane of sgd",
        caption="Two principal components of the run.",
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        loss=loss.astype(np.float32),
        label="test loss",
        x_label="first component: 71 % of the variance",
        y_label="second component: 18 % of the variance",
        scale="log",
        path=SurfacePath(name="sgd", **{name: values.astype(np.float32) for name, values in arrays.items()}),
    )


def explorer_scene() -> Scene:
    """Return two maps and a surface."""
    maps = (star_map("good"), star_map("bad", twist=4.0, height=30.0))
    return Scene(title="Two optima", summary="A wide one and a sharp one.", maps=maps, surfaces=(bowl(),))
