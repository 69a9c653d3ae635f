"""Write the pictures of figures.md, geometry.md and tutorial.md by running their lines: ``python docs/pictures.py [PAGE]``."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from followed import follow
from PIL import Image

_DOCS = Path(__file__).parent
_WIDEST = 1200  # pixels; else two thirds of what print asks for
_BROWSER = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


def write_pictures(name: str) -> None:
    """Run a page in a folder that goes away, and keep the pictures that it shows, small."""
    page = (_DOCS / f"{name}.md").read_text()
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)
        for picture in re.findall(r"\(images/([a-z]+\.png)\)", page):
            with Image.open(Path(folder) / picture) as drawn:
                drawn.thumbnail((min(_WIDEST, drawn.width * 2 // 3), drawn.height), Image.Resampling.LANCZOS)
                drawn.convert("RGB").save(_DOCS / "images" / picture, optimize=True)


def write_pages() -> None:
    """Follow the tutorial in a folder that goes away, and keep what its pages look like as they open."""
    chromium = shutil.which("chromium")
    assert chromium, "a Chromium is needed; install one"
    with tempfile.TemporaryDirectory() as folder:
        follow((_DOCS / "tutorial.md").read_text(), Path(folder))
        for page in ("runs", "around"):
            shot, opened = Path(folder, f"{page}.png"), Path(folder, f"{page}.html").as_uri()
            seen = ("--window-size=1400,1060", "--virtual-time-budget=4000", f"--screenshot={shot}", opened)
            subprocess.run([chromium, *_BROWSER, *seen], check=True, capture_output=True)
            with Image.open(shot) as drawn:
                drawn.thumbnail((_WIDEST, drawn.height), Image.Resampling.LANCZOS)
                drawn.convert("RGB").save(_DOCS / "images" / f"tutorial-{page}.png", optimize=True)


if __name__ == "__main__":
    for page in sys.argv[1:] or ["figures", "geometry", "tutorial"]:
        write_pages() if page == "tutorial" else write_pictures(page)
