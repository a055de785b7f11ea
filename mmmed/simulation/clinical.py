"""Clinical variables: noisy readings of both burdens, and one that tells nothing.

They know the label only through the burdens: beside an MRI and a PET they add nothing, beside one
of them they do.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmmed.simulation.rendering import Subject

DESCRIPTIONS: Mapping[str, Mapping[str, object]] = {
    "mmse": {"Description": "Mini-Mental State Examination, 0 to 30; 30 is best"},
    "faq": {"Description": "Functional Activities Questionnaire, 0 to 30; 0 is best"},
    "education": {"Description": "Education, independent of all else", "Units": "years"},
}


def draw_clinical(subject: Subject, random: np.random.Generator) -> dict[str, int]:
    """One subject's variables, by name."""
    noise = random.standard_normal(3)
    burden = subject.z_mri + subject.z_pet
    return {
        "mmse": _score(28.5 - 1.3 * burden + 2.0 * noise[0]),
        "faq": _score(1.0 + 2.5 * burden + 4.0 * noise[1]),
        "education": round(float(np.clip(13 + 3 * noise[2], 4, 25))),
    }


def _score(value: float) -> int:
    return round(float(np.clip(value, 0, 30)))
