"""A scene as one HTML file: it opens from disk, asks the network for nothing, and holds every number that it draws.

The script and the style sheet are built from ``viewer/`` and travel with the package. Python puts the scene beside them
and writes no JavaScript. The page of a live view has no scene: it asks the server that it came from for one.
"""

import base64
import hashlib
import html
import os
import uuid
from functools import cache
from importlib import resources
from pathlib import Path

from lossatlas._arrays import InputError
from lossatlas.draw.encoding import encoded
from lossatlas.draw.scene import Scene

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{content}
<script>{script}</script>
</body>
</html>
"""


_CARRIED = """\
<div id="lossatlas"></div>
<noscript><p>The maps on this page are drawn by a script inside this file: allow scripts here to see them.</p></noscript>
<script type="application/json" id="scene-header">{header}</script>
<script type="application/octet-stream;base64" id="scene-data">{data}</script>"""

_LIVE = """\
<p id="live-status" role="status">connecting</p>
<div id="lossatlas" data-live="{events}"></div>
<noscript><p>The maps on this page are drawn by a script: allow scripts here to see them.</p></noscript>"""


def page(scene: Scene) -> str:
    """Return the HTML text that shows ``scene`` in any browser, without a network."""
    header, data = encoded(scene)
    # Every "<" of the header stands inside a JSON string, where its escape means the same: no name can end the element.
    carried = _CARRIED.format(header=header.replace("<", "\\u003c"), data=base64.b64encode(data).decode("ascii"))
    return _filled(scene.title, carried)


def live_page(title: str, *, events: str = "events") -> str:
    """Return the HTML text of a page that shows the scenes which the server at ``events``, beside the page, tells it of."""
    return _filled(title, _LIVE.format(events=html.escape(events)), further="; connect-src 'self'")


def _filled(title: str, content: str, *, further: str = "") -> str:
    script, style = built("viewer.js"), built("viewer.css")
    policy = (
        f"default-src 'none'; script-src '{_source_hash(script)}'; style-src '{_source_hash(style)}'; "
        f"img-src data: blob:; base-uri 'none'; form-action 'none'{further}"
    )
    return _PAGE.format(policy=policy, title=html.escape(title), style=style, content=content, script=script)


def write_page(scene: Scene, path: str | os.PathLike[str]) -> None:
    """Write ``scene`` as one HTML file: whole, or not at all.

    Raises:
        InputError: the folder is missing, or nothing can be written there.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder; name a file in it, such as {target / 'atlas.html'}")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent} to write {target.name} into; make it first, or name another file")
    # A lone surrogate (a run named after a file whose name is not UTF-8) has no bytes of its own; its escape does.
    content = page(scene).encode("utf-8", "backslashreplace")
    # Written aside and renamed, so that a reader never meets half a page.
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        try:
            aside.write_bytes(content)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}; name a file in a folder that you may write to") from error


@cache
def built(name: str) -> str:
    """Return a file of the viewer, as it was built."""
    return (resources.files("lossatlas.draw") / "static" / name).read_text(encoding="utf-8")


def _source_hash(content: str) -> str:
    """Return the name by which a content security policy allows exactly this inlined text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
