"""The ways in which scanners state the values of a PET, each with the SUVbw that it stands for.

The factor is worked out here from what is written, by the definition: weight over the activity
that is left. It is not the readers' arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from mmmed.simulation.hospital.identity import scan_start

HALF_LIFE_S = 6586.2
Name = Literal[
    "bqml-start",
    "bqml-admin",
    "bqml-midnight",
    "bqml-later",
    "gml",
    "cnts-suv",
    "cnts-activity",
    "enhanced",
]
NAMES: tuple[Name, ...] = (
    "bqml-start",
    "gml",
    "cnts-suv",
    "bqml-admin",
    "cnts-activity",
    "bqml-midnight",
    "enhanced",
    "bqml-later",
)
"""In the turn of the subjects. `bqml-later` was reconstructed anew, so that the time of its series
is not that of its scan; `enhanced` states its unit by a mapping."""


@dataclass(frozen=True)
class Way:
    """How one PET is stated.

    Attributes:
        attributes: of the image.
        isotope: of the radiopharmaceutical.
        private: Philips' elements.
        slope: of the rescale.
        suv: SUVbw per rescaled value.
        enhanced: all slices in one file.
    """

    attributes: Mapping[str, str]
    isotope: Mapping[str, str]
    slope: str
    suv: float
    private: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    enhanced: bool = False


def way(name: Name, *, number: int, becquerels: float) -> Way:
    """How the PET of a subject is stated.

    Args:
        name: of the way.
        number: of the subject; dose, weight and times follow from it.
        becquerels: Bq/mL of one stored unit at the start of the scan.
    """
    weight, dose, wait = 55.0 + 3 * (number % 12), 1.8e8 + 1e6 * (number % 30), 2700 + number % 600
    start = scan_start(number, late=name == "bqml-midnight")
    given = start - timedelta(seconds=wait)
    left = 1.0 if name == "bqml-admin" else 0.5 ** (wait / HALF_LIFE_S)
    suv_per_becquerel = 1000 * weight / (dose * left)
    attributes = {
        "PatientWeight": f"{weight:g}",
        "SeriesDate": f"{start:%Y%m%d}",
        "SeriesTime": f"{start:%H%M%S}",
        "AcquisitionDate": f"{start:%Y%m%d}",
        "AcquisitionTime": f"{start:%H%M%S}",
        "DecayCorrection": "ADMIN" if name == "bqml-admin" else "START",
        "Units": "BQML",
        "Manufacturer": "simulated",
    }
    isotope = {
        "RadiopharmaceuticalStartTime": f"{given:%H%M%S}",
        "RadionuclideTotalDose": f"{dose:.0f}",
        "RadionuclideHalfLife": f"{HALF_LIFE_S:g}",
        "Radiopharmaceutical": "Fluorodeoxyglucose F18",
    }
    slope = f"{becquerels:.9g}"
    if name == "enhanced":
        return _enhanced(attributes, isotope, slope, suv_per_becquerel, start, given)
    if name == "bqml-later":
        later = f"{start + timedelta(hours=2):%H%M%S}"
        return Way({**attributes, "SeriesTime": later}, isotope, slope, suv_per_becquerel)
    if name == "gml":
        slope = f"{becquerels * suv_per_becquerel:.9g}"
        return Way({**attributes, "Units": "GML", "SUVType": "BW"}, isotope, slope, 1.0)
    if name.startswith("cnts"):
        philips = {**attributes, "Units": "CNTS", "Manufacturer": "Philips (simulated)"}
        suv = f"{becquerels * suv_per_becquerel:.9g}"
        if name == "cnts-suv":
            return Way(philips, isotope, "1", float(suv), {0x00: suv})
        return Way(
            philips, isotope, "1", float(slope) * suv_per_becquerel, {0x00: "0", 0x09: slope}
        )
    return Way(attributes, isotope, slope, suv_per_becquerel)


def _enhanced(
    attributes: Mapping[str, str],
    isotope: Mapping[str, str],
    slope: str,
    suv: float,
    start: datetime,
    given: datetime,
) -> Way:
    """The same in the words of an enhanced image: the dose in MBq (DICOM PS3.3 C.8.22.4)."""
    kept = {key: one for key, one in attributes.items() if key not in ("Units", "DecayCorrection")}
    stated = {
        "RadiopharmaceuticalStartDateTime": f"{given:%Y%m%d%H%M%S}",
        "RadionuclideTotalDose": f"{float(isotope['RadionuclideTotalDose']) / 1e6:g}",
        "RadionuclideHalfLife": isotope["RadionuclideHalfLife"],
        "Radiopharmaceutical": isotope["Radiopharmaceutical"],
    }
    moment = f"{start:%Y%m%d%H%M%S}"
    return Way({**kept, "DecayCorrectionDateTime": moment}, stated, slope, suv, enhanced=True)
