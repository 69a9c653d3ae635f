"""Record a training of Lightning: ``Trainer(callbacks=[LossAtlasCallback("runs/mine")])``."""

import os
from collections.abc import Sequence
from typing import Any

from lossatlas.record.recorder import Every, Recorder
from lossatlas.record.sharding import is_sharded

try:
    import lightning.pytorch as pl
except ModuleNotFoundError:
    try:
        import pytorch_lightning as pl  # type: ignore[no-redef]
    except ModuleNotFoundError:
        raise ImportError("lossatlas.record.lightning needs Lightning; install it with: pip install lightning") from None


class LossAtlasCallback(pl.Callback):
    """Record the weights while Lightning trains.

    The weights at the start of ``fit`` are point 0. With ``every="epoch"`` each epoch is a point, with what was logged in it and
    in its validation; with a number or ``"log"`` the steps of the optimiser count. Rank 0 writes.

    Args:
        path: Folder of the run.
        every: As :class:`lossatlas.Recorder` has it, of epochs or steps.
        metrics: Names of logged metrics that are stored; None takes all that are one number.
        options: Further arguments of :class:`lossatlas.Recorder`.

    Raises:
        InputError: as the recorder does, when ``fit`` begins.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: Every = "epoch",
        metrics: Sequence[str] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self._path, self._every, self._metrics, self._options = path, every, metrics, options
        self._recorder: Recorder | None = None
        self._step = 0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Store the weights that training begins with."""
        if trainer.is_global_zero or is_sharded(pl_module):
            self._recorder = Recorder(self._path, pl_module, every=self._every, **self._options)
            self._step = trainer.global_step

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object) -> None:  # noqa: ARG002
        """Count a step of the optimiser; batches whose gradients are still being summed are none."""
        if self._recorder and self._every != "epoch" and trainer.global_step > self._step:
            self._step = trainer.global_step
            self._recorder.step(**self._logged(trainer))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Count an epoch, its validation done."""
        if self._recorder and self._every == "epoch":
            self._recorder.step(**self._logged(trainer))

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """End the run in good order."""
        if self._recorder:
            self._recorder.close()
            self._recorder = None

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:  # noqa: ARG002
        """Keep what was stored, and say what stopped the run."""
        if self._recorder:
            self._recorder.__exit__(type(exception), exception, exception.__traceback__)
            self._recorder = None

    def _logged(self, trainer: pl.Trainer) -> dict[str, float]:
        logged = trainer.callback_metrics
        names = logged if self._metrics is None else [name for name in self._metrics if name in logged]
        return {str(name): float(logged[name]) for name in names}
