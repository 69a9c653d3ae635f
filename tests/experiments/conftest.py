"""Networks that several tests look at."""

import pytest
from small_comparison import TINY

from lossatlas.experiments.comparison.unit import measure_network, units_of


@pytest.fixture(scope="session")
def tiny_networks(tmp_path_factory):
    """Return the folder of a comparison of which every network is measured."""
    made = tmp_path_factory.mktemp("tiny")
    for unit in units_of(TINY, made):
        measure_network(unit)
    return made
