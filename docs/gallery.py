"""Write the pages of the gallery in the docs, from a gallery that was made: ``python docs/gallery.py gallery``."""

import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from lossatlas.experiments.gallery import presets
from lossatlas.sample.jump.cost import spoken

HERE = Path(__file__).parent
_WIDTH = 1600  # pixels of a picture

_FRONT = """\
# Gallery

Comparisons, each of several variants from the same three starts, made by `make gallery` in {took} on two cores.
`lossatlas demo NAME` makes one of them; `--scale paper` is its full size, and `--dry-run` says what that takes. Each page says
what can be concluded and what cannot. The verdicts below are of these runs: *held* means in every seed, or
beyond chance at one in twenty.

{claims}

```{{toctree}}
:hidden:

{names}
```
"""

_PAGE = """\
# {title}

*{question}*

{conclusions}

{pictures}

## What is claimed, and how it fared

{claims}

## What differs

{table}

`lossatlas demo {name} -o {name}` makes it again, with an explorer of every run. It took {took}.
"""


def main() -> None:
    """Write a page a comparison, and the front page of all."""
    made = Path(sys.argv[1])
    paths = {name: made / name / "summary.json" for name in presets()}
    found = {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
    (HERE / "gallery").mkdir(exist_ok=True)
    for name, summary in found.items():
        pictures = sorted((made / name).glob("*.png"), key=lambda path: (len(path.name), path.name))
        for picture in pictures:
            _shrunk(picture, HERE / "gallery" / f"{name}-{picture.name}")
        shown = [f"![Maps of {summary['settings']['title'].lower()}]({name}-{picture.name})" for picture in pictures]
        (HERE / "gallery" / f"{name}.md").write_text(_page(name, summary, shown))
    rows = [
        f"| {claim['verdict']} | {claim['text']} {claim['source']} | [{summary['settings']['title']}](gallery/{name}.md) |"
        for name, summary in found.items()
        for claim in summary["claims"]
    ]
    front = _FRONT.format(
        took=spoken(sum(summary["seconds"] for summary in found.values())),
        claims="\n".join(["| | claim | where |", "| --- | --- | --- |", *rows]),
        names="\n".join(f"gallery/{name}" for name in found),
    )
    (HERE / "gallery.md").write_text(front)


def _page(name: str, summary: dict[str, Any], pictures: list[str]) -> str:
    head, *rows = summary["table"]
    claims = [
        f"- **{claim['verdict'].capitalize()}.** {claim['text']} {claim['source']}.<br>{claim['number']}"
        for claim in summary["claims"]
    ]
    return _PAGE.format(
        name=name,
        title=summary["settings"]["title"],
        question=summary["settings"]["question"],
        conclusions="\n\n".join(summary["conclusions"]),
        pictures="\n\n".join(pictures),
        claims="\n".join(claims),
        table="\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rows)]),
        took=spoken(summary["seconds"]),
    )


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shrunk(picture: Path, to: Path) -> None:
    """Keep a picture small."""
    with Image.open(picture) as drawn:
        drawn.thumbnail((_WIDTH, drawn.height), Image.Resampling.LANCZOS)
        # The usual choice of colours goes by how often they come, and spends them on white: thin lines would change theirs.
        few = drawn.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
        few.save(to, optimize=True)


if __name__ == "__main__":
    main()
