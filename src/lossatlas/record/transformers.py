"""Record a training of the Hugging Face Trainer: ``Trainer(..., callbacks=[LossAtlasCallback("runs/mine")])``."""

import os
from typing import Any

from lossatlas.record.checkpoints.trainer_state import metrics_of
from lossatlas.record.recorder import Every, Recorder
from lossatlas.record.sharding import is_sharded

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ModuleNotFoundError:
    raise ImportError("lossatlas.record.transformers needs transformers; install it with: pip install transformers") from None


class LossAtlasCallback(TrainerCallback):
    """Record the weights while the Trainer trains.

    The weights at the start are point 0. With ``every="epoch"`` each epoch is a point; with a number or ``"log"`` the steps of
    the optimiser count. A point has the metrics that were logged last: the Trainer's ``loss`` is stored as ``train_loss``, its
    ``eval_loss`` as ``test_loss``. The process of rank 0 writes.

    Args:
        path: Folder of the run.
        every: As :class:`lossatlas.Recorder` has it, of epochs or steps.
        options: Further arguments of :class:`lossatlas.Recorder`.

    Raises:
        InputError: as the recorder does, when training begins.
    """

    def __init__(self, path: str | os.PathLike[str], *, every: Every = "epoch", **options: Any) -> None:  # noqa: ANN401
        self._path, self._every, self._options = path, every, options
        self._recorder: Recorder | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:  # noqa: ANN401, ARG002
        """Store the weights that training begins with."""
        if self._recorder:  # of a training that was interrupted
            self._recorder.__exit__(KeyboardInterrupt, None, None)
            self._recorder = None
        model = given["model"]
        if state.is_world_process_zero or is_sharded(model):
            self._recorder = Recorder(self._path, model, every=self._every, **self._options)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Count a step of the optimiser."""
        if self._recorder and self._every != "epoch":
            self._recorder.step(**metrics_of(state.log_history))

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Count an epoch."""
        if self._recorder and self._every == "epoch":
            self._recorder.step(**metrics_of(state.log_history))

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:  # noqa: ANN401, ARG002
        """End the run in good order."""
        if self._recorder:
            self._recorder.close()
            self._recorder = None
