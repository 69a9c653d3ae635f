"""Networks by the names that settings have for them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import nn

from lossatlas.experiments.catalogue import Value, named, refuse_other_options
from lossatlas.experiments.networks.convolutional import convolutional
from lossatlas.experiments.networks.language import language
from lossatlas.experiments.networks.perceptron import mlp
from lossatlas.experiments.networks.quadratic import quadratic
from lossatlas.experiments.networks.residual import residual
from lossatlas.experiments.networks.transformer import transformer
from lossatlas.experiments.networks.wide_resnet import wide_resnet_for

# Each takes the shape of a sample, the number of classes and a seed; the rest are options.
NETWORKS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "mlp": mlp,
        "convolutional": convolutional,
        "residual": residual,
        "wide_resnet": wide_resnet_for,
        "transformer": transformer,
        "quadratic": quadratic,
        "language": language,
    }
)


def network(name: str, *, shape: tuple[int, ...], n_classes: int, seed: int, **options: Value) -> nn.Module:
    """Return a network that gives a score for each class, initialised from ``seed``.

    >>> made = network("mlp", shape=(13,), n_classes=3, seed=0, depth=1, width=8)
    >>> sum(parameter.numel() for parameter in made.parameters())
    139

    Args:
        name: One of ``NETWORKS``.
        shape: Of a sample, without the batch.
        n_classes: Number of classes.
        seed: Of the initialisation.
        options: As the network takes them, such as ``depth`` and ``width``.

    Raises:
        InputError: there is no such network, it does not take an option or samples of this shape, or a value is out of its
            range.
    """
    maker = named("network", name, NETWORKS)
    refuse_other_options(name, maker, options, given={"shape", "n_classes", "seed"})
    return maker(shape=shape, n_classes=n_classes, seed=seed, **options)
