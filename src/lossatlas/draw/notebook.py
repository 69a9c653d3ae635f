"""The page inside a notebook's cell."""

import html

from lossatlas.draw.page import page
from lossatlas.draw.scene import Scene


def notebook_frame(scene: Scene, *, height: int = 720) -> str:
    """Return the page in a frame that any notebook shows, with nothing to install; ``height`` in pixels."""
    content = html.escape(page(scene), quote=True)
    # sandbox: the page needs its own script, and nothing of the notebook.
    return f'<iframe sandbox="allow-scripts" srcdoc="{content}" width="100%" height="{height}" style="border:0"></iframe>'
