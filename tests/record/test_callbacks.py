"""The real Lightning and the real Trainer record what a loop of one's own would, and their checkpoints are imported."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from test_cli import call
from torch import nn

from lossatlas import import_checkpoints, open_run

pytestmark = pytest.mark.filterwarnings("ignore")  # their own, about workers, devices and versions

_X = torch.randn(48, 4, generator=torch.Generator().manual_seed(0))
_Y = (_X.sum(dim=1) > 0).long()


def _lightning_module():
    import lightning.pytorch as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))

        def _loss(self, batch):
            x, y = batch
            return nn.functional.cross_entropy(self.net(x), y)

        def training_step(self, batch, _):
            loss = self._loss(batch)
            self.log("train_loss", loss, on_epoch=True, on_step=False)
            return loss

        def validation_step(self, batch, _):
            self.log("test_loss", self._loss(batch))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        return Module()


def _fit(folder, *callbacks, module=None, epochs=4, accumulate=1):
    import lightning.pytorch as pl
    from torch.utils.data import DataLoader, TensorDataset

    data = DataLoader(TensorDataset(_X, _Y), batch_size=12)
    trainer = pl.Trainer(
        max_epochs=epochs, callbacks=list(callbacks), default_root_dir=folder, logger=False, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, accumulate_grad_batches=accumulate,
    )  # fmt: skip
    module = module or _lightning_module()
    trainer.fit(module, data, data)
    return module


def _weights(model: nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().double().numpy().ravel() for p in model.parameters()])


def test_lightning_is_recorded_by_epochs_with_what_it_logs(tmp_path):
    from lossatlas.record.lightning import LossAtlasCallback

    begun = _weights(_lightning_module())
    module = _fit(tmp_path, LossAtlasCallback(tmp_path / "run", settings={"rate": 0.1}))
    run = open_run(tmp_path / "run")
    assert run.n_points == 5
    assert run.is_complete
    assert run.settings["rate"] == 0.1
    np.testing.assert_array_equal(run.weights()[0], begun)
    np.testing.assert_array_equal(run.weights()[-1], _weights(module))
    for name in ("train_loss", "test_loss"):
        losses = run.metrics[name]
        assert np.isnan(losses[0])
        assert (np.diff(losses[1:]) < 0).all()
    # Recording changes nothing.
    np.testing.assert_array_equal(_weights(_fit(tmp_path)), _weights(module))


def test_lightning_is_recorded_by_steps_of_its_optimiser(tmp_path):
    from lossatlas.record.lightning import LossAtlasCallback

    _fit(tmp_path, LossAtlasCallback(tmp_path / "run", every=2, metrics=["train_loss"]), accumulate=2)
    run = open_run(tmp_path / "run")
    assert run.steps.tolist() == [0, 2, 4, 6, 8]  # four batches and two steps an epoch
    assert set(run.metrics) == {"train_loss"}


def test_an_error_in_lightning_keeps_what_was_stored(tmp_path):
    import lightning.pytorch as pl

    from lossatlas.record.lightning import LossAtlasCallback

    class Failing(pl.Callback):
        def on_train_epoch_start(self, trainer, _):
            if trainer.current_epoch == 2:
                raise LookupError("the user's own")

    with pytest.raises(LookupError):
        _fit(tmp_path, LossAtlasCallback(tmp_path / "run"), Failing())
    run = open_run(tmp_path / "run")
    assert run.n_points == 3
    assert not run.is_complete


def test_lightnings_checkpoints_are_imported_and_mapped_with_one_command(tmp_path):
    import lightning.pytorch as pl

    keep = pl.callbacks.ModelCheckpoint(dirpath=tmp_path / "left", save_top_k=-1, every_n_epochs=1, save_last=True)
    module = _fit(tmp_path, keep, epochs=6)
    (tmp_path / "left" / "last.ckpt").unlink(missing_ok=True)
    run = import_checkpoints(tmp_path / "left", tmp_path / "runs" / "imported")
    assert run.steps.tolist() == [4, 8, 12, 16, 20, 24]
    np.testing.assert_array_equal(run.weights()[-1], _weights(module))
    made = call("map", "runs", "-o", "map.json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr


def _trainer(folder, *callbacks, epochs=5):
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

    with torch.random.fork_rng([]):
        torch.random.manual_seed(0)
        config = BertConfig(
            vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
            max_position_embeddings=6,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=2,
        )  # fmt: skip
        model = BertForSequenceClassification(config)
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(11, (40, 6), generator=generator)
    data = [{"input_ids": row, "attention_mask": torch.ones(6, dtype=torch.long), "labels": int(row[0] > 5)} for row in tokens]
    args = TrainingArguments(
        output_dir=str(folder / "left"), num_train_epochs=epochs, per_device_train_batch_size=10, save_steps=1, logging_steps=2,
        save_strategy="steps", eval_strategy="epoch", learning_rate=1e-2, report_to=[], use_cpu=True, disable_tqdm=True,
        save_total_limit=None,
    )  # fmt: skip
    return Trainer(model=model, args=args, train_dataset=data, eval_dataset=data, callbacks=list(callbacks))


def test_the_trainer_is_recorded_and_its_checkpoints_are_imported_and_mapped(tmp_path):
    from lossatlas.record.transformers import LossAtlasCallback

    trainer = _trainer(tmp_path, LossAtlasCallback(tmp_path / "runs" / "recorded", every=1))
    begun = _weights(trainer.model)
    trainer.train()
    recorded = open_run(tmp_path / "runs" / "recorded")
    assert recorded.steps.tolist() == list(range(21))
    assert recorded.is_complete
    np.testing.assert_array_equal(recorded.weights()[0], begun)
    np.testing.assert_array_equal(recorded.weights()[-1], _weights(trainer.model))
    assert recorded.metrics["train_loss"][-1] < recorded.metrics["train_loss"][4]
    assert np.isfinite(recorded.metrics["test_loss"][-1])
    done = call("import", "left", "-o", "runs/imported", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    imported = open_run(tmp_path / "runs" / "imported")
    assert imported.steps.tolist() == list(range(1, 21))
    ordered = imported.ordered_as(recorded.names)
    np.testing.assert_array_equal(ordered.weights(), recorded.weights()[1:])
    assert {"train_loss", "test_loss", "learning_rate"} <= set(imported.metrics)
    logged = {entry["step"]: entry["loss"] for entry in trainer.state.log_history if "loss" in entry}
    for step, loss in logged.items():
        assert imported.metrics["train_loss"][step - 1] == pytest.approx(loss)
    made = call("map", "runs", "-o", "map.json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr


def test_the_trainer_is_recorded_by_epochs(tmp_path):
    from lossatlas.record.transformers import LossAtlasCallback

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _trainer(tmp_path, LossAtlasCallback(tmp_path / "run"), epochs=3).train()
    assert open_run(tmp_path / "run").steps.tolist() == [0, 1, 2, 3]


def _keras():
    """Return Keras, on torch, and a small model with batch norm."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, activation="tanh"), layers.BatchNormalization(), layers.Dropout(0.1), layers.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss, metrics=["accuracy"])
    return keras, model


class _Seen:
    """The trained weights of a Keras model, as its own calls give them."""

    def __init__(self, keras, model, when):
        self.rows, self.logs = [], []
        seen = self

        class Look(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                seen.rows.append(seen.weights(self.model))

        def look(callback, number, logs=None):
            seen.rows.append(seen.weights(callback.model))
            seen.logs.append(dict(logs))

        setattr(Look, when, look)
        self.callback = Look()

    @staticmethod
    def weights(model):
        return np.concatenate([keras_array(v).ravel() for v in model.trainable_variables])


def keras_array(variable):
    return variable.numpy().astype(float)


@pytest.mark.parametrize(
    ("every", "when", "steps"), [("epoch", "on_epoch_end", [0, 1, 2, 3]), (1, "on_train_batch_end", range(13))]
)
def test_keras_is_recorded(tmp_path, every, when, steps):
    keras, model = _keras()
    from lossatlas.record.keras import LossAtlasCallback

    seen = _Seen(keras, model, when)
    x, y = _X.numpy(), _Y.numpy()
    recording = LossAtlasCallback(tmp_path / "run", every=every)
    model.fit(x, y, batch_size=12, epochs=3, validation_data=(x, y), verbose=0, callbacks=[recording, seen.callback])
    run = open_run(tmp_path / "run")
    assert run.is_complete
    assert run.steps.tolist() == list(steps)
    assert run.names == tuple(variable.path for variable in model.trainable_variables)
    np.testing.assert_array_equal(run.weights(), np.array(seen.rows))
    mean = next(name for name in run.snapshot(0) if name.endswith("moving_mean"))
    assert mean not in run.names
    assert np.abs(run.snapshot(-1)[mean]).max() > 0
    np.testing.assert_allclose(run.metrics["train_loss"][1:], [logs["loss"] for logs in seen.logs])
    if every == "epoch":
        np.testing.assert_allclose(run.metrics["test_accuracy"][1:], [logs["val_accuracy"] for logs in seen.logs])


def test_keras_on_another_backend_is_refused(tmp_path, monkeypatch, refuses):
    keras, _ = _keras()
    from lossatlas.record.keras import LossAtlasCallback

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with refuses("Keras runs on 'jax', and recording needs torch; set KERAS_BACKEND=torch before it is imported"):
        LossAtlasCallback(tmp_path / "run")


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("tensorflow", "Keras looks for tensorflow as its backend; set KERAS_BACKEND=torch before it is imported"),
        ("keras", "lossatlas.record.keras needs Keras 3; install it with: pip install keras"),
    ],
)
def test_what_keras_lacks_is_named(tmp_path, missing, says):
    # As where no backend is set, and none of TensorFlow is installed; in a process of its own, which has not loaded Keras.
    code = f"import sys; sys.modules[{missing!r}] = None; import lossatlas.record.keras"
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"} | {"KERAS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == f"ImportError: {says}"


def test_keras_layers_of_one_name_and_an_interrupted_fit(tmp_path):
    keras, _ = _keras()
    from lossatlas.record.keras import LossAtlasCallback

    class Part(keras.Model):
        def __init__(self, units):
            super().__init__(name="part")
            self.dense = keras.layers.Dense(units, name="dense")

        def call(self, x):
            return self.dense(x)

    class Whole(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = Part(8), Part(2)

        def call(self, x):
            return self.second(self.first(x))

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    model = Whole()
    model.compile(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = _X.numpy(), _Y.numpy()
    model(x[:1])
    recording = LossAtlasCallback(tmp_path / "run", if_exists="append")
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[recording, Stop()])
    model.fit(x, y, epochs=2, verbose=0, callbacks=[recording])
    run = open_run(tmp_path / "run")
    assert run.steps.tolist() == [0, 1, 2, 3]
    assert run.n_parameters == sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 4 * 8 + 8 + 8 * 2 + 2
