"""How well classifiers predict classes of networks from features: hits, each network left out once a round."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from lossatlas._arrays import InputError

Losses = Literal["raw", "log"]

# The paper has eleven that are simple and not tuned, without their names. These are scikit-learn's, with its defaults; more
# iterations of the logistic regression let it end.
CLASSIFIERS: Mapping[str, Callable[[int], Any]] = MappingProxyType(
    {
        "logistic regression": lambda _: LogisticRegression(max_iter=2000),
        "ridge": lambda _: RidgeClassifier(),
        "linear discriminant": lambda _: LinearDiscriminantAnalysis(),
        "naive Bayes": lambda _: GaussianNB(),
        "nearest centroid": lambda _: NearestCentroid(),
        "5 nearest neighbours": lambda _: KNeighborsClassifier(),
        "linear support vectors": lambda _: SVC(kernel="linear"),
        "radial support vectors": lambda _: SVC(),
        "decision tree": lambda seed: DecisionTreeClassifier(random_state=seed),
        "random forest": lambda seed: RandomForestClassifier(random_state=seed),
        "AdaBoost": lambda seed: AdaBoostClassifier(random_state=seed),
    }
)


@dataclass(frozen=True, kw_only=True)
class ClassificationSettings:
    """How networks are told apart; features are scaled by the mean and the deviation of the networks that train.

    Raises:
        InputError: a value is out of its range.
    """

    classifiers: tuple[str, ...] = tuple(CLASSIFIERS)
    n_classes: int = 5  # of generalisation: as many networks in each, by their test loss
    folds: int = 10
    rounds: int = 3  # of cross-validation, each divided anew; the paper says nothing of more than one
    losses: Losses = "raw"  # or their logarithms
    seed: int = 0  # of the folds, the forests, and what is scrambled

    def __post_init__(self) -> None:
        unknown = [name for name in self.classifiers if name not in CLASSIFIERS]
        if unknown or not self.classifiers:
            came = repr(unknown[0]) if unknown else "none"
            raise InputError(f"classifiers must be among {', '.join(CLASSIFIERS)}, but {came} came; choose of these")
        for name, least in {"n_classes": 2, "folds": 2, "rounds": 1, "seed": 0}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be {least} or more, but is {getattr(self, name)}; change it")
        if self.losses not in get_args(Losses):
            raise InputError(f"losses must be one of {', '.join(get_args(Losses))}, but is {self.losses!r}; choose one")


@dataclass(frozen=True, kw_only=True, eq=False)
class Accuracy:
    """Which networks each classifier told right, in each round; all accuracies are shares, from 0 to 1."""

    classifiers: tuple[str, ...]
    hits: Bool[np.ndarray, "c r n"]

    @property
    def mean(self) -> float:
        """Mean over classifiers, rounds and networks."""
        return float(self.hits.mean())

    @property
    def by_classifier(self) -> dict[str, float]:
        """Mean of each classifier."""
        return dict(zip(self.classifiers, self.hits.mean(axis=(1, 2)).tolist(), strict=True))

    @property
    def error_of_classifiers(self) -> float:
        """Standard error of the mean over classifiers, the paper's; NaN for one classifier."""
        return _standard_error(self.hits.mean(axis=(1, 2)))

    @property
    def error_of_networks(self) -> float:
        """Standard error of the mean over networks, with what was learnt as it is.

        Another draw of networks would also be learnt from: by simulation its mean moves by a fifth to a half more.
        """
        return _standard_error(self.hits.mean(axis=(0, 1)))

    @property
    def spread_of_rounds(self) -> float:
        """Standard deviation of the mean over rounds, that is over other folds; NaN for one round."""
        means = self.hits.mean(axis=(0, 2))
        return float(means.std(ddof=1)) if len(means) > 1 else float("nan")

    def lead(self, other: "Accuracy") -> tuple[float, float]:
        """Return by how much this is better than another on the same networks, and its standard error over networks.

        As that of the mean it is a lower bound.
        """
        ahead = self.hits.mean(axis=(0, 1)) - other.hits.mean(axis=(0, 1))
        return float(ahead.mean()), _standard_error(ahead)


def accuracy(
    features: Float[np.ndarray, "n f"],
    labels: Int[np.ndarray, " n"],
    settings: ClassificationSettings,
    *,
    is_permuted: bool = False,
) -> Accuracy:
    """Predict every network from the others, in folds that have as many of each class, and count.

    Args:
        features: A row a network.
        labels: Its class.
        settings: Classifiers, folds, rounds.
        is_permuted: The networks' labels change places, anew in each round: what classifiers reach by chance.

    Raises:
        InputError: a class has fewer networks than there are folds.
    """
    least = int(np.unique(labels, return_counts=True)[1].min())
    if least < settings.folds:
        raise InputError(
            f"{settings.folds} folds need {settings.folds} networks of each class, but one has {least}; "
            "take fewer folds or classes, or a larger grid"
        )
    hits = np.zeros((len(settings.classifiers), settings.rounds, len(labels)), dtype=bool)
    # Such small problems are slower on several threads.
    with threadpool_limits(1), warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        # Train accuracies are all 1 somewhere: centroids are divided by that spread of 0, for shrinking, which is not asked for.
        warnings.filterwarnings("ignore", message="self.within_class_std_dev_ has at least 1 zero")
        for number in range(settings.rounds):
            state, shuffled = (int(word) % 2**31 for word in np.random.SeedSequence((settings.seed, number)).generate_state(2))
            true = np.random.default_rng(shuffled).permutation(labels) if is_permuted else labels
            folds = StratifiedKFold(settings.folds, shuffle=True, random_state=state)
            for train, test in folds.split(features, true):
                for place, name in enumerate(settings.classifiers):
                    model = make_pipeline(StandardScaler(), CLASSIFIERS[name](state))
                    hits[place, number, test] = model.fit(features[train], true[train]).predict(features[test]) == true[test]
    return Accuracy(classifiers=settings.classifiers, hits=hits)


def _standard_error(values: Float[np.ndarray, " m"]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
