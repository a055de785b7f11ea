"""What can go wrong, as one tree.

    MmmedError                      exit 1
    ├── StudyError(ValueError)      exit 2   a YAML, an option or a combination of them is wrong
    ├── DataError(ValueError)       exit 2   data contradict the study, or one file cannot be used
    │   ├── NothingReadable         exit 3   no file of the input can be read
    │   ├── SeriesError                      a DICOM series is not one volume
    │   ├── GeometryError                    shape, affine or dimensions are not what they must be
    │   ├── UnitsError                       intensities have no usable unit
    │   └── SlideError                       a slide or a tile cannot be used
    ├── LeakageError                exit 2   one subject on both sides of a split
    ├── PresenceError               exit 2   a modality set is empty, or lacks what is asked of it
    ├── MissingExtra(ImportError)   exit 2   a feature needs an optional package
    ├── RunError                    exit 2   a run folder or model package cannot be used
    ├── RanksError                  exit 1   processes that train together cannot go on
    └── PartlyFailed                exit 8   some of it failed, or a check found a fault

A message is one line: what is wrong, where (path, case, key), what to do.
Several faults found together are raised together, one line each (`join`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import ClassVar


class MmmedError(Exception):
    """Any fault mmmed foresees; `exit_code` is what the command ends with."""

    exit_code: ClassVar[int] = 1


class StudyError(MmmedError, ValueError):
    """A YAML, a command-line option or a combination of them is wrong."""

    exit_code = 2


class DataError(MmmedError, ValueError):
    """Data contradict the study, or a file cannot be used."""

    exit_code = 2


class NothingReadable(DataError):
    """No file of the input can be read."""

    exit_code = 3


class SeriesError(DataError):
    """A DICOM series does not make one volume."""


class GeometryError(DataError):
    """Shape, affine or number of dimensions is not what it must be."""


class UnitsError(DataError):
    """Intensities carry no unit that can be used."""


class SlideError(DataError):
    """A slide or a tile cannot be used."""


class LeakageError(MmmedError):
    """A subject stands on both sides of a split, or was trained on and is predicted."""

    exit_code = 2


class PresenceError(MmmedError):
    """A modality set is empty, or lacks what is asked of it."""

    exit_code = 2


class MissingExtra(MmmedError, ImportError):
    """A feature needs a package that is not installed."""

    exit_code = 2

    def __init__(self, feature: str, *, extra: str) -> None:
        super().__init__(f"{feature} needs an optional package: pip install 'mmmed[{extra}]'")
        self.feature = feature
        self.extra = extra

    def __reduce__(self) -> tuple[Callable[[], MissingExtra], tuple[()]]:
        """How it travels from a worker process to its parent."""
        return partial(MissingExtra, self.feature, extra=self.extra), ()


class RunError(MmmedError):
    """A run folder or a model package cannot be used."""

    exit_code = 2


class RanksError(MmmedError):
    """Processes that train together cannot go on; one of them says why."""


class PartlyFailed(MmmedError):
    """The rest is done, but some of it failed or a check found a fault."""

    exit_code = 8


def join(faults: Iterable[str]) -> str:
    """Faults found together as one message, one line each."""
    return "\n".join(faults)


class Collecting:
    """Adds the lines of a fault to a list instead of raising it; work goes on behind the block."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, MmmedError):
            return False
        self._faults += str(error).splitlines()
        return True
