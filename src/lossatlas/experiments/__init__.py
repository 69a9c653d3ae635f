"""The paper's comparisons, each a preset."""

from collections.abc import Mapping
from types import MappingProxyType

# Name on the command line -> module with `default_settings`, `n_units`, `cost` and `run(folder, settings, …)`. Loaded when one is
# run.
EXPERIMENTS: Mapping[str, str] = MappingProxyType(
    {
        "good-bad-memorised": "lossatlas.experiments.good_bad_memorised",
        "table-1": "lossatlas.experiments.table_one",
        "table-1-paper": "lossatlas.experiments.table_one.paper",
    }
)
