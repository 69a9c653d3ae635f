"""A program that owns a pool of sleeping workers: ``pool_owner.py FOLDER``. The pool test kills it."""

import sys
import time
from pathlib import Path

from tasks_for_workers import touch_and_sleep

from lossatlas.sample import LocalPool

if __name__ == "__main__":
    with LocalPool(2) as pool:
        for _ in range(2):
            pool.submit(touch_and_sleep, Path(sys.argv[1]), 600)
        time.sleep(600)
