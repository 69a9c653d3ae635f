"""A training in one process, the watcher in another, and a real browser that looks."""

import statistics
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import lossatlas as la

expect = pytest.importorskip("playwright.sync_api").expect

# A run "script>" in a folder of the rest: beside another "script>" it is shown by this name.
HOSTILE = "<script>alert(1)</script>"

# Remembers when the number of points that are drawn first reached each value, in seconds of the same clock as Python's.
_REMEMBER = """() => {
  window.seenAt = {};
  const note = () => {
    const n = Number(document.querySelector(".frame canvas[role=application]")?.dataset.points ?? 0);
    for (let i = n; i > 0 && !(i in window.seenAt); i--) window.seenAt[i] = Date.now() / 1000;
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributeFilter: ["data-points"] });
  note();
}"""


def canvas(page: Any) -> Any:
    return page.locator(".frame canvas[role=application]").first


def status(page: Any) -> Any:
    return page.get_by_role("status").first


def until_points(page: Any, n: int) -> None:
    page.wait_for_function("n => Number(document.querySelector('canvas[role=application]')?.dataset.points ?? 0) >= n", arg=n)


def test_each_snapshot_is_on_the_page_within_two_seconds_of_its_line(train: Any, watch: Any, looking: Any) -> None:
    page = looking(watch().url)
    page.evaluate(_REMEMBER)
    training = train("sgd", "--n", 18, "--seconds", 0.4)
    until_points(page, 19)
    training.process.wait()
    seen = {int(n): when for n, when in page.evaluate("window.seenAt").items()}
    late = [seen[n] - said for n, said in training.said.items() if n > 3]  # below there is no map
    assert len(late) == 16
    assert statistics.median(late) < 2
    assert max(late) < 4  # one moment of a busy machine is no broken promise
    expect(status(page)).to_have_text("live")
    # Nothing comes any more: the last points are fitted too.
    expect(page.locator(".summary")).to_have_text("19 points.")
    expect(page.locator("figcaption")).to_contain_text("PHATE of 19 points")


def test_page_goes_on_when_the_training_is_killed_and_when_the_server_comes_again(
    train: Any, watch: Any, looking: Any, tmp_path: Path
) -> None:
    training = train(HOSTILE, "--n", 1000, "--seconds", 0.1)
    watcher = watch("--interval", 0.2, runs="runs")
    page = looking(watcher.url)
    until_points(page, 5)
    training.process.kill()
    training.process.wait()
    expect(status(page)).to_have_text("live")
    # What a reader has chosen stays through all that follows.
    page.locator("input[type=radio]").nth(1).check(force=True)
    chosen = page.locator(".page").get_attribute("data-colour")
    assert chosen != "run"

    watcher.process.kill()
    watcher.process.wait()
    expect(status(page)).to_have_text("connection lost, trying again")
    n = int(canvas(page).get_attribute("data-points"))
    assert n >= 5  # the last scene is still there
    train("second/script>", "--n", 6, "--seconds", 0, "--seed", 1).process.wait()
    again = watch("--interval", 0.2, runs="runs")
    assert again.url == watcher.url
    expect(status(page)).to_have_text("live")
    until_points(page, n + 6)
    expect(page.locator(".page")).to_have_attribute("data-colour", chosen)
    # The name of a run is text, and no script (whose dialog would be complained of).
    page.locator("summary").last.click()
    expect(page.locator("table").get_by_text(HOSTILE).first).to_be_visible()


def test_page_waits_for_runs_that_are_yet_to_come(watch: Any, looking: Any, tmp_path: Path) -> None:
    page = looking(watch("--interval", 0.1).url)
    expect(page.locator(".summary")).to_have_text("No point is recorded yet at 'runs/*'.")
    expect(page.get_by_text("No points yet")).to_be_visible()
    model = nn.Linear(4, 2)
    with la.Recorder(tmp_path / "runs" / "late", model) as recorder:
        recorder.step()
        recorder.flush()
        expect(page.locator(".summary")).to_have_text("2 points so far: a map needs 3.")
        for _ in range(3):
            with torch.no_grad():
                model.weight.add_(torch.rand(2, 4))
            recorder.step()
    until_points(page, 5)


def test_neither_server_nor_page_grows_while_snapshots_come(tmp_path: Path, browser: Any) -> None:
    from benchmarks.live import Course, growth

    found = growth(tmp_path, browser, Course(n=360, most=80, warm_up=160))
    assert found.server_megabytes < 6
    assert found.page_megabytes < 1
