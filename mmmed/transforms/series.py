"""A DICOM series as what the steps act on; a PET's values in SUVbw, or said to be relative.

A series never counts as lying in the template's space, whatever its headers say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom.description import describe
from mmmed.readers.dicom.elements import read_data_set
from mmmed.readers.dicom.series import SeriesVolume, read_series
from mmmed.readers.silence import silent
from mmmed.readers.source import Source
from mmmed.readers.suv.decision import derive, derive_relative
from mmmed.transforms.raster import Raster, of_volume
from mmmed.transforms.read import Read

PET = "PT"
"""DICOM's Modality of a PET."""


def read(files: Sequence[Path], *, scale_free: bool) -> Read:
    """The volume of a series.

    Args:
        files: all of its files.
        scale_free: the chain ends so that a linear unit is enough, as SUVR and z-scores do.

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
    words = tuple(f"series: {note}" for note in volume.notes)
    raster = of_volume(volume.volume)
    if not _is_pet(volume):
        return Read(raster, suv=False, words=words, derivation=None)
    record = (derive_relative if scale_free else derive)(volume.headers)
    scaled = Raster(raster.data * np.float32(record.factor), raster.affine)
    said = f"suv: {record.unit}, factor {record.factor:.10g} ({'; '.join(record.path)})"
    return Read(scaled, record.unit == "SUVbw", (*words, said), record.to_json())


def refusal(scale_free: Collection[str], modality: str, source: Source) -> str | None:
    """Why a series cannot be read for a modality; None where it can.

    Args:
        scale_free: modalities whose chain is content with any linear unit of a PET.
        modality: that it is read for.
        source: the series.
    """
    try:
        read(source.files, scale_free=modality in scale_free)
    except DataError as error:
        return str(error)
    return None


def described(files: Sequence[Path]) -> dict[str, str]:
    """What the first file of a series says that a derivative keeps: kind, units, UIDs; no names.

    Raises:
        DataError: it cannot be read.
    """
    with silent():
        facts = describe([read_data_set(files[0])])
    said = {
        "Modality": facts.modality,
        "TracerName": facts.tracer,
        "StudyInstanceUID": facts.study,
        "SeriesInstanceUID": facts.uid,
    }
    return {key: value for key, value in said.items() if value}


def _is_pet(volume: SeriesVolume) -> bool:
    return any(str(header.get("Modality", "")) == PET for header in volume.headers[:1])
