"""Films: points come in their time and fade with age; whole or not at all; ffmpeg is named where it is missing."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.animation import FFMpegWriter
from PIL import Image

from lossatlas.draw import Layout, Metric, Scene, SceneMap, SceneRun, write_animation
from lossatlas.draw.animation import strengths

_N = 11


def play(*, kind="training", n_diverged=0):
    """Return a run of 11 steps, one of 3 of them, and a sample, each on a line of its own."""
    x = np.concatenate([np.arange(_N), np.arange(3), [0.0, 1.0]])
    y = np.concatenate([np.zeros(_N), np.full(3, 3.0), [6.0, 6.0]])
    part = SceneMap(
        name="map",
        layouts=(Layout(name="PHATE", caption="", coordinates=np.column_stack([x, y]).astype(np.float32)),),
        time=np.concatenate([np.arange(_N), np.arange(3), [0, 0]]).astype(np.float32),
        runs=(
            SceneRun(name="long", kind=kind, start=0, stop=_N),
            SceneRun(name="short", kind=kind, start=_N, stop=_N + 3, n_diverged=n_diverged),
            SceneRun(name="naive", kind="sample", start=_N + 3, stop=_N + 5),
        ),
        metrics=(Metric(name="loss", label="loss", values=np.ones(_N + 5, np.float32)),),
    )
    return Scene(title="A play", maps=(part,))


def test_a_point_is_there_from_its_time_on_and_fades_over_three_tenths_of_all_moments():
    part = play().maps[0]
    at = strengths(part, 5.0)
    tail = max(4, 0.3 * _N)
    np.testing.assert_allclose(at[:6], [1 - 0.84 * min(1, (5 - k) / tail) for k in range(6)])
    assert (at[6:_N] == 0).all()
    # What has ended stays as it ended; what has no time is there whole.
    np.testing.assert_allclose(at[_N : _N + 3], [1 - 0.84 * (2 - k) / tail for k in range(3)])
    assert (at[_N + 3 :] == 1).all()
    assert (strengths(part, None) == 1).all()
    assert strengths(part, 0.0)[:_N].tolist() == [1, *[0] * (_N - 1)]


def frames(path):
    with Image.open(path) as film:
        found = []
        for place in range(film.n_frames):
            film.seek(place)
            found.append((np.asarray(film.convert("RGB"), dtype=float), film.info["duration"]))
    return found


def test_a_gif_plays_as_long_as_asked_and_fills_up(tmp_path):
    write_animation(play(), tmp_path / "a.gif", fps=5, seconds=2)
    shown = frames(tmp_path / "a.gif")
    assert sum(duration for _, duration in shown) == pytest.approx(2000, abs=1)
    ink = [(255 - picture).sum() for picture, _ in shown]
    assert ink[0] < ink[len(ink) // 2] < ink[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_the_same_scene_gives_the_same_film(tmp_path):
    for name in "ab":
        write_animation(play(n_diverged=1), tmp_path / f"{name}.gif", fps=4, seconds=1)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


def test_a_cross_appears_with_the_last_point_before_it(tmp_path):
    calm, wild = tmp_path / "calm.gif", tmp_path / "wild.gif"
    write_animation(play(), calm, fps=4, seconds=2)
    write_animation(play(n_diverged=1), wild, fps=4, seconds=2)
    # The legends differ, and stand still: what is dark and was not there at first is the cross alone.
    dark = {path: [(picture < 70).all(axis=2).sum() for picture, _ in frames(path)] for path in (calm, wild)}
    grown = {path: found[-2] - found[0] for path, found in dark.items()}
    assert grown[wild] > grown[calm] + 30


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg")
def test_an_mp4_is_one_and_the_same_bytes_twice(tmp_path):
    for name in "ab":
        write_animation(play(), tmp_path / f"{name}.mp4", fps=4, seconds=1)
    written = (tmp_path / "a.mp4").read_bytes()
    assert written[4:8] == b"ftyp"
    assert written == (tmp_path / "b.mp4").read_bytes()


def test_without_ffmpeg_an_mp4_is_refused_in_one_line(tmp_path, refuses, monkeypatch):
    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with refuses(r"'a\.mp4' is written by ffmpeg, which is not installed; install ffmpeg, or name a \.gif"):
        write_animation(play(), tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []
    write_animation(play(), tmp_path / "a.gif", fps=2, seconds=1)


def test_an_ffmpeg_that_fails_is_one_line_and_leaves_nothing(tmp_path, refuses, monkeypatch):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\ncat > /dev/null\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(FFMpegWriter, "bin_path", classmethod(lambda cls: str(broken)))
    out = tmp_path / "out"
    out.mkdir()
    with refuses("ffmpeg could not write 'a.mp4'; name a .gif, or install an ffmpeg with h264"):
        write_animation(play(), out / "a.mp4", fps=2, seconds=1)
    assert list(out.iterdir()) == []


def test_a_film_that_fails_leaves_the_one_that_was_there(tmp_path, monkeypatch):
    import lossatlas.draw.animation as module

    (tmp_path / "a.gif").write_bytes(b"old")

    def fail(writer):
        Path(writer.outfile).write_bytes(b"half")
        raise RuntimeError("lost")

    monkeypatch.setattr(module.PillowWriter, "finish", fail)
    with pytest.raises(RuntimeError, match="lost"):
        write_animation(play(), tmp_path / "a.gif", fps=2, seconds=1)
    assert (tmp_path / "a.gif").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_what_cannot_be_a_film_is_refused(tmp_path, refuses):
    with refuses(r"'a\.png' must end in \.mp4 or \.gif; rename it"):
        write_animation(play(), tmp_path / "a.png")
    with refuses("pictures, but 12 a second for 0 s came; choose others"):
        write_animation(play(), tmp_path / "a.gif", seconds=0)
    with refuses("no run of the scene has an order in time, so nothing would move; write a .png"):
        write_animation(play(kind="sample"), tmp_path / "a.gif")
    with refuses("cannot write"):
        write_animation(play(), tmp_path / "nowhere" / "a.gif", fps=2, seconds=1)


def test_maps_play_side_by_side_each_in_its_own_time(tmp_path):
    part = play().maps[0]
    later = replace(part, name="later", time=part.time * 10)
    write_animation(Scene(title="Two", maps=(part, later)), tmp_path / "a.gif", fps=4, seconds=1, style="talk")
    with Image.open(tmp_path / "a.gif") as film:
        assert film.size[0] in (999, 1000)
