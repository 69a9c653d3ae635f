"""A scene that plays: points appear in their time, and the older they are the fainter."""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path as Outline

from lossatlas._arrays import InputError
from lossatlas.draw.figures.colours import Colours, colours_of, is_optimum
from lossatlas.draw.figures.legend import draw_legend
from lossatlas.draw.figures.marks import (
    blank,
    draw_crosses,
    draw_end,
    draw_frame,
    draw_name,
    draw_star,
    draw_title,
    is_marked_at_its_end,
)
from lossatlas.draw.figures.style import INK, Style, named_style
from lossatlas.draw.scene import Scene, SceneMap, SceneRun
from lossatlas.store import unwritable, write_durably

# As on the page: the tail is this share of all moments long, and what is older than that so strong.
_TAIL, _FAINTEST = 0.3, 0.16
_BESIDE = 1.15
_WIDEST_GIF = 1000  # pixels: every frame of one is held in memory
_MOST_FRAMES = 20_000


def write_animation(scene: Scene, path: Path, *, fps: int = 12, seconds: float = 8, style: str | Style = "paper") -> None:
    """Write a scene as a film, whole or not at all: ``.mp4`` by ffmpeg, or ``.gif``.

    Points of trainings and retrainings appear in their time and fade with age, as on the page; a run that has ended stays as
    it ended. Samples, slices and paths have no time and are there from the start. The last second, a quarter at most, shows
    all of it, without fading.

    Args:
        scene: Maps side by side, each by its first layout.
        path: Ends in .mp4 or .gif.
        fps: Pictures a second.
        seconds: How long it plays.
        style: ``"paper"`` or ``"talk"``, or a style of one's own.

    Raises:
        InputError: nothing in the scene has a time, a number is out of its range, ffmpeg is missing, the ending is another, or
            the place cannot be written.
    """
    refuse_without_ffmpeg(path)
    if path.suffix not in (".mp4", ".gif"):
        raise InputError(f"{path.name!r} must end in .mp4 or .gif; rename it")
    if not (fps > 0 and seconds > 0 and 2 <= round(fps * seconds) <= _MOST_FRAMES):
        raise InputError(
            f"fps times seconds must be from 2 to {_MOST_FRAMES:,} pictures, but {fps} a second for {seconds:g} s came; "
            "choose others"
        )
    if not any(_is_timed(run) for part in scene.maps for run in part.runs):
        raise InputError("no run of the scene has an order in time, so nothing would move; write a .png")
    chosen = named_style(style)
    with mpl.rc_context(chosen.rc):
        stage = _stage(scene, chosen)
        data = _film(stage, path, fps=fps, n_frames=round(fps * seconds), style=chosen)
    try:
        write_durably(path, [data])
    except OSError as error:
        raise unwritable(path, error) from error


def refuse_without_ffmpeg(path: Path) -> None:
    """Refuse a file that only ffmpeg can write, where there is none.

    Raises:
        InputError: it ends in .mp4, and ffmpeg is not there.
    """
    if path.suffix == ".mp4" and not FFMpegWriter.isAvailable():
        raise InputError(f"{path.name!r} is written by ffmpeg, which is not installed; install ffmpeg, or name a .gif")


def strengths(part: SceneMap, now: float | None) -> np.ndarray:
    """Return how strongly each point is drawn when ``now`` moments have passed, ``(n,)``: 0 is not there yet, 1 is new.

    Moments are the times of the map's runs in their order, counted from 0. ``None`` is the end, when all are 1.
    """
    strength = np.ones(part.n_points)
    if now is None:
        return strength
    timed = [run for run in part.runs if _is_timed(run) and not is_optimum(part, run)]
    moments = np.unique(np.concatenate([part.time[run.start : run.stop] for run in timed])) if timed else np.zeros(1)
    tail = max(4.0, _TAIL * len(moments))
    for run in timed:
        places = np.searchsorted(moments, part.time[run.start : run.stop])
        age = np.clip((min(now, float(places[-1])) - places) / tail, 0, 1)
        strength[run.start : run.stop] = np.where(places <= now, 1 - (1 - _FAINTEST) * age, 0)
    return strength


def _is_timed(run: SceneRun) -> bool:
    return run.kind in ("training", "retraining") and run.stop > run.start


def _moments(part: SceneMap) -> np.ndarray:
    rows = [part.time[run.start : run.stop] for run in part.runs if _is_timed(run) and not is_optimum(part, run)]
    return np.unique(np.concatenate(rows)) if rows else np.zeros(1)


@dataclass(frozen=True)
class _Panel:
    """A map whose marks change from picture to picture."""

    axes: Axes
    part: SceneMap
    points: PathCollection
    colours: np.ndarray  # (n, 3)
    lines: LineCollection
    ends: np.ndarray  # (s,): the row where each line ends
    diamonds: PathCollection
    jumps: np.ndarray  # (j,): the row of each diamond
    crosses: list[PathCollection]
    names: dict[int, list[Artist]]  # what says which run has ended, by its last row

    def show(self, share: float | None) -> None:
        """Show what is there after a share of the time, or at the end."""
        moments = _moments(self.part)
        now = None if share is None else share * (len(moments) - 1)
        strength = strengths(self.part, now)
        self.points.set(facecolor=np.column_stack([self.colours, strength]))
        self.lines.set(color=np.column_stack([self.colours[self.ends], 0.6 * strength[self.ends]]))
        landed = strength[self.jumps]
        if len(landed):  # a jump is where a tail begins: it stays in sight
            self.diamonds.set(alpha=np.where(landed > 0, np.maximum(landed, 0.45), 0))
        diverged = [run.stop - 1 for run in self.part.runs if run.diverged_after is not None]
        for marks in self.crosses:
            marks.set(alpha=(strength[diverged] > 0).astype(float))
        for row, artists in self.names.items():
            for artist in artists:
                artist.set_visible(bool(strength[row] > 0))
        time = moments[-1] if now is None else moments[int(now)]
        self.axes.set_xlabel(f"{self.part.time_label} {time:g}", parse_math=False, color=INK)


@dataclass(frozen=True)
class _Stage:
    figure: Figure
    panels: list[_Panel]


def _stage(scene: Scene, style: Style) -> _Stage:
    n = len(scene.maps)
    width = style.column if n == 1 else style.page
    inches = max((width - _BESIDE) / n, 1.3)
    made = blank(style, width=max(width, inches * n + _BESIDE), height=max(inches, 1.9) + 0.7)
    colours = colours_of([scene])
    grid = made.subplots(1, n, squeeze=False)[0]
    panels = [_panel(axes, part, colours, style) for axes, part in zip(grid, scene.maps, strict=True)]
    for axes, part in zip(grid, scene.maps, strict=True):
        if part.name != scene.title:
            draw_name(axes, part.name, style, inches=inches)
    draw_legend(made, grid[-1], [scene], colours, style, fading="older is fainter")
    draw_title(made, scene.title, style)
    for panel in panels:
        panel.show(None)
    made.draw_without_rendering()
    made.set_layout_engine("none")  # it stands still from here on
    return _Stage(made, panels)


def _panel(axes: Axes, part: SceneMap, colours: Colours, style: Style) -> _Panel:
    layout = part.layouts[0]
    draw_frame(axes, layout)
    shades = np.full((part.n_points, 3), 0.5)
    shapes = [_shape("o")] * part.n_points
    names: dict[int, list[Artist]] = {}
    runs = [run for run in part.runs if run.stop > run.start and not is_optimum(part, run)]
    for run in runs:
        shades[run.start : run.stop] = to_rgb(colours.of_run(run))
        shapes[run.start : run.stop] = [_shape(colours.marker_of(run))] * (run.stop - run.start)
        if run.kind == "path":
            path = layout.coordinates[run.start : run.stop].T
            axes.plot(*path, color=colours.of_run(run), linewidth=style.thick, zorder=2.5)
        if is_marked_at_its_end(part, run):
            known = set(axes.get_children())
            x, y = layout.coordinates[run.stop - 1]
            draw_end(axes, run, (float(x), float(y)), colours, style)
            names[run.stop - 1] = [artist for artist in axes.get_children() if artist not in known]
    ends = np.array([row for run in runs if _is_timed(run) for row in range(run.start + 1, run.stop)], dtype=int)
    pairs = np.stack([layout.coordinates[ends - 1], layout.coordinates[ends]], axis=1) if len(ends) else np.zeros((0, 2, 2))
    lines = LineCollection(list(pairs), linewidths=style.thin, zorder=1)
    axes.add_collection(lines, autolim=False)
    place = layout.coordinates.copy()
    if part.optimum is not None:
        place[part.optimum] = np.nan  # it is the star
    x, y = place.T
    points = axes.scatter(x, y, c=shades, linewidths=0, zorder=2, sizes=[style.point])
    points.set_paths(shapes)
    jumps = [run for run in runs if run.jump is not None]
    rows = np.array([run.start for run in jumps], dtype=int)
    faces = np.array([colours.of_jump(run.jump) for run in jumps if run.jump is not None]).reshape(-1, 4)
    x, y = layout.coordinates[rows].T
    diamonds = axes.scatter(x, y, s=style.diamond, marker="D", c=faces, edgecolors=INK, linewidths=style.edge, zorder=4)
    before = set(axes.collections)
    draw_crosses(axes, part, style, layout=layout)
    crosses = [marks for marks in axes.collections if marks not in before and isinstance(marks, PathCollection)]
    draw_star(axes, part, style, layout=layout)
    return _Panel(axes, part, points, shades, lines, ends, diamonds, rows, crosses, names)


def _shape(marker: str) -> Outline:
    made = MarkerStyle(marker)
    return made.get_path().transformed(made.get_transform())


def _shares(n_frames: int, fps: int) -> Iterator[float | None]:
    """Yield how much of the time has passed in each picture; None at the end."""
    n_held = min(fps, n_frames // 4)
    n_moving = n_frames - n_held
    for frame in range(n_moving):
        yield frame / max(n_moving - 1, 1)
    yield from [None] * n_held


def _film(stage: _Stage, path: Path, *, fps: int, n_frames: int, style: Style) -> bytes:
    width = stage.figure.get_figwidth()
    dpi = min(style.dpi, 200)
    writer: PillowWriter | FFMpegWriter
    if path.suffix == ".gif":
        dpi = min(dpi, int(_WIDEST_GIF / width))
        writer = PillowWriter(fps=fps)
    else:
        # Neither the date nor the version of ffmpeg: the same scene gives the same bytes.
        exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-pix_fmt", "yuv420p"]
        writer = FFMpegWriter(fps=fps, codec="h264", bitrate=-1, extra_args=exact)
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / path.name
        try:
            _shoot(stage, writer, aside, dpi=dpi, shares=_shares(n_frames, fps))
        except subprocess.CalledProcessError as error:
            raise InputError(f"ffmpeg could not write {path.name!r}; name a .gif, or install an ffmpeg with h264") from error
        return aside.read_bytes()


def _shoot(stage: _Stage, writer: AbstractMovieWriter, aside: Path, *, dpi: float, shares: Iterator[float | None]) -> None:
    with writer.saving(stage.figure, str(aside), dpi):
        for share in shares:
            for panel in stage.panels:
                panel.show(share)
            writer.grab_frame()
