"""Reports as pages of their own: one file each, nothing from outside."""

import base64
import io
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure


def page(template: str, **values: object) -> str:
    """Return a page: a template of this folder with values in it, whose text stays text."""
    return _environment().get_template(template).render(**values)


def picture(figure: Figure) -> str:
    """Return a figure as an address that holds all of it."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=200, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


@cache
def _environment() -> Environment:
    folder = Path(__file__).parent
    return Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
