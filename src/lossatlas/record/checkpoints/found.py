"""Which checkpoints there are, and at which step each was written."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from lossatlas._arrays import InputError
from lossatlas.store import natural

_ENDINGS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
# Files that trainers put beside a checkpoint, and that hold no weights of the model.
_BESIDE = re.compile(r"(optimizer|scheduler|scaler|rng_state.*|training_args|random_states.*)\.(pt|pth|bin|pkl)")
# The weights of a checkpoint that is a folder, the ones to take first first.
_WITHIN = (
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "model.safetensors",
    "pytorch_model.bin",
    "adapter_model.safetensors",
    "adapter_model.bin",
    ".metadata",
)


def checkpoint_paths(paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the checkpoints that paths, folders and patterns name, in natural order: ``step-9`` before ``step-10``.

    A folder is one checkpoint where it holds the weights under a known name (``checkpoint-500/model.safetensors``, an index of
    shards, a ``torch.distributed.checkpoint``), and else stands for the checkpoints in it.

    Raises:
        InputError: there is none, or a file of an unknown kind is named.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    found: list[Path] = []
    for path in map(Path, given):
        if path.exists():
            found += _below(path)
            continue
        root = Path(path.anchor)
        matches = sorted(match for match in root.glob(str(path.relative_to(root))) if _is_checkpoint(match) or match.is_dir())
        if not matches:
            raise InputError(f"there is no checkpoint at {str(path)!r}; check the path or the pattern")
        found += [checkpoint for match in matches for checkpoint in _below(match)]
    return sorted(dict.fromkeys(found), key=natural)


def weights_of(checkpoint: Path) -> Path:
    """Return the file that holds the weights, or the index of those that do; of a distributed checkpoint its folder."""
    if checkpoint.is_file():
        return checkpoint
    within = next(checkpoint / name for name in _WITHIN if (checkpoint / name).exists())
    return checkpoint if within.name == ".metadata" else within


def named_step(checkpoint: Path) -> int | None:
    """Return the step that a name tells: after the word ``step`` or ``iter``, or else its last number.

    >>> named_step(Path("epoch=3-step=400.ckpt")), named_step(Path("checkpoint-500")), named_step(Path("last.ckpt"))
    (400, 500, None)
    """
    name = checkpoint.name.removesuffix(".index.json")
    stem = name if checkpoint.is_dir() else Path(name).stem
    word = re.search(r"(?:global_?step|step|iteration|iter)[=_-]?(\d+)", stem)
    numbers = re.findall(r"\d+", stem)
    return int(word[1]) if word else int(numbers[-1]) if numbers else None


def _below(path: Path) -> list[Path]:
    if _is_checkpoint(path):
        return [path]
    if path.is_file():
        raise InputError(
            f"{str(path)!r} is no checkpoint of a known kind; name files that end in {', '.join(_ENDINGS)}, or their folder"
        )
    indexed = sorted(path.glob("*.index.json"))
    if indexed:  # an index under another name
        return indexed
    inside = [entry for entry in path.iterdir() if _is_checkpoint(entry)]
    if not inside:
        raise InputError(f"the folder {str(path)!r} holds no checkpoint; name the one that does")
    return inside


def _is_checkpoint(path: Path) -> bool:
    if path.is_dir():
        return any((path / name).exists() for name in _WITHIN)
    if path.name.endswith(".index.json"):
        return True
    return path.suffix in _ENDINGS and _BESIDE.fullmatch(path.name) is None
