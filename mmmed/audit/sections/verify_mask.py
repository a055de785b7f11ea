"""The proof that hidden scans were not used, of `verify-mask.json` and those after it."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.section import Values
from mmmed.errors import RunError
from mmmed.record import atomic

VERSION = 1


def values(run: RunFolder) -> Values:
    """The proofs of a run, the first one first; none where it was not verified.

    Raises:
        RunError: one of them is broken.
    """
    paths = sorted(run.path.glob("verify-mask*.json"), key=lambda path: (len(path.name), path.name))
    proofs = []
    for path in paths:
        found = atomic.read_json(path)
        if not isinstance(found, dict) or found.get("mmmed-verify-mask") != VERSION:
            raise RunError(f"{path}: states no `mmmed-verify-mask: {VERSION}`; prove the run again")
        proofs.append(found)
    return {"proofs": proofs}
