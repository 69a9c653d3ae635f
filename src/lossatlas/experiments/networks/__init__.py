"""Networks, each initialised from a seed."""

from lossatlas.experiments.networks.named import NETWORKS, network

__all__ = ["NETWORKS", "network"]
