"""The paper's comparisons, each a preset."""

from collections.abc import Mapping
from types import MappingProxyType

# Name on the command line -> module with `Settings` and `run(folder, settings, …)`. Loaded when one is run.
EXPERIMENTS: Mapping[str, str] = MappingProxyType({"good-bad-memorised": "lossatlas.experiments.good_bad_memorised"})
