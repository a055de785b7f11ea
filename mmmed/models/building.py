"""From a method's name to its options, and from options to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from mmmed.config import Spec, nearest
from mmmed.errors import StudyError, join
from mmmed.modality import Modality
from mmmed.models import METHODS, Method
from mmmed.models.backbones.backbone import DenseNet
from mmmed.models.contract import Model
from mmmed.models.options import MethodOptions
from mmmed.models.standard import Standard

AnySpec = TypeVar("AnySpec", bound=Spec)


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
    small = cramped(options, {one.name: one.space for one in modalities})
    if small:
        raise StudyError(join(small))
    method = _method(options.kind)
    model: Callable[..., Model] = getattr(import_module(method.module), method.model)
    return model(options, modalities, classes=classes, standards=standards)


def cramped(options: MethodOptions, spaces: Mapping[str, tuple[int, ...]]) -> list[str]:
    """One line for each modality whose items are too small for the backbone that the options name.

    Args:
        options: of a method.
        spaces: modality -> its items' shape in space; () of vectors, which have another backbone.
    """
    return [
        f"{options.name}: backbone {one.kind} needs {one.smallest} pixels or voxels along each "
        f"axis, and {name} has {' x '.join(map(str, space))}; make its chain end larger, or name "
        "another backbone"
        for one in _specs(options)
        if isinstance(one, DenseNet)
        for name, space in spaces.items()
        if space and min(space) < one.smallest
    ]


def weights_file(options: MethodOptions) -> Path | None:
    """The local file of starting weights that the options name; None where they name none."""
    return next((one.weights for one in _specs(options) if _names_a_file(one)), None)


def without_weights(options: MethodOptions) -> MethodOptions:
    """The options without the file of starting weights: a package brings its own."""
    return _bare(options)


def _specs(spec: Spec) -> Iterator[Any]:
    """Options and the options inside them."""
    yield spec
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, Spec):
            yield from _specs(value)


def _names_a_file(spec: Spec) -> bool:
    return isinstance(getattr(spec, "weights", None), Path)


def _bare(spec: AnySpec) -> AnySpec:
    """Options of which none names a file of weights; themselves where that is so already."""
    changes: dict[str, Spec | None] = {"weights": None} if _names_a_file(spec) else {}
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, Spec) and _bare(value) is not value:
            changes[name] = _bare(value)
    return spec.model_copy(update=changes) if changes else spec


def _method(kind: str) -> Method:
    for method in METHODS:
        if method.kind == kind:
            return method
    kinds = [method.kind for method in METHODS]
    raise StudyError(f"no method is called {kind!r}{nearest(kind, kinds)}")
