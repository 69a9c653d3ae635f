"""What networks are compared by: the name of each number, its words, and how it is written."""

from dataclasses import dataclass
from typing import Literal

Written = Literal["percent", "number"]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number of each network, or of each pair of them.

    Attributes:
        name: In what was measured.
        label: For people.
        meaning: What it says, and what it does not.
        written: As a share of a hundred, or as it is.
        beside: The number to be read beside it: its baseline or its null.
        is_of_pairs: Whether it is of pairs of a variant's networks, which share them: they are no independent numbers.
        is_wait: Whether it counts until something happens, so that where there is none it never did.
    """

    name: str
    label: str
    meaning: str
    written: Written = "number"
    beside: str = ""
    is_of_pairs: bool = False
    is_wait: bool = False

    def text(self, value: float) -> str:
        """Write one value."""
        return f"{value:.1%}" if self.written == "percent" else f"{value:.3g}"


def _map(of: str, name: str, label: str, meaning: str) -> tuple[Measure, Measure]:
    null = f"{of}_{name}_of_a_walk"
    return (
        Measure(name=f"{of}_{name}", label=f"map of {of}: {label}", meaning=meaning, beside=null),
        Measure(name=null, label="… of a random walk", meaning="The same of a random walk with the same steps, drawn alike."),
    )


MEASURES: tuple[Measure, ...] = (
    Measure(name="train_accuracy", label="train accuracy", meaning="At the end of the training.", written="percent"),
    Measure(name="test_accuracy", label="test accuracy", meaning="At the end of the training.", written="percent"),
    Measure(name="train_loss", label="train loss", meaning="At the end of the training."),
    Measure(name="test_loss", label="test loss", meaning="At the end of the training."),
    Measure(
        name="diverged", label="diverged", meaning="Share of the trainings that ended in no number at all.", written="percent"
    ),
    Measure(
        name="epochs_to_fit",
        label="epochs until it fits",
        meaning="Until 99 % of the training samples are right.",
        is_wait=True,
    ),
    Measure(name="norm", label="norm of the weights", meaning="At the end of the training, all parameters together."),
    Measure(name="length", label="length of the way", meaning="Sum of the steps between epochs, in units of the weights."),
    Measure(name="displacement", label="distance from the start", meaning="Of the end, in units of the weights."),
    Measure(
        name="straightness",
        label="straightness",
        meaning="Distance from start to end over the length of the way: 1 is a straight line.",
        beside="null_straightness",
    ),
    Measure(name="null_straightness", label="… of a random walk", meaning="Expected of a random walk with the same steps."),
    Measure(
        name="barrier_between_seeds",
        label="barrier between seeds",
        meaning="How far the training loss on the straight line between two seeds' ends rises above the higher end.",
        is_of_pairs=True,
    ),
    Measure(
        name="distance_between_seeds",
        label="cosine distance between seeds",
        meaning="Of the weights, about zero, of the ends of two seeds: 1 is at right angles.",
        is_of_pairs=True,
    ),
    Measure(
        name="barrier_to_first",
        label="barrier to the first variant",
        meaning="The same between the ends of a variant and of the first one by the same seed, where both fit the same labels.",
    ),
    Measure(
        name="distance_to_first",
        label="cosine distance to the first variant",
        meaning="Of the weights, about zero, of both ends.",
    ),
    Measure(name="sharpness", label="sharpness, %", meaning="Keskar's: how far the loss rises in a small box."),
    Measure(name="eigenvalue", label="top eigenvalue", meaning="The Hessian's greatest; it depends on the scale of the weights."),
    Measure(name="trace", label="trace of the Hessian", meaning="Sum of all eigenvalues, estimated."),
    Measure(
        name="return_ratio",
        label="return ratio",
        meaning="Distance from the optimum at the end of a retraining over that at its jump: below 1 it came back.",
        beside="control_drift_over_jump",
    ),
    Measure(
        name="control_drift_over_jump",
        label="… drift without a jump",
        meaning="How far a retraining without a jump moves, over the mean jump: a return is worth what this leaves of it.",
    ),
    Measure(
        name="control_return_ratio",
        label="… to the control's end",
        meaning="Return ratio to where the retraining without a jump ended, in place of the optimum.",
    ),
    Measure(
        name="retrained_test_accuracy",
        label="test accuracy, retrained",
        meaning="At the end of retrainings, on average.",
        written="percent",
    ),
    Measure(
        name="persistence",
        label="total persistence",
        meaning="Of the test loss over the jumps' map, squared lifetimes, the whole range counted as a class that never ends.",
        beside="loss_range_squared",
    ),
    Measure(
        name="loss_range_squared",
        label="… of the loss range alone",
        meaning="What a landscape with one valley would have: total persistence that is near it says nothing more.",
    ),
    Measure(name="persistence_finite", label="… of all but the range", meaning="Squared lifetimes of the valleys that end."),
    Measure(
        name="persistence_rank",
        label="… by ranks of the loss",
        meaning="Sum of lifetimes where each loss is replaced by its rank: the range plays no part.",
    ),
    *_map("training", "trustworthiness", "trustworthiness", "1 if all neighbours on the map are neighbours in truth."),
    *_map("jumps", "trustworthiness", "trustworthiness", "1 if all neighbours on the map are neighbours in truth."),
    *_map("jumps", "neighbours_kept", "neighbours kept", "Share of the true neighbours that are neighbours on the map."),
    *_map("jumps", "trajectory_continuity", "steps whole", "Share of steps that the map does not tear apart."),
)
