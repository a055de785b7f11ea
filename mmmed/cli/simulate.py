"""`mmmed simulate ad|hospital|breakhis OUT`: a cohort as BIDS, DICOM or images, and its truth."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mmmed.progress import Listener
    from mmmed.simulation.slides.spec import SlideSimulation
    from mmmed.simulation.spec import AdSimulation

app = typer.Typer(no_args_is_help=True)


class Kind(StrEnum):
    """How label and burdens hang together."""

    gaussian = "gaussian"
    redundant = "redundant"
    synergy = "synergy"
    subgroup = "subgroup"


class Absence(StrEnum):
    """What the absence of a PET depends on."""

    mcar = "mcar"
    mar = "mar"
    mnar = "mnar"
    by_label = "by-label"


class PetAnatomy(StrEnum):
    """Whether the PET shows the atrophy."""

    shared = "shared"
    atrophied = "atrophied"


@app.callback()
def _simulate() -> None:
    """Write a simulated cohort whose best possible scores are known."""


@app.command("ad")
def simulate_ad(
    out: Annotated[
        Path, typer.Argument(help="The BIDS folder to write; missing, empty, or unfinished.")
    ],
    subjects: Annotated[
        str, typer.Option(help="In all, or train,validation,calibration,test.")
    ] = "300,50,100,200",
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0)] = 0,
    voxel_mm: Annotated[float, typer.Option(help="Edge of a voxel: 4, 2 or 1.")] = 4.0,
    law: Annotated[Kind, typer.Option(help="Burdens given the label.")] = Kind.gaussian,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="law.auroc_pet=0.9, population.age_gap=3, ...; may be repeated."
        ),
    ] = None,
    site_effects: Annotated[
        float, typer.Option(help="Strength of the differences between scanners.", min=0)
    ] = 1.0,
    missing_pet: Annotated[
        float, typer.Option(help="Share of PETs that are not on disk.", min=0, max=1)
    ] = 0.0,
    absence: Annotated[
        Absence,
        typer.Option(help="mar: on age; mnar: on the PET burden (slopes by --set missing.slope=)."),
    ] = Absence.mcar,
    pet_anatomy: Annotated[
        PetAnatomy, typer.Option(help="atrophied: realistic, the PET's own ceiling unknown.")
    ] = PetAnatomy.shared,
    iid_test: Annotated[
        bool, typer.Option("--iid-test", help="Draw the test burdens plainly, not matched.")
    ] = False,
    clinical: Annotated[
        bool, typer.Option("--clinical", help="Also write clinical variables.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(help="Processes. [cores]", min=1)] = None,
) -> int:
    """Write MRI and FDG-PET of a simulated Alzheimer cohort as a BIDS dataset."""
    from joblib import cpu_count

    from mmmed.cli.progress import Progress
    from mmmed.simulation.bids import write

    values: dict[str, Any] = {
        "law": {"kind": law.value},
        "subjects": _parts(subjects),
        "seed": seed,
        "voxel_mm": voxel_mm,
        "site_effects": site_effects,
        "missing": _missing(missing_pet, absence),
        "pet_anatomy": pet_anatomy.value,
        "test": "iid" if iid_test else "matched",
        "clinical": clinical,
    }
    spec = _spec(values, settings or [])
    with Progress() as report:
        write(spec, out, jobs=jobs or cpu_count(), progress=partial(report, "simulate"))
    typer.echo(f"{out}: {spec.subjects.total} subjects")
    return 0


@app.command("hospital")
def simulate_hospital(
    out: Annotated[
        Path, typer.Argument(help="The folder to write; missing, empty, or unfinished.")
    ],
    subjects: Annotated[int, typer.Option(help="How many people.", min=1)] = 12,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0)] = 0,
    voxel_mm: Annotated[
        float, typer.Option(help="Edge of a voxel: 4, 2 or 1; above 2 no T1 is thin enough.")
    ] = 2.0,
) -> int:
    """Write DICOM Studies of simulated people, with planted faults and `truth.tsv`."""
    from mmmed.cli.progress import Progress
    from mmmed.simulation.hospital.writing import write
    from mmmed.simulation.spec import Subjects

    spec = _spec(
        {
            "subjects": Subjects.of_total(subjects).model_dump(),
            "seed": seed,
            "voxel_mm": voxel_mm,
        },
        [],
    )
    with Progress() as report:
        write(spec, out, progress=partial(report, "simulate"))
    typer.echo(f"{out}: {subjects} subjects; what must come out of each series: truth.tsv")
    return 0


@app.command("breakhis")
def simulate_breakhis(
    out: Annotated[
        Path, typer.Argument(help="The folder to write; missing, empty, or unfinished.")
    ],
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.", min=0)] = 0,
    missing: Annotated[
        float, typer.Option(help="Share of slides that lack a magnification.", min=0, max=0.99)
    ] = 0.0,
    slides: Annotated[
        int,
        typer.Option(help="Whole slides as well, in OUT/slides: pyramidal TIFF, 2 or more.", min=0),
    ] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="slides.DC=20 (the others as published), slides={F: 9, DC: 9} (no others), "
            "law.x400=0.9, images=[1, 3], rows=128, ...",
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes. [cores]", min=1)] = None,
) -> int:
    """Write images of simulated tissue at four magnifications, under names of BreakHis."""
    from joblib import cpu_count

    from mmmed import config
    from mmmed.cli.progress import Progress
    from mmmed.simulation.slides.spec import SlideSimulation
    from mmmed.simulation.tissue.spec import PUBLISHED, BreakHisSimulation
    from mmmed.simulation.tissue.writing import write

    values: dict[str, Any] = {"seed": seed, "missing": missing, "slides": dict(PUBLISHED)}
    document = config.Document(path=Path("mmmed simulate breakhis"), values=values, lines={})
    spec = config.validate(config.override(document, settings or []), BreakHisSimulation)
    whole = None
    if slides:
        document = config.Document(
            path=Path("mmmed simulate breakhis --slides"),
            values={
                "law": spec.law.model_dump(mode="json"),
                "slides": slides,
                "matched": spec.matched,
                "seed": seed,
            },
            lines={},
        )
        whole = config.validate(document, SlideSimulation)
    with Progress() as report:
        write(spec, out, jobs=jobs or cpu_count(), progress=partial(report, "simulate"))
        if whole is not None:
            _write_slides(whole, out / "slides", jobs or cpu_count(), report)
    typer.echo(f"{out}: {sum(spec.slides.values())} slides; what is known of them: truth.json")
    return 0


def _write_slides(spec: SlideSimulation, out: Path, jobs: int, report: Listener) -> None:
    from mmmed.simulation.slides.writing import write

    write(spec, out, jobs=jobs, progress=partial(report, "slides"))
    typer.echo(f"{out}: {spec.slides} whole slides; what is known of them: truth.json")


def _parts(text: str) -> dict[str, int]:
    from mmmed.errors import StudyError
    from mmmed.simulation.spec import Subjects

    counts = text.split(",")
    if len(counts) not in (1, 4) or not all(count.strip().isdecimal() for count in counts):
        raise StudyError(
            f"--subjects {text}: write one number, or train,validation,calibration,test"
        )
    numbers = [int(count) for count in counts]
    if len(numbers) == 1:
        return Subjects.of_total(numbers[0]).model_dump()
    return dict(zip(("train", "validation", "calibration", "test"), numbers, strict=True))


def _missing(rate: float, absence: Absence) -> dict[str, Any]:
    if rate == 0:
        return {"kind": "complete"}
    depends: dict[Absence, dict[str, Any]] = {
        Absence.mcar: {},
        Absence.mar: {"slopes": {"age": 1.0}},
        Absence.mnar: {"column": "z_pet", "slope": 1.0},
        Absence.by_label: {"slope": 1.0},
    }
    return {"kind": absence.value, "modality": "pet", "rate": rate, **depends[absence]}


def _spec(values: dict[str, Any], settings: list[str]) -> AdSimulation:
    from mmmed import config
    from mmmed.simulation.spec import AdSimulation

    document = config.Document(path=Path("mmmed simulate ad"), values=values, lines={})
    return config.validate(config.override(document, settings), AdSimulation)
