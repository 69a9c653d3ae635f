"""PHATE for those who live in scikit-learn: thin, all work is in :func:`phate`."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from lossatlas._arrays import Coordinates
from lossatlas.distance import Origin, cross_distances, metric_cross_distances
from lossatlas.embed.given import Own
from lossatlas.embed.phate import PhateEmbedding, phate

_MATRICES = {"precomputed", "precomputed_affinity"}


class PHATE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """PHATE as a scikit-learn estimator (Moon et al. 2019); :func:`phate` says what each parameter is.

    The Euclidean metric is the default, as elsewhere in scikit-learn. Whatever scikit-learn takes for a table can be given,
    data frames too; for AnnData, ``adata.obsm["X_phate"] = PHATE().fit_transform(adata.X)``.

    Attributes:
        embedding_: The map's coordinates ``(n, n_components)``.
        result_: The :class:`PhateEmbedding`, with each stage.
        n_features_in_: Columns seen by ``fit``.

    >>> walk = np.random.default_rng(0).normal(size=(40, 20)).cumsum(axis=0)
    >>> PHATE(knn=4).fit_transform(walk).shape
    (40, 2)
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's way: each choice is a parameter
        self,
        n_components: int = 2,
        *,
        knn: int = 5,
        decay: float | None = 40.0,
        t: int | Literal["auto"] = "auto",
        gamma: float = 1.0,
        metric: str | Callable[[np.ndarray, np.ndarray], float] = "euclidean",
        n_landmark: int | None = 2000,
        preset: Literal["sound", "paper"] = "sound",
        knn_max: int | None = None,
        bandwidth_scale: float = 1.0,
        symmetrization: Literal["+", "*", "mnn"] = "+",
        theta: float = 1.0,
        anisotropy: float = 0.0,
        scaling: Literal["classical", "metric", "nonmetric"] = "metric",
        connect: Literal["mst", "temporal", "preset"] | None = "preset",
        random_state: Any = 0,  # noqa: ANN401 - whatever scikit-learn takes for one
        device: str = "cpu",
    ) -> None:
        self.n_components = n_components
        self.knn = knn
        self.decay = decay
        self.t = t
        self.gamma = gamma
        self.metric = metric
        self.n_landmark = n_landmark
        self.preset = preset
        self.knn_max = knn_max
        self.bandwidth_scale = bandwidth_scale
        self.symmetrization = symmetrization
        self.theta = theta
        self.anisotropy = anisotropy
        self.scaling = scaling
        self.connect = connect
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "PHATE":  # noqa: ANN401, ARG002 - scikit-learn's signature
        """Map the rows of ``X``."""
        points = validate_data(self, X, dtype=(np.float64, np.float32), ensure_min_samples=2)
        choices = self.get_params(deep=False)
        state = choices.pop("random_state")
        seed = int(state) if isinstance(state, (int, np.integer)) else int(check_random_state(state).randint(2**31))
        self.result_: PhateEmbedding = phate(points, seed=seed, **choices)
        self.embedding_: Coordinates = self.result_.coordinates
        self._points = None if self.metric in _MATRICES else points
        self._n_features_out = self.embedding_.shape[1]
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Coordinates:  # noqa: ANN401 - scikit-learn's signature
        """Map the rows of ``X`` and return their coordinates."""
        return self.fit(X, y).embedding_

    def transform(self, X: Any) -> Coordinates:  # noqa: ANN401 - scikit-learn's signature
        """Coordinates of rows on the standing map; those that were fitted keep their place.

        With a precomputed metric ``X`` is ``(q, n)``, from the new points to the map's.
        """
        check_is_fitted(self)
        new = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        if self._points is None:
            return self.result_.transform(new)
        if self.metric in {"cosine", "euclidean"}:
            own: Own = "cosine" if self.metric == "cosine" else "euclidean"
            # The paper's principal components centre the points, and its cosine is about their mean.
            centred = self.result_.settings.origin == "centroid"
            origin: Origin = self._points.mean(axis=0, dtype=np.float64) if centred else "zero"
            return self.result_.transform(cross_distances(new, self._points, metric=own, origin=origin))
        return self.result_.transform(metric_cross_distances(new, self._points, self.metric))

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that a precomputed metric makes ``X`` a matrix of pairs."""
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric in _MATRICES
        tags.transformer_tags.preserves_dtype = []
        return tags
