"""Every data set and network of the course: where it is from, whether it is whole, how to load it.

Everything that a lesson needs at its default size is embedded in this package, so lessons run with
no network. ``python -m data_scripts list`` shows the catalogue, ``fetch`` gets the full data sets
and the larger networks, ``verify`` checks every file that is here. ``ATTRIBUTION.md`` has licences
and citations.
"""

from data_scripts.catalogue import CLASS_NAMES
from data_scripts.errors import DataError, DataWarning
from data_scripts.imagenet import imagenet_class_names, top_classes
from data_scripts.loading import load
from data_scripts.networks import load_network, network_at_hand
from data_scripts.photographs import load_photograph, square_picture
from data_scripts.picture_sets import picture_set
from data_scripts.scale import by_scale, course_scale
from data_scripts.training_runs import load_training_runs

__all__ = [
    "CLASS_NAMES",
    "DataError",
    "DataWarning",
    "by_scale",
    "course_scale",
    "imagenet_class_names",
    "load",
    "load_network",
    "load_photograph",
    "load_training_runs",
    "network_at_hand",
    "picture_set",
    "square_picture",
    "top_classes",
]
