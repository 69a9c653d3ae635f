"""From nothing to the table: networks in any order, each once, then the classifiers."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from lossatlas._arrays import InputError
from lossatlas.draw.figures import accuracies_figure
from lossatlas.experiments.data.batches import Samples
from lossatlas.experiments.pool import results
from lossatlas.experiments.report import TableReport, refuse_unwritable_folder
from lossatlas.experiments.table_one.classification import Accuracy, accuracy
from lossatlas.experiments.table_one.features import MEANINGS, PERMUTED, TARGETS, classes, features
from lossatlas.experiments.table_one.sampling import Sampled, sample, sampled, work_key
from lossatlas.experiments.table_one.settings import Network, Settings
from lossatlas.experiments.table_one.table import PAPER, Accuracies, n_classes, summary, table
from lossatlas.experiments.table_one.task import images

TITLE = "What sampled points say of a network"

_COLUMNS = {
    "accuracy, %": "mean over the classifiers ± its standard error over them, as in the paper: classifiers that all saw the same "
    "networks, so that it says nothing of other networks",
    "J&R ahead of …": "difference on the same networks ± its standard error over networks",
    "paper": "Horoi et al. 2022, Table 1: 108 WideResNets on CIFAR-10, 640 points each",
}

Job = tuple[Callable[..., Any], tuple[Any, ...]]


def n_units(settings: Settings) -> int:
    """Return in how many pieces of work progress is reported: networks, and a source of features for a target."""
    return len(settings.networks) + len(MEANINGS) * len(TARGETS)


def run(
    folder: Path,
    settings: Settings,
    *,
    executor: Executor | None = None,
    progress: Callable[[int, str], None] | None = None,
    data: Samples | None = None,
) -> TableReport:
    """Train and sample the grid of networks, and classify them; what ``folder`` holds of the same settings is not done again.

    Args:
        folder: For the networks' numbers.
        settings: All choices.
        executor: Processes, such as :class:`lossatlas.sample.LocalPool`; by default all is done in this one.
        progress: Called with the pieces of work done, and of what.
        data: Samples in place of those that the settings name.

    Raises:
        InputError: ``folder`` holds networks of other settings or cannot be written, CIFAR-10 is not there, or there are too few
            networks of a class.
    """
    refuse_unwritable_folder(folder)
    if data is None:
        images(settings)  # refused before any work
    report = progress or (lambda _done, _what: None)
    work = [(network, folder / "networks" / network.name) for network in settings.networks]
    _refuse_other_networks(work, settings, data)
    report(0, "training and sampling")
    for done, _ in enumerate(results(_call, [(sample, (*item, settings, data)) for item in work], executor), start=1):
        report(done, "training and sampling")
    everything = [sampled(*item, work_key(item[0], settings, data)) for item in work]
    known = [one for one in everything if one is not None and one.is_finite]
    left_out = [one for one in everything if one is not None and not one.is_finite]
    accuracies = _classified(known, settings, executor, lambda done, what: report(len(work) + done, what))
    report(n_units(settings), "done")
    return TableReport(
        title=TITLE,
        sentence=_sentence(known, left_out, settings),
        summary=summary(known, left_out, accuracies, settings),
        table=table(accuracies, settings),
        meanings=_COLUMNS | dict(MEANINGS),
        figure=accuracies_figure(
            {t: {r: (100 * a[t].mean, 100 * a[t].error_of_classifiers) for r, a in accuracies.items()} for t in TARGETS},
            chance={target: 100 / count for target, count in n_classes(settings).items()},
            others={t: {r: by_target[t] for r, by_target in PAPER.items()} for t in TARGETS},
        ),
    )


def _refuse_other_networks(work: Sequence[tuple[Network, Path]], settings: Settings, data: Samples | None) -> None:
    for network, folder in work:
        sampled(network, folder, work_key(network, settings, data))


def _call(job: Job) -> Any:  # noqa: ANN401 - of whatever the job is
    function, arguments = job
    return function(*arguments)


def _classified(
    known: Sequence[Sampled], settings: Settings, executor: Executor | None, report: Callable[[int, str], None]
) -> Accuracies:
    if not known:
        raise InputError("no network came out finite: every training or a retraining of it diverged; take a lower learning_rate")
    rows, targets = features(known, settings), classes(known, settings)
    cells = [(row, target) for row in rows for target in TARGETS]
    jobs: list[Job] = [
        (_accuracy, (rows[row], targets[target], settings.classification, row == PERMUTED)) for row, target in cells
    ]
    made: dict[str, dict[str, Accuracy]] = {row: {} for row in rows}
    found: dict[int, Accuracy] = {}
    for done, (number, result) in enumerate(results(_call, jobs, executor), start=1):
        found[number] = result
        report(done, "classifying")
    for number, (row, target) in enumerate(cells):
        made[row][target] = found[number]
    return made


def _accuracy(rows: Any, labels: Any, settings: Any, is_permuted: bool) -> Accuracy:  # noqa: ANN401, FBT001 - for a pool
    return accuracy(rows, labels, settings, is_permuted=is_permuted)


def _sentence(known: Sequence[Sampled], left_out: Sequence[Sampled], settings: Settings) -> str:
    data = f"{settings.n_train} handwritten digits" if settings.data == "digits" else "CIFAR-10"
    own = settings.classification
    out = f" {len(left_out)} networks of which something diverged are left out." if left_out else ""
    return (
        f"{len(known)} networks trained on {data} from one initialisation, {settings.n_points} points sampled around each "
        f"minimum in three ways. {len(own.classifiers)} classifiers predict from them, in {own.rounds} rounds of "
        f"{own.folds}-fold cross-validation, the {own.n_classes} classes of test loss, the weight decay, the augmentation.{out}"
    )
