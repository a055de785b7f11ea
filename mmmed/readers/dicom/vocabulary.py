"""Words of protocols, and texts without the words of a person's name.

People write names into descriptions of series. What stands in a name or an ID of the same file is
taken out of its texts, unless it is a word of protocols: patients of phantoms are called `Head`.
Neither case nor accents matter. What stays: single Latin letters, nicknames, other transcriptions
(`Mueller` of `Müller`), and a part of a name that the header does not write apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WORDS = frozenset(
    """
    2d 3d ac acpc adc adni angio ap asl ax axial b0 b1 bold brain bravo calibration contrast cor
    coronal corrected ct cube diff diffusion dixon dti dwi echo ep2d epi fa fast fat fdg fdgpet
    fieldmap flair flash fmri fse fspgr gd ge gradwarp gre grappa haste head icor inphase iso lava
    loc localiser localizer mag mip mp2rage mpr mprage mra mri mt n3 nac neck opposed outphase pa pc
    pd perf perfusion pet phase post pre ra rage rep repeat rest resting sag sagittal se sense
    sequence shim siemens space spair spgr spin spine spoiled ssfse static stir survey swan swi t1
    t1w t2 t2star t2w task tensor tfe tfl tirm tof tra trace transverse tse ute venc vibe vista
    water wb weighted whole
    """.split()  # noqa: SIM905 - words read better as a text
)
"""What sequences, planes, contrasts and tracers are called."""

TAKEN = "[removed]"
"""Stands where a word of a name stood."""

_WORD = re.compile(r"[^\W_]+")
_SHORTEST, _LONG = 3, 5
"""Characters of a part of a name that is looked for as a word, and anywhere within words; a word of
two letters is one too. In scripts other than Latin, which may have no blanks, all are looked for
anywhere."""


def words(text: str) -> list[str]:
    """The words of protocols in a text, small, in their order."""
    return [one for one in _WORD.findall(text.casefold()) if one in WORDS]


def without(text: str, names: Iterable[str]) -> str:
    """The text without the words of names and IDs, wherever they stand in it."""
    parts = {one for name in names for one in _WORD.findall("".join(map(_folded, name)))}
    known = sorted(filter(_tells, parts), key=len, reverse=True)
    if not known:
        return text
    folded = [_folded(one) for one in text]
    origin = [place for place, one in enumerate(folded) for _ in one] + [len(text)]
    left, done = "", 0
    for found in re.finditer("|".join(map(_pattern, known)), "".join(folded)):
        left += text[done : origin[found.start()]] + TAKEN
        done = max(origin[found.end()], origin[found.end() - 1] + 1)
    return left + text[done:]


def _folded(letter: str) -> str:
    """A letter without case and accents; `ß` is two, and an accent alone is none."""
    plain = unicodedata.normalize("NFKD", letter).casefold()
    return "".join(one for one in plain if not unicodedata.combining(one))


def _pattern(word: str) -> str:
    plain = re.escape(word)
    anywhere = len(word) >= _LONG or not _is_latin(word)
    return plain if anywhere else rf"(?<![^\W_]){plain}(?![^\W_])"


def _tells(word: str) -> bool:
    if word in WORDS:
        return False
    return len(word) >= _SHORTEST or (len(word) == 2 and word.isalpha()) or not _is_latin(word)


def _is_latin(word: str) -> bool:
    return all(one.isascii() or unicodedata.name(one, "").startswith("LATIN") for one in word)
