"""The real TensorBoard and the real Weights & Biases, offline, take the map."""

import pytest

import lossatlas as la

pytestmark = pytest.mark.filterwarnings("ignore")  # their own


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    import torch

    folder = tmp_path_factory.mktemp("runs")
    model = torch.nn.Linear(4, 3)
    with la.Recorder(folder / "run", model) as recorder:
        for step in range(12):
            with torch.no_grad():
                model.weight += 0.1 * torch.sin(torch.tensor(float(step)))
            recorder.step(loss=1 / (step + 1))
    return la.atlas(folder)


def test_tensorboard_shows_the_figure(made, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        made.log(writer, name="map", step=7)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    (image,) = events.Images("map")
    assert image.step == 7
    assert image.width > 300
    assert len(image.encoded_image_string) > 5_000


def test_weights_and_biases_keeps_figure_and_page_as_an_artefact(made, tmp_path, monkeypatch):
    import wandb

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(dir=str(tmp_path), project="maps") as run:
        made.log(run, name="map", step=3)
    media = [path for path in tmp_path.rglob("media/**/*") if path.is_file()]
    assert {path.suffix for path in media} >= {".png", ".html"}
    page = next(path for path in media if path.suffix == ".html").read_text()
    assert "<!doctype html" in page.lower()
    assert len(page) > 50_000


def test_what_is_neither_is_refused(made, refuses):
    with refuses("to must be a SummaryWriter or a run of wandb, but is a dict; pass one of these"):
        made.log({})
