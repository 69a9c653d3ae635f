"""The command line: parses, calls, prints. One module a command."""

import sys
import warnings
from typing import Annotated

import typer

# Nothing heavier than typer is imported here or at the top of a command's module: `lossatlas --help` answers at once.
from lossatlas.cli.audit import audit
from lossatlas.cli.card import card
from lossatlas.cli.compare import compare
from lossatlas.cli.connect import connect
from lossatlas.cli.demo import demo
from lossatlas.cli.gallery import gallery
from lossatlas.cli.geometry import geometry
from lossatlas.cli.import_ import import_
from lossatlas.cli.map import map_
from lossatlas.cli.page import page
from lossatlas.cli.sample import sample
from lossatlas.cli.slice import slice_
from lossatlas.cli.watch import watch

app = typer.Typer(
    name="lossatlas",
    help="Maps of where neural networks go when they train.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(gallery)
app.command(name="import")(import_)
app.command()(audit)
app.command(name="map")(map_)
app.command()(geometry)
app.command()(compare)
app.command()(sample)
app.command(name="slice")(slice_)
app.command()(connect)
app.command()(card)
app.command()(page)
app.command()(watch)

_STOPPED = 130


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:  # noqa: FBT002
    if version:
        from lossatlas import __version__

        typer.echo(f"lossatlas {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; bad input ends it with one line and exit code 2."""
    warnings.showwarning = _print_warning  # one line, as all that this program says
    try:
        code = app(standalone_mode=False) or 0
    except Exception as error:  # noqa: BLE001 - raised again unless it is the user's to mend
        _fail(_refusal(error), 2)
    if code == _STOPPED:  # by Ctrl-C
        _fail("stopped; the same command goes on where it was", code)
    sys.exit(code)


def _refusal(error: Exception) -> str:
    """Return the line of an error that is the user's to mend, and raise any other."""
    # An unknown option or a value of the wrong type: typer's own refusals carry their sentence.
    if hasattr(error, "format_message"):
        return f"{error.format_message().rstrip('.')}; see lossatlas --help"
    from lossatlas._arrays import InputError  # here, since it brings NumPy

    if not isinstance(error, InputError):
        raise error
    return str(error)


def _fail(message: str, code: int) -> None:
    typer.echo(f"lossatlas: {' '.join(message.split())}", err=True)
    sys.exit(code)


def _print_warning(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"lossatlas: warning: {message}", err=True)
