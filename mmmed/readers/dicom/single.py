"""The one volume that a series holds, and what the values of a PET are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom.elements import read_data_set
from mmmed.readers.dicom.series import SeriesVolume, read_series
from mmmed.readers.source import Source
from mmmed.readers.suv.decision import derive, derive_relative
from mmmed.readers.suv.derivation import Derivation

PET = "PT"
"""DICOM's Modality of a PET."""


@dataclass(frozen=True)
class Single:
    """A series of one volume.

    Attributes:
        volume: rescaled, in the unit of the file.
        derivation: of a PET, by what its values are to be multiplied; None of anything else.
    """

    volume: SeriesVolume
    derivation: Derivation | None


def read_single(files: Sequence[Path], *, scale_free: bool) -> Single:
    """The volume of a series.

    Args:
        files: all of its files.
        scale_free: whether any linear unit of a PET is enough.

    Raises:
        SeriesError: the files make no volume, or several.
        UnitsError: a PET's values cannot be brought to SUVbw, nor are linear where that suffices.
        DataError: a file cannot be read.
    """
    found = read_series(files)
    if len(found) > 1:
        labels = ", ".join(one.label for one in found)
        raise SeriesError(f"holds {len(found)} volumes ({labels}); one is expected: choose one")
    volume = found[0]
    if str(read_data_set(volume.paths[0]).get("Modality", "")) != PET:
        return Single(volume, None)
    return Single(volume, (derive_relative if scale_free else derive)(volume.series.headers))


def refusal(scale_free: Collection[str], modality: str, source: Source) -> str | None:
    """Why a series cannot be read for a modality; None where it can.

    Args:
        scale_free: modalities for which any linear unit of a PET is enough.
        modality: that it is read for.
        source: the series.
    """
    try:
        read_single(source.files, scale_free=modality in scale_free)
    except DataError as error:
        return str(error)
    return None
