"""What a comparison found, as a page, maps and numbers."""

from dataclasses import dataclass
from pathlib import Path

from lossatlas.draw import figure, scene, write_figure, write_page
from lossatlas.experiments.comparison.claims import Claim
from lossatlas.experiments.pages import page
from lossatlas.experiments.report import Report
from lossatlas.sample.jump.cost import spoken
from lossatlas.store import write_durably

_METHODS = "methods.png"
_SIDE_BY_SIDE = 4  # maps on a picture


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonReport(Report):
    """Maps and numbers, what was claimed of them, and what follows."""

    n_trainings: int  # so many of the maps are of trainings, the rest of what lies around their ends
    meanings: dict[str, str]  # what the rows of the table say
    claims: tuple[Claim, ...]
    conclusions: tuple[str, ...]
    seconds: float  # that it took, all processes side by side
    command: str  # by which anyone can make it again
    methods: str = ""  # the map that is drawn by each of its methods too
    home: str | None = None  # address of the gallery that it is one of

    def draw(self, folder: Path) -> list[Path]:
        """Write the page with its claims and its table, the explorer and the pictures, and return their paths."""
        front, explorer = folder / "index.html", folder / "atlas.html"
        write_page(self.scene(), explorer)
        pictures = []
        for name, maps in self.pictures().items():
            pictures.append(folder / name)
            write_figure(figure(scene({one: self.atlases[one] for one in maps}, title="")), pictures[-1])
        if self.methods:
            pictures.append(folder / _METHODS)
            write_figure(figure(scene({self.methods: self.atlases[self.methods]}, title=""), preset="methods"), pictures[-1])
        write_durably(front, [self.page().encode()])
        return [front, explorer, *pictures]

    def pictures(self) -> dict[str, list[str]]:
        """Return which maps each picture shows: trainings first, then what lies around their ends, a few side by side."""
        names = list(self.atlases)
        own, around = names[: self.n_trainings], names[self.n_trainings :]
        parts = [*_parts(own), *_parts(around)]
        return {"atlas.png" if place == 0 else f"atlas-{place + 1}.png": part for place, part in enumerate(parts)}

    def page(self) -> str:
        """Return the page of all that is said."""
        return page(
            "comparison.html",
            title=self.title,
            question=self.sentence,
            conclusions=self.conclusions,
            claims=self.claims,
            table=self.table,
            meanings=self.meanings,
            pictures=[
                *((name, len(maps), f"Maps of {', '.join(maps)}") for name, maps in self.pictures().items()),
                *([(_METHODS, 4, f"{self.methods}, by each method")] if self.methods else []),
            ],
            command=self.command,
            took=f"It took {spoken(self.seconds)}.",
            home=self.home,
        )


def _parts(names: list[str]) -> list[list[str]]:
    return [names[first : first + _SIDE_BY_SIDE] for first in range(0, len(names), _SIDE_BY_SIDE)]
