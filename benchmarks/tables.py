"""Rows become a table, and a table finds its place in the README."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

README = Path(__file__).with_name("README.md")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, digits: int = 3) -> str:
    """Return a number, or a dash where there is none."""
    return "–" if value != value else f"{value:.{digits}f}"  # noqa: PLR0124 - NaN alone differs from itself


def filled(document: str, sections: Mapping[str, str]) -> str:
    """Return a document with the text between ``<!-- name -->`` and ``<!-- /name -->`` replaced.

    Raises:
        KeyError: the document has no such place.
    """
    for name, text in sections.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", flags=re.DOTALL)
        if not place.search(document):
            raise KeyError(name)
        document = place.sub(lambda found, text=text: f"{found[1]}{text}\n{found[2]}", document)
    return document
