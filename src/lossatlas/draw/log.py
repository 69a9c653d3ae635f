"""A map beside the curves of a training: in TensorBoard, or in Weights & Biases."""

import tempfile
from pathlib import Path
from typing import Any

from lossatlas._arrays import InputError
from lossatlas._atlas import Atlas


def log_atlas(atlas: Atlas, to: Any, *, name: str, step: int | None) -> None:  # noqa: ANN401 - of packages that need not be there
    """Log the figure, and where pages can be shown the page.

    Args:
        atlas: The map.
        to: TensorBoard's ``SummaryWriter``, or the run that ``wandb.init()`` returns.
        name: Of the entry.
        step: Of the training.

    Raises:
        InputError: ``to`` is neither.
    """
    if hasattr(to, "add_figure"):
        to.add_figure(name, atlas.figure(title=name), global_step=step, close=False)
        return
    if not (hasattr(to, "log") and hasattr(to, "log_artifact")):
        raise InputError(f"to must be a SummaryWriter or a run of wandb, but is a {type(to).__name__}; pass one of these")
    import wandb

    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder) / "atlas.html", Path(folder) / "atlas.png"
        atlas.write_html(page, title=name)
        atlas.save(picture, title=name)
        to.log({name: wandb.Image(str(picture)), f"{name} (page)": wandb.Html(page.read_text(), inject=False)}, step=step)
        artifact = wandb.Artifact(name, type="lossatlas")
        artifact.add_file(str(page))
        artifact.add_file(str(picture))
        to.log_artifact(artifact)
