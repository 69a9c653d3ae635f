"""Record a training of Keras 3 on its torch backend: ``model.fit(..., callbacks=[LossAtlasCallback("runs/mine")])``."""

import os
from collections.abc import Mapping
from typing import Any

from torch import nn

from lossatlas._arrays import InputError
from lossatlas.record.recorder import Every, Recorder

try:
    import keras
except ModuleNotFoundError as error:
    # Keras loads its backend as it is imported, and TensorFlow where none is named.
    missing = str(error.name).partition(".")[0]
    if missing != "keras":
        message = f"Keras looks for {missing} as its backend; set KERAS_BACKEND=torch before it is imported"
        raise ImportError(message) from None
    raise ImportError("lossatlas.record.keras needs Keras 3; install it with: pip install keras") from None


class LossAtlasCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Record the weights while Keras trains.

    The weights at the start of ``fit`` are point 0. With ``every="epoch"`` each epoch is a point, with its logs and those of its
    validation; with a number or ``"log"`` batches count. A point has the logs of its moment, which Keras averages over the epoch
    so far: ``loss`` is stored as ``train_loss``, ``val_loss`` as ``test_loss``. Tensors have the paths of their variables;
    what does not train is stored as buffers, which are no axes of a map.

    Args:
        path: Folder of the run.
        every: As :class:`lossatlas.Recorder` has it, of epochs or batches.
        options: Further arguments of :class:`lossatlas.Recorder`.

    Raises:
        InputError: Keras runs on another backend; and as the recorder does, when ``fit`` begins.
    """

    def __init__(self, path: str | os.PathLike[str], *, every: Every = "epoch", **options: Any) -> None:  # noqa: ANN401
        super().__init__()
        if keras.backend.backend() != "torch":
            backend = keras.backend.backend()
            raise InputError(
                f"Keras runs on {backend!r}, and recording needs torch; set KERAS_BACKEND=torch before it is imported"
            )
        self._path, self._every, self._options = path, every, options
        self._recorder: Recorder | None = None

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
        """Store the weights that training begins with."""
        if self._recorder:  # of a fit that was interrupted
            self._recorder.__exit__(KeyboardInterrupt, None, None)
        self._recorder = Recorder(self._path, _Variables(self.model), every=self._every, **self._options)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
        """Count a batch."""
        if self._recorder and self._every != "epoch":
            self._recorder.step(**_named(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
        """Count an epoch, its validation done."""
        if self._recorder and self._every == "epoch":
            self._recorder.step(**_named(logs))

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
        """End the run in good order."""
        if self._recorder:
            self._recorder.close()
            self._recorder = None


class _Variables(nn.Module):
    """A model's variables under their paths: Keras's own modules have all of them as parameters, in the order of names."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - keras.Model
        super().__init__()
        taken: set[str] = set()
        for variable in model.variables:
            name = variable.path.replace(".", "_")  # which torch keeps for modules within modules
            if name in taken:  # two layers of one name
                name = f"{name}_{sum(other == name or other.startswith(f'{name}_') for other in taken)}"
            taken.add(name)
            if variable.trainable:
                self.register_parameter(name, variable.value)
            else:
                self.register_buffer(name, variable.value.detach())


def _named(logs: Mapping[str, float] | None) -> dict[str, float]:
    # Under the names that the other ways of recording have.
    return {
        f"test_{name.removeprefix('val_')}" if name.startswith("val_") else f"train_{name}": float(value)
        for name, value in (logs or {}).items()
    }
