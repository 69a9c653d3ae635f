"""What sampled points say of a network: Horoi et al. 2022, Table 1, on a grid of small networks and handwritten digits.

From loss and accuracy at points around a minimum, classifiers predict how well the network generalises, its weight decay and
whether its data were augmented. Beside the paper's rows stand what chance gives, and what needs no sampling or one number.
"""

from lossatlas.experiments.table_one.classification import CLASSIFIERS, Accuracy, ClassificationSettings, accuracy
from lossatlas.experiments.table_one.cost import Cost, cost
from lossatlas.experiments.table_one.experiment import n_units, run
from lossatlas.experiments.table_one.settings import Network, Settings, default_settings, paper_settings

__all__ = [
    "CLASSIFIERS",
    "Accuracy",
    "ClassificationSettings",
    "Cost",
    "Network",
    "Settings",
    "accuracy",
    "cost",
    "default_settings",
    "n_units",
    "paper_settings",
    "run",
]
