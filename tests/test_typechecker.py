"""The checker of annotations itself: what a test can rely on."""

import jaxtyping
import numpy as np
import pytest
import typechecker

from lossatlas.experiments.comparison.findings import Apart
from lossatlas.experiments.forks import above_ends

OF_TWO_AXES = np.zeros((2, 2))


def test_a_wrong_array_is_found_in_the_first_calls_of_each_test():
    for _ in range(2):
        typechecker.check_again()
        with pytest.raises(jaxtyping.TypeCheckError):
            above_ends(OF_TWO_AXES)
        for _ in range(100):
            above_ends(np.zeros(3))
        assert not isinstance(raised(above_ends, OF_TWO_AXES), jaxtyping.TypeCheckError)  # it was left alone


def test_fields_of_results_are_checked_and_whole_numbers_are_real():
    assert Apart(share=1, p=0).share == 1
    with pytest.raises(jaxtyping.TypeCheckError):
        Apart(share="all", p=0.5)


def test_methods_properties_and_functions_are_found_by_their_names():
    found = {
        "lossatlas.experiments.forks": ("above_ends", "Instability.__init__"),
        "lossatlas.experiments.comparison.findings": ("Findings.of", "Findings.measures"),
        "lossatlas.experiments.comparison.unit": ("Unit.training",),
    }
    for module, names in found.items():
        for name in names:
            function = typechecker._function(module, name)
            assert function.__qualname__ == name
            assert function.__module__ == module
    assert typechecker._function("lossatlas.experiments.forks", "above_ends.<locals>.inner") is None


def raised(function, *args):
    try:
        function(*args)
    except Exception as error:  # noqa: BLE001 - any
        return error
    return None
