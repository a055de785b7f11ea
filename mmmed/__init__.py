"""mmmed: medical-imaging classifiers that keep working when a scan is missing."""

from mmmed.errors import MmmedError
from mmmed.modality import Modality, Pattern, every_pattern

__all__ = ["MmmedError", "Modality", "Pattern", "__version__", "every_pattern"]

__version__ = "0.1.0"
