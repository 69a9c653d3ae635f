"""How long a comparison will take and how much disk, before it begins."""

from dataclasses import dataclass

from lossatlas.experiments.comparison.recipe import task_of
from lossatlas.experiments.comparison.settings import Settings
from lossatlas.experiments.timing import n_bytes, said_size, seconds_of_evaluation, seconds_of_recording, seconds_of_update
from lossatlas.sample.jump.cost import one_thread, spoken


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a comparison will take from its beginning; what is done already is not counted off.

    >>> print(Cost(n_networks=27, n_retrainings=135, n_points=3_200, seconds=130.0, n_bytes=98_000_000, workers=2))
    27 networks and 135 retrainings, 3,200 points: about 2.2 min on 2 processes, 98 MB on disk
    """

    n_networks: int
    n_retrainings: int
    n_points: int
    seconds: float
    n_bytes: int
    workers: int
    without: str = ""  # what is not counted

    def __str__(self) -> str:
        processes = "one process" if self.workers == 1 else f"{self.workers} processes"
        return (
            f"{self.n_networks} networks and {self.n_retrainings} retrainings, {self.n_points:,} points: "
            f"about {spoken(self.seconds)} on {processes}, {said_size(self.n_bytes)} on disk"
            + (f", not counting {self.without}" if self.without else "")
        )


def cost(settings: Settings, *, workers: int = 1) -> Cost:
    """Time some updates and some points of each variant, and return what all of it will take; maps come to some seconds.

    A batch that is larger than the samples that stand in for those on the disk is taken to last as many times as long. The
    other processes are taken to be as fast as this one is with one thread.
    """
    n_seeds, jump = len(settings.seeds), settings.jump
    # Each seed and step, and the control.
    n_retrainings = 0 if jump is None else len(jump.seeds) * len(jump.steps) + 1
    n_points, seconds, disk = 0, 0.0, 0
    with one_thread(is_wanted=workers > 1):
        for variant in settings.variants:
            recipe = settings.recipe_of(variant)
            n_train, n_test = recipe.n_samples()
            data, batch = recipe.stand_in(), min(recipe.batch or n_train, n_train)
            own = task_of(recipe, settings.seeds[0], name="", data=data)
            # A fork is trained together with its trunk, up to where it parts.
            epochs = [recipe.epochs] if recipe.fork is None else [recipe.epochs, recipe.epochs - recipe.fork]
            n_updates = -(-n_train // batch) * recipe.passes * sum(epochs)
            points = sum(epochs) + len(epochs)
            if jump is not None:
                n_updates += n_retrainings * jump.epochs * jump.passes * -(-n_train // batch)
                points += n_retrainings * (jump.epochs + 1) + 1
            n_points += n_seeds * points
            of_point = seconds_of_recording(own) + seconds_of_evaluation(own, n_samples=n_train + n_test)
            of_update = seconds_of_update(own) * batch / min(batch, len(data.train_y))
            seconds += n_seeds * (n_updates * of_update + points * of_point)
            disk += n_seeds * points * n_bytes(own)
    return Cost(
        n_networks=n_seeds * len(settings.variants),
        n_retrainings=n_seeds * len(settings.variants) * n_retrainings,
        n_points=n_points,
        seconds=seconds / workers,
        n_bytes=disk,
        workers=workers,
        without="sharpness and curvature" if settings.with_curvature else "",
    )
