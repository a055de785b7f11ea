"""A DICOM series as what the steps act on; a PET's values in SUVbw, or said to be relative.

A series never counts as lying in the template's space, whatever its headers say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmmed.readers.dicom.description import describe
from mmmed.readers.dicom.elements import read_data_set
from mmmed.readers.dicom.single import read_single
from mmmed.readers.silence import silent
from mmmed.transforms.raster import Raster, of_volume
from mmmed.transforms.read import Read


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
    single = read_single(files, scale_free=scale_free)
    words = tuple(f"series: {note}" for note in single.volume.notes)
    raster = of_volume(single.volume.volume)
    record = single.derivation
    if record is None:
        return Read(raster, suv=False, words=words, derivation=None)
    scaled = Raster(raster.data * np.float32(record.factor), raster.affine)
    said = f"suv: {record.unit}, factor {record.factor:.10g} ({'; '.join(record.path)})"
    return Read(scaled, record.unit == "SUVbw", (*words, said), record.to_json())


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
