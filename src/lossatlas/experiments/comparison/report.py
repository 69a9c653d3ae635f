"""What a comparison found, as a page, maps and numbers."""

from dataclasses import dataclass
from pathlib import Path

from lossatlas.experiments.comparison.claims import Claim
from lossatlas.experiments.pages import page
from lossatlas.experiments.report import Report
from lossatlas.sample.jump.cost import spoken
from lossatlas.store import write_durably


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonReport(Report):
    """Maps and numbers, what was claimed of them, and what follows."""

    meanings: dict[str, str]  # what the rows of the table say
    claims: tuple[Claim, ...]
    conclusions: tuple[str, ...]
    seconds: float  # that it took, all processes side by side
    command: str  # by which anyone can make it again
    home: str | None = None  # address of the gallery that it is one of

    def draw(self, folder: Path) -> list[Path]:
        """Write the page with its claims and its table, the explorer and the figure, and return their paths."""
        front = folder / "index.html"
        drawn = super().draw(folder)
        write_durably(front, [self.page().encode()])
        return [front, *drawn]

    def page(self) -> str:
        """Return the page of all that is said."""
        names = list(self.atlases)
        shown = f"Maps: {', '.join(names)}."
        return page(
            "comparison.html",
            title=self.title,
            question=self.sentence,
            conclusions=self.conclusions,
            claims=self.claims,
            table=self.table,
            meanings=self.meanings,
            picture_text=shown,
            command=self.command,
            took=f"It took {spoken(self.seconds)}.",
            home=self.home,
        )
