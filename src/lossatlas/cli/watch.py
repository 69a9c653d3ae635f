"""``lossatlas watch``."""

import os
import sys
from typing import Annotated

import typer

from lossatlas.cli.embedding import Decay, Gamma, Knn, Loss, Origin, OriginName, Preset, PresetName, Steps, title_of
from lossatlas.cli.output import Seed


def watch(
    runs: Annotated[
        list[str],
        typer.Argument(help="Run folders, folders of runs, or patterns; also those that are yet to come.", show_default=False),
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of this machine; 0 takes that of the last time, or any free one.")
    ] = 0,
    interval: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks at the runs.")] = 0.5,
    browser: Annotated[
        bool | None, typer.Option("--browser/--no-browser", help="Open the page.", show_default="where there is a screen")
    ] = None,
    max_points: Annotated[int, typer.Option(min=8, help="Points on the map; of more, evenly spaced ones and the newest.")] = 2000,
    knn: Knn = 5,
    decay: Decay = 40.0,
    t: Steps = 0,
    gamma: Gamma = 1.0,
    preset: Preset = PresetName.SOUND,
    origin: Origin = OriginName.ZERO,
    loss: Loss = None,
    seed: Seed = 0,
) -> None:
    """Show runs on a page that follows them while they are written, until Ctrl-C.

    The page is served to this machine alone, at an address with a secret word. The same command gives the same address again.
    """
    import threading
    import webbrowser

    from lossatlas.draw import Scene
    from lossatlas.serve import Feed, LiveAtlas, LiveServer, MapSettings, follow, kept_address

    settings = MapSettings(
        origin=origin.value, knn=knn, decay=decay, t=t or "auto", gamma=gamma, preset=preset.value, loss=loss, seed=seed
    )
    title = title_of(runs)
    stop, wake = threading.Event(), threading.Event()
    live = LiveAtlas(runs, settings=settings, title=title, most=max_points, wake=wake.set)
    feed = Feed(Scene(title=title, maps=(), summary="The runs are being read."))
    address = kept_address(runs, port=port)
    try:
        with LiveServer(address, feed, title=title).running():
            typer.echo(f"watching {', '.join(runs)} at\n  {address.url}\nCtrl-C ends it")
            if not any(_is_there(run) for run in runs):
                typer.echo("no run is there yet; the page waits for it", err=True)
            if browser if browser is not None else _has_screen():
                webbrowser.open(address.url)
            follow(live, feed, interval=interval, stop=stop, wake=wake)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command shows the same address again")


def _is_there(run: str) -> bool:
    from lossatlas.store import run_folders

    return bool(run_folders([run]))


def _has_screen() -> bool:
    """Whether a browser that is opened is likely to be seen: not over ssh, and not where no screen is named."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
