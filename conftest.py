"""What the doctests of src/ need too, which tests/ does not see."""

import os

import typechecker

# Keras takes its backend as it is imported, by whichever test comes first.
os.environ["KERAS_BACKEND"] = "torch"


def pytest_runtest_setup() -> None:
    """Check the annotations of each function anew."""
    typechecker.check_again()
