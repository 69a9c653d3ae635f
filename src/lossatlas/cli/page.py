"""``lossatlas page``."""

from pathlib import Path
from typing import Annotated

import typer


def page(
    header: Annotated[Path, typer.Argument(metavar="HEADER.json", help="The scene's header.", show_default=False)],
    data: Annotated[Path, typer.Argument(metavar="DATA.bin", help="The bytes of its arrays.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Ends in .html.")] = Path("page.html"),
) -> None:
    """Make the page of a scene that another program wrote; docs/scene.md says how to write one."""
    from lossatlas._arrays import InputError
    from lossatlas.draw import decoded, write_page

    if output.suffix != ".html":
        raise InputError(f"{output.name!r} must end in .html; rename it")
    try:
        text = _read(header).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{header} is not UTF-8 text ({error.reason} at byte {error.start}); pass the header first") from error
    write_page(decoded(text, _read(data)), output)
    typer.echo(f"wrote {output}")


def _read(path: Path) -> bytes:
    from lossatlas._arrays import InputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name the header and the data of a scene") from error
