"""Write the pictures of figures.md and geometry.md by running their lines: ``python docs/pictures.py [PAGE]``."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

_DOCS = Path(__file__).parent
_WIDEST = 1200  # pixels; else two thirds of what print asks for


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


if __name__ == "__main__":
    for page in sys.argv[1:] or ["figures", "geometry"]:
        write_pictures(page)
