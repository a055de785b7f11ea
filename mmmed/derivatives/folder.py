"""`prepare` over a BIDS or DICOM folder: every scan by its modality's chain, as BIDS again.

The output holds what the input's tables say of its subjects, so that it can be read as data again;
`quality.tsv` has a row per scan, also for those that were refused. Of a folder of DICOM,
`choice.tsv` says of every series whether it is one of the scans, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from joblib import Parallel, delayed

from mmmed import library
from mmmed.cohorts.cohort import Cohort
from mmmed.derivatives.input import place, scans
from mmmed.derivatives.removal import remove_others
from mmmed.derivatives.scan import Order, written
from mmmed.errors import NothingReadable, StudyError
from mmmed.progress import Listener, Progress, Silent
from mmmed.record import atomic, cache, table
from mmmed.record.table import Cell
from mmmed.transforms.chain import Chain, load_chain
from mmmed.transforms.gallery import QUALITY
from mmmed.transforms.prepare import prepare

BIDS_VERSION = "1.10.0"
README = """Scans prepared by mmmed: in MNI152 space, on one grid per modality.

`quality.tsv` says of every scan what it passed; `qc/` shows each under the template's contours.
"""


@dataclass(frozen=True)
class Outcome:
    """How many scans ended how.

    Attributes:
        verdicts: `pass`, `warn`, `fail`, `refused` -> scans.
        removed: volumes that an earlier call wrote and this one does not.
    """

    verdicts: Mapping[str, int]
    removed: int = 0

    def __str__(self) -> str:
        count = self.verdicts
        return (
            f"{count.get('pass', 0)} pass, {count.get('warn', 0)} warn, "
            f"{count.get('fail', 0)} fail, {count.get('refused', 0)} refused"
            + (f"; {self.removed} of an earlier call removed" if self.removed else "")
        )


def prepare_folder(
    data: Path,
    out: Path,
    *,
    chains: Mapping[str, str],
    cohort: str | None,
    start: Path | None,
    jobs: int = 1,
    listener: Listener | None = None,
) -> Outcome:
    """Prepare every scan of a BIDS folder, or of DICOM in any nesting, and write those that pass.

    What an earlier call wrote into `out` and this one does not is removed, as another series is
    chosen by now, or the scan is gone or refused: the folder is data, and holds what `quality.tsv`
    says. Where no scan at all can be used, nothing is.

    Args:
        data: the folder.
        out: the derivative; made where it is missing, gone on with where it is not finished.
        chains: modality -> name of a chain that registers and ends on the template's grid.
        cohort: how the folder is read: a name of `cohorts/` of kind `bids` or `dicom-series`;
            None chooses by what lies in the folder.
        start: where the search for a workspace begins.
        jobs: processes that work; no byte depends on it.
        listener: hears of the tasks `index` and `choice` of DICOM, and `prepare`.

    Raises:
        StudyError: a chain or the cohort does not fit.
        NothingReadable: the folder holds no scan, or none that can be used.
        RunError: `out` cannot be written to.
    """
    tell = listener or Silent()
    if out.resolve() == data.resolve():
        raise StudyError(f"{out}: is the data itself; choose another --out")
    known = _chains(chains, start=start)
    found = scans(data, out, chains=known, cohort=cohort, start=start, jobs=jobs, tell=tell)
    atomic.made(out, advice="choose another --out")
    rows = _prepared(found, known, data=data, out=out, jobs=jobs, tell=tell)
    _write_tables(found, data=data, out=out)
    table.write(out / "quality.tsv", QUALITY, [*rows, *_faults(found)])
    kept = {str(row[key]) for row in rows for key in ("output", "montage") if row.get(key)}
    outcome = Outcome(Counter(str(row["verdict"]) for row in rows))
    if not any(row.get("output") for row in rows):
        first = next((row["reason"] for row in rows), "no file of these modalities")
        raise NothingReadable(
            f"{data}: no scan can be used ({first}); {out / 'quality.tsv'} lists them all"
        )
    return replace(outcome, removed=remove_others(kept, out=out))


def _chains(names: Mapping[str, str], *, start: Path | None) -> dict[str, Chain]:
    found = {}
    for modality, name in names.items():
        chain = load_chain(library.find("transforms", name, start=start))
        if chain.registers is None:
            raise StudyError(
                f"chain {name} of {modality} does not register; name one with a `register` step"
            )
        if chain.through is not None and chain.through not in set(names) - {modality}:
            raise StudyError(
                f"chain {name} of {modality} registers through {chain.through}, which is not "
                "prepared; name a chain for it too"
            )
        found[modality] = chain
    return found


def _prepared(
    cohort: Cohort,
    chains: Mapping[str, Chain],
    *,
    data: Path,
    out: Path,
    jobs: int,
    tell: Listener,
) -> list[dict[str, Cell]]:
    """Rows of the quality table; each scan counts twice, prepared and written."""
    total = 2 * sum(len(items) for case in cohort.cases for items in case.sources.values())
    done = 0
    rows: list[dict[str, Cell]] = []
    for modality in cohort.modalities:
        chain = chains[modality]
        owned = [
            (case.id, source) for case in cohort.cases for source in case.sources.get(modality, ())
        ]
        outcomes = prepare(
            [source for _, source in owned],
            chain,
            kind="volume",
            cache=cache.made("prepared"),
            jobs=jobs,
            guides=cohort.beside(modality, chain.through),
            progress=_after(done, total, tell),
        )
        like = chain.registers or "t1"
        orders = [
            Order(
                case,
                modality,
                place(case, modality, source, like=like, data=data),
                like,
                chain.digest,
            )
            for case, source in owned
        ]
        done += len(owned)
        for row in Parallel(n_jobs=jobs, return_as="generator")(
            delayed(written)(order, one, data=data, out=out)
            for order, one in zip(orders, outcomes, strict=True)
        ):
            rows.append(row)
            done += 1
            tell("prepare", done, total)
    return rows


def _after(before: int, total: int, tell: Listener) -> Progress:
    """Progress of one part of a whole, `before` pieces of which are done."""
    return lambda done, _: tell("prepare", before + done, total)


def _faults(cohort: Cohort) -> list[dict[str, Cell]]:
    """What the folder could not even name: a row without a source."""
    return [
        {
            "case_id": fault.where,
            "modality": fault.modality,
            "verdict": "refused",
            "reason": " ".join(fault.reason.split()),
        }
        for fault in cohort.faults
    ]


def _write_tables(cohort: Cohort, *, data: Path, out: Path) -> None:
    """The tables about the subjects, as they are, and the derivative's description."""
    for path in cohort.tables:
        atomic.write_bytes(out / path.relative_to(data), path.read_bytes())
    atomic.write_text(out / "README", README)
    atomic.write_text(out / ".bidsignore", "quality.tsv\nchoice.tsv\nqc/\n")
    atomic.write_json(
        out / "dataset_description.json",
        {
            "Name": "Prepared by mmmed",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "mmmed"}],
        },
    )
