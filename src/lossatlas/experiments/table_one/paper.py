"""The same with the paper's 108 WideResNets on CIFAR-10: for a GPU, or to see what it would take."""

from lossatlas.experiments.table_one.cost import cost
from lossatlas.experiments.table_one.experiment import n_units, run
from lossatlas.experiments.table_one.settings import paper_settings as default_settings

__all__ = ["cost", "default_settings", "n_units", "run"]
