"""Table 1 at a size that tests can wait for, as a program of its own: ``python small_table.py FOLDER``."""

import sys
from dataclasses import replace

from lossatlas import cli
from lossatlas.experiments import table_one
from lossatlas.experiments.table_one import ClassificationSettings, Settings
from lossatlas.sample import JumpSettings

SMALL = Settings(
    n_train=40,
    depths=(1,),
    widths=(2, 3),
    batches=(20,),
    weight_decays=(0.0, 0.01),
    epochs=2,
    passes=1,
    jump=JumpSettings(seeds=(0, 1), steps=(0.5, 1.0), epochs=1, learning_rate=0.01),
    classification=ClassificationSettings(classifiers=("nearest centroid", "decision tree"), folds=2, rounds=2, n_classes=2),
)


def small_settings(*, scale: str = "small", epochs: int | None = None, seed: int = 0) -> Settings:
    return replace(SMALL, seed=seed, split=seed)


if __name__ == "__main__":
    table_one.default_settings = small_settings
    sys.argv = ["lossatlas", "demo", "table-1", "-o", *sys.argv[1:]]
    cli.main()
