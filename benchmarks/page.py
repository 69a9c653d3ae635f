"""The page in a browser that has no GPU: its first picture and its frames a second; ``python -m benchmarks.page``.

Trajectories are random walks, which fill the map. A frame is counted when the map has been drawn anew; each kind of motion goes
on for some seconds, one step a frame that the browser grants. Playing is paced: eight seconds from end to end.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import described
from benchmarks.tables import table
from lossatlas.draw import Layout, Metric, Scene, SceneMap, SceneRun, page, write_page

# What is asked: points, seconds to the first picture, frames a second.
ASKED = ((2_000, 1.0, 25.0), (20_000, 3.0, 25.0))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SIZE_MB = 2.0

# One step of a motion each frame; the return is how often a second the map was drawn, and how long each drawing took.
_MOTION = """async ([kind, seconds]) => {
    const map = document.querySelector(".frame canvas[role=application]");
    const box = map.getBoundingClientRect();
    const send = (type, x, y) => {
        const places = { clientX: box.x + x, clientY: box.y + y, screenX: x, screenY: y };
        map.dispatchEvent(new PointerEvent(type, { ...places, pointerId: 1, button: 0, buttons: 1, bubbles: true }));
    };
    map.setPointerCapture = () => {};
    const times = [];
    const first = Number(map.dataset.draws);
    let last = map.dataset.draws;
    const began = performance.now();
    if (kind === "play") document.querySelector(".play").click();
    else send("pointerdown", 200, 200);
    for (let step = 1; performance.now() - began < 1000 * seconds; step++) {
        const [x, y] = [200 + 60 * Math.sin(step / 9) + 5 * (step % 2), 200 + 40 * Math.cos(step / 11)];
        // Between frames, as a browser sends what the hand does.
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        if (kind !== "play") send("pointermove", x, y);
        if (map.dataset.draws !== last) times.push(Number(map.dataset.drawMs));
        last = map.dataset.draws;
    }
    if (kind !== "play") send("pointerup", 200, 200);
    return [(Number(last) - first) / ((performance.now() - began) / 1000), times];
}"""


def walks(n: int, *, length: int = 100) -> Scene:
    """Return one map of random walks from one start, in 2-D and 3-D."""
    rng = np.random.default_rng(0)
    n_runs = n // length
    places = rng.normal(size=(n_runs, length, 3)).cumsum(axis=1).reshape(n, 3).astype(np.float32)
    loss = np.exp(-np.linalg.norm(places, axis=1) / 10).astype(np.float32)
    runs = tuple(SceneRun(name=f"run {i}", kind="training", start=i * length, stop=(i + 1) * length) for i in range(n_runs))
    return Scene(
        title=f"{n:,} points",
        maps=(
            SceneMap(
                name="walks",
                layouts=(Layout(name="PHATE", caption="", coordinates=places[:, :2].copy(), coordinates_3d=places),),
                time=np.tile(np.arange(length), n_runs).astype(np.float32),
                runs=runs,
                metrics=(Metric(name="loss", label="loss", values=loss, scale="log"),),
                landscape="loss",
            ),
        ),
    )


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args(argv)
    print(described())
    from playwright.sync_api import sync_playwright

    size = len(page(Scene(title="", maps=()))) / 1e6
    print(f"The page is {size:.3f} MB before its data; at most {SIZE_MB:g} were asked.")
    rows = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for n, first_s, frames in ASKED:
            path = Path(folder, f"{n}.html")
            write_page(walks(n), path)
            firsts = [_first(browser, path) for _ in range(asked.rounds)]
            row = [f"{n:,}", f"{statistics.median(firsts):.2f} ({min(firsts):.2f} to {max(firsts):.2f})", f"{first_s:g}"]
            for kind in ("move", "turn", "play"):
                rates, draws = zip(*(_motion(browser, path, kind, asked.seconds) for _ in range(asked.rounds)), strict=True)
                spread = f"{statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})"
                row.append(f"{spread}, {statistics.median(draws):.0f} ms")
            rows.append([*row, f"{frames:g}"])
        browser.close()
    print(table(["points", "first picture, s", "asked", "moving, frames/s", "turning in 3-D", "playing", "asked"], rows))


def _opened(browser: Any, path: Path) -> Any:
    shown = browser.new_page(viewport={"width": 1440, "height": 900})
    shown.goto(path.as_uri())
    shown.wait_for_selector("canvas[data-first-ms]")
    return shown


def _first(browser: Any, path: Path) -> float:
    shown = _opened(browser, path)
    seconds = float(shown.locator("canvas[data-first-ms]").first.get_attribute("data-first-ms")) / 1000
    shown.close()
    return seconds


def _motion(browser: Any, path: Path, kind: str, seconds: float) -> tuple[float, float]:
    shown = _opened(browser, path)
    if kind == "turn":
        shown.locator("input[value='3']").check(force=True)
        shown.wait_for_timeout(1500)
    rate, draws = shown.evaluate(_MOTION, [kind, seconds])
    shown.close()
    return rate, statistics.median(draws) if draws else float("nan")


if __name__ == "__main__":
    main()
