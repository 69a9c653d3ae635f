"""The demo at a size that tests can wait for, as a program of its own: ``python small_demo.py FOLDER``."""

import sys
from dataclasses import replace

from lossatlas import cli
from lossatlas.experiments import figure_two
from lossatlas.sample import JumpSettings

SMALL = figure_two.Settings(
    epochs=5,
    passes=1,
    n_train=60,
    jump=JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=6, learning_rate=0.005),
)


def small_settings(*, scale: str, epochs: int | None, seed: int) -> figure_two.Settings:
    return replace(SMALL, seed=seed, split=seed)


if __name__ == "__main__":
    figure_two.default_settings = small_settings
    sys.argv = ["lossatlas", "demo", "-o", *sys.argv[1:]]
    cli.main()
