"""From a method's name to its options, and from options to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from mmmed.config import nearest
from mmmed.errors import StudyError
from mmmed.modality import Modality
from mmmed.models import METHODS, Method
from mmmed.models.contract import Model
from mmmed.models.options import MethodOptions
from mmmed.models.standard import Standard


def options(kind: str) -> type[MethodOptions]:
    """The options of a method; imports its module.

    Raises:
        StudyError: no method has this name.
    """
    method = _method(kind)
    found: type[MethodOptions] = import_module(method.module).Options
    return found


def build(
    options: MethodOptions,
    modalities: tuple[Modality, ...],
    *,
    classes: int,
    standards: Mapping[str, Standard],
) -> Model:
    """The model that a method's options describe.

    Args:
        options: of the type that `options(kind)` returned.
        modalities: in the order of every batch the model will receive.
        classes: K >= 2.
        standards: of the vector modalities, by name, from the training part.

    Raises:
        StudyError: fewer than two classes, no modality, or options that do not fit them.
    """
    if classes < 2:
        raise StudyError(f"a classifier needs two classes or more, not {classes}")
    if not modalities:
        raise StudyError("a model needs at least one modality")
    method = _method(options.kind)
    model: Callable[..., Model] = getattr(import_module(method.module), method.model)
    return model(options, modalities, classes=classes, standards=standards)


def weights_file(options: MethodOptions) -> Path | None:
    """The local file of starting weights that the options name; None where they name none."""
    own = getattr(options, "weights", None)
    if isinstance(own, Path):
        return own
    file: Path | None = getattr(getattr(options, "backbone", None), "weights", None)
    return file


def without_weights(options: MethodOptions) -> MethodOptions:
    """The options without the file of starting weights: a package brings its own."""
    if isinstance(getattr(options, "weights", None), Path):
        return options.model_copy(update={"weights": None})
    backbone = getattr(options, "backbone", None)
    if backbone is None or weights_file(options) is None:
        return options
    return options.model_copy(update={"backbone": backbone.model_copy(update={"weights": None})})


def _method(kind: str) -> Method:
    for method in METHODS:
        if method.kind == kind:
            return method
    kinds = [method.kind for method in METHODS]
    raise StudyError(f"no method is called {kind!r}{nearest(kind, kinds)}")
