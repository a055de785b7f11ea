"""`mmmed check`: what is there, and every fault at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import damage
import pytest

from mmmed.pipelines.availability import ABSENCE, LEDGER
from mmmed.record import table

RULE = (
    "CN against AD (positive: AD): diagnosis at each subject's first visit; left out: MCI, sMCI, "
    "pMCI"
)
MNAR = (
    "absence: that it depends on what the missing scan would have shown (MNAR) cannot be excluded "
    "by data"
)
OTHERWISE = "--cohort names another way"


def faults(done) -> list[str]:
    return [line for line in done.out.splitlines() if line.startswith("fault: ")]


def test_a_sound_folder_with_labels_is_exit_0(attempt, sound: Path) -> None:
    done = attempt("check", sound)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        f"{sound}: read as cohorts/bids-ad.yaml says (mri, pet; classes CN, AD); {OTHERWISE}",
        f"bids-ad: {RULE}",
        "bids-ad: 26 cases of 26 subjects",
        "classes: 13 CN, 13 AD",
        "mri: 26 present, 0 never acquired, 0 unreadable",
        "pet: 26 present, 0 never acquired, 0 unreadable",
        "mri: nobody lacks it; nothing to compare",
        "pet: nobody lacks it; nothing to compare",
        MNAR,
        f"{sound}: no fault",
    ]


def test_a_folder_without_labels_is_read_without_them_and_that_is_said(attempt, bids: Path) -> None:
    damage.rewrite(bids, [{"participant_id": r["participant_id"]} for r in damage.people(bids)])
    done = attempt("check", bids)
    assert done.code == 0, done.err
    assert "read as cohorts/bids-scans.yaml says (mri, pet; no labels)" in done.out


def test_a_folder_without_any_table_is_read(attempt, bids: Path) -> None:
    (bids / "participants.tsv").unlink()
    done = attempt("check", bids)
    assert done.code == 0, done.err
    assert "bids-scans: 26 cases" in done.out


def test_labels_of_the_sessions_are_labels(attempt, bids: Path) -> None:
    rows = damage.people(bids)
    damage.rewrite(bids, [{"participant_id": row["participant_id"]} for row in rows])
    for row in rows:
        one = row["participant_id"]
        text = f"session_id\tdiagnosis\nses-M000\t{row['diagnosis']}\n"
        (bids / one / f"{one}_sessions.tsv").write_text(text)
    assert "classes: 13 CN, 13 AD" in attempt("check", bids).out


@pytest.fixture
def amyloid(bids: Path) -> Path:
    """The folder with PETs of another tracer."""
    for path in list(bids.glob("sub-*/ses-*/pet/*")):
        path.rename(path.with_name(path.name.replace("18FFDG", "18FAV45")))
    return bids


def test_pet_of_another_tracer_is_pet_where_no_label_asks_for_fdg(attempt, amyloid: Path) -> None:
    done = attempt("check", amyloid, "--cohort", "bids-scans")
    assert done.code == 0, done.err
    assert "pet: 26 present" in done.out


def test_pet_of_another_tracer_is_pointed_at_where_fdg_is_asked_for(attempt, amyloid) -> None:
    done = attempt("check", amyloid)
    assert "pet: 0 present, 26 never acquired" in done.out
    assert "pet: there are images in pet/, such as sub-001_ses-M000_trc-18FAV45" in done.out


def test_every_damage_is_named_and_is_exit_8(attempt, bids: Path, bounded) -> None:
    kinds = damage.one_of_each(bids)
    with bounded():
        done = attempt("check", bids)
    assert done.code == 8
    assert len(faults(done)) == len(kinds)
    for subject, kind in kinds.items():
        (line,) = (one for one in faults(done) if f"{subject}_ses-M000" in one)
        assert damage.REASONS[kind] in line
    assert done.complaints == [f"mmmed: {bids}: {len(kinds)} faults, listed above"]


@pytest.fixture
def every_visit(tmp_path: Path) -> None:
    """A workspace in which every session of `bids-ad` is a case."""
    from mmmed import library

    library.copy(tmp_path / "place")
    cohort = tmp_path / "place" / "cohorts" / "bids-ad.yaml"
    cohort.write_text(cohort.read_text().replace("visits: baseline", "visits: all"))


def test_faults_of_labels_and_parts_do_not_hide_those_of_images(
    attempt, bids: Path, every_visit
) -> None:
    damage.relabelled(bids, diagnosis="Alzheimer")
    damage.in_two_parts(bids, "sub-001")
    damage.web_page(damage.images(bids, "pet", "sub-002")[0])
    done = attempt("check", bids)
    assert done.code == 8
    label, again, leak, image = faults(done)
    assert "case sub-001_ses-M000: diagnosis is 'Alzheimer'; allowed: CN, AD" in label
    assert "case sub-001_ses-M012" in again
    assert "subject sub-001 stands in test and train" in leak
    assert "is a web page (HTML)" in image


def test_a_folder_of_which_nothing_can_be_read_is_exit_3_with_the_reasons(attempt, bids) -> None:
    for image in bids.rglob("*.nii.gz"):
        damage.empty(image)
    done = attempt("check", bids)
    assert done.code == 3
    assert len([line for line in faults(done) if "is empty" in line]) == 52
    assert done.complaints == [f"mmmed: {bids}: nothing of it can be read; the reasons stand above"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("gone", "is neither a folder of data nor a study"),
        ("ad/trian", "did you mean 'ad/train'?"),
        ("empty", "holds no sub-* folder"),
    ],
)
def test_nothing_there_is_exit_3(attempt, tmp_path: Path, what: str, words: str) -> None:
    (tmp_path / "place" / "empty").mkdir()
    done = attempt("check", what)
    assert done.code == 3
    assert words in done.complaints[0]


@pytest.fixture
def tabled(sound: Path, tmp_path: Path) -> Path:
    """A folder with a table of three cases: both scans, MRI alone, PET alone."""
    root = tmp_path / "tabled"
    root.mkdir()
    for number, modality in ((1, "mri"), (1, "pet"), (2, "mri"), (3, "pet")):
        (image,) = damage.images(sound, modality, f"sub-00{number}")
        shutil.copyfile(image, root / f"{modality}{number}.nii.gz")
    (root / "cases.csv").write_text(
        "case_id,mri,pet\na,mri1.nii.gz,pet1.nii.gz\nb,mri2.nii.gz,n/a\nc,n/a,pet3.nii.gz\n"
    )
    return root


def test_a_table_of_paths_is_read(attempt, tabled: Path) -> None:
    done = attempt("check", tabled, "--cohort", "pet-mr-table")
    assert done.code == 0, done.err
    assert "pet-mr-table: 3 cases of 3 subjects" in done.out
    assert "pet: 2 present, 1 never acquired, 0 unreadable" in done.out


def test_a_table_that_names_what_is_not_there_is_exit_8(attempt, tabled: Path) -> None:
    (tabled / "mri1.nii.gz").unlink()
    damage.truncated(tabled / "pet3.nii.gz")
    done = attempt("check", tabled, "--cohort", "pet-mr-table")
    assert done.code == 8
    gone, broken, left = faults(done)
    assert gone.startswith("fault: a mri: ")
    assert "is not there" in gone
    assert "truncated" in broken
    assert left == "fault: c: nothing of it can be read; left out"


def test_a_cohort_of_another_kind_is_exit_2(attempt, sound: Path) -> None:
    done = attempt("check", sound, "--cohort", "simulated-ad")
    assert done.code == 2
    assert "is simulated; it takes no root" in done.complaints[0]


def test_a_shipped_study_is_exit_0(attempt) -> None:
    done = attempt("check", "ad/train")
    assert done.code == 0, done.err
    assert "ad/train: digest " in done.out


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The shipped YAML, to be edited."""
    from mmmed import library

    library.copy(tmp_path / "place")
    return tmp_path / "place"


def test_faults_of_a_study_its_cohort_and_its_chains_are_named_at_once(attempt, workspace) -> None:
    study = workspace / "pipelines" / "ad" / "train.yaml"
    cohort = workspace / "cohorts" / "simulated-ad.yaml"
    chain = workspace / "transforms" / "brain-pet.yaml"
    study.write_text(study.read_text().replace("splits:", "split:"))
    cohort.write_text(cohort.read_text().replace("seed: 0", "seeed: 0"))
    chain.write_text(chain.read_text().replace("prepare:", "prepar:"))
    done = attempt("check", "ad/train")
    assert done.code == 8
    found = "\n".join(faults(done))
    line = study.read_text().splitlines().index("split: {kind: holdout}") + 1
    assert f"{study}:{line}: split: unknown key; did you mean 'splits'?" in found
    assert f"{cohort}:4: cohort.simulation.seeed: unknown key; did you mean 'seed'?" in found
    assert f"{chain}:4: prepar: unknown key; did you mean 'prepare'?" in found


def test_faults_of_the_cohort_and_the_chains_of_a_sound_study_are_named_at_once(
    attempt, workspace: Path
) -> None:
    cohort = workspace / "cohorts" / "simulated-ad.yaml"
    cohort.write_text(cohort.read_text().replace("seed: 0", "seeed: 0"))
    done = attempt("check", "ad/train", "--set", "transforms.pet=brain-pte")
    assert done.code == 8
    assert len(faults(done)) == 2
    assert "transforms/brain-pte.yaml: no such file; did you mean 'brain-pet'?" in done.out


def test_what_a_study_makes_of_a_folder_is_checked_without_opening_an_image(
    attempt, bids: Path, every_visit
) -> None:
    damage.in_two_parts(bids, "sub-001")
    damage.twice(damage.images(bids, "mri", "sub-002")[0])
    choice = f"cohort={{name: bids-ad, root: '{bids}'}}"
    done = attempt("check", "ad/train", "--set", choice, "--set", "evaluation.positive=MCI")
    assert done.code == 8
    assert [line.split(":")[1] for line in faults(done)] == [
        " sub-002_ses-M000 mri",
        " study ad/train",
    ]
    done = attempt("check", "ad/train", "--set", choice)
    assert "subject sub-001 stands in test and train" in "\n".join(faults(done))


def test_an_alias_bomb_is_a_fault_with_its_line(attempt, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.yaml"
    bomb.write_text("mmmed: 1\na: &a [x, x]\nb: [*a, *a]\n")
    done = attempt("check", bomb)
    assert done.code == 8
    assert faults(done) == [f"fault: {bomb}:2: anchors and aliases (& and *) are not read; repeat"]


@pytest.mark.shared
def test_real_folders_of_saved_web_pages_are_exit_3_with_a_reason_each(attempt, data: Path) -> None:
    done = attempt("check", data / "bids-pet" / "pet002")
    assert done.code == 3
    pages = [line for line in faults(done) if "is a web page (HTML)" in line]
    assert len(pages) == len(list((data / "bids-pet" / "pet002").rglob("*.nii*")))


@pytest.mark.shared
def test_real_pet_and_mr_volumes_named_by_a_table_are_read(attempt, data: Path, tmp_path) -> None:
    volumes = sorted((data / "pet-mr-ct-sts" / "nifti").rglob("*.nii.gz"))
    table = tmp_path / "sts" / "cases.csv"
    table.parent.mkdir()
    rows = ["case_id,mri,pet"]
    for folder in sorted({path.parent for path in volumes}):
        mri, pet = (next(p for p in volumes if p.parent == folder and word in p.name.lower())
                    for word in ("mr", "pet"))  # fmt: skip
        rows.append(f"{folder.name},{mri},{pet}")
    table.write_text("\n".join(rows) + "\n")
    done = attempt("check", table.parent, "--cohort", "pet-mr-table")
    assert done.code == 0, done.out
    assert f"mri: {len(rows) - 1} present" in done.out


def test_the_ledger_is_written_with_relative_paths_also_where_there_are_faults(
    attempt, bids: Path, tmp_path: Path
) -> None:
    for subject in ("sub-001", "sub-002", "sub-003"):
        damage.images(bids, "pet", subject)[0].unlink()
    damage.web_page(damage.images(bids, "mri", "sub-004")[0])
    done = attempt("check", bids, "--out", tmp_path / "led")
    assert done.code == 8
    rows = table.read(tmp_path / "led" / "ledger.tsv", LEDGER)
    told = {(row["case_id"], row["modality"]): (row["status"], row["reason"]) for row in rows}
    assert len(rows) == 52
    assert told["sub-001_ses-M000", "pet"] == ("never acquired", "n/a")
    status, reason = told["sub-004_ses-M000", "mri"]
    assert (status, reason[:17]) == ("unreadable", "sub-004/ses-M000/")
    effects = table.read(tmp_path / "led" / "absence.tsv", ABSENCE)
    assert {(row["modality"], row["factor"]) for row in effects} == {
        (modality, factor)
        for modality in ("mri", "pet")
        for factor in ("age", "diagnosis", "sex", "site")
    }
    assert (tmp_path / "led" / "ledger.png").read_bytes().startswith(b"\x89PNG")
    assert "pet: no sign against MCAR in " in done.out
    assert "is MCAR" not in done.out


def test_a_ledger_that_cannot_be_written_is_exit_2(attempt, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = attempt("check", sound, "--out", tmp_path / "file")
    assert done.code == 2
    assert "choose another --out" in done.complaints[0]


def test_the_ledger_of_a_study_is_that_of_its_cohort(attempt, bids: Path, tmp_path: Path) -> None:
    choice = f"cohort={{name: bids-ad, root: '{bids}'}}"
    done = attempt("check", "ad/train", "--set", choice, "--out", tmp_path / "led")
    assert done.code == 0, done.out
    assert RULE in done.out
    assert len(table.read(tmp_path / "led" / "ledger.tsv", LEDGER)) == 52


def test_a_caps_folder_is_told_from_bids(attempt, tmp_path: Path, sound: Path) -> None:
    root = tmp_path / "caps"
    rows = ["participant_id\tsession_id\tdiagnosis"]
    for number, diagnosis in ((1, "CN"), (2, "Dementia")):
        (image,) = damage.images(sound, "mri", f"sub-00{number}")
        case = f"sub-C{number}_ses-M000"
        place = root / "subjects" / f"sub-C{number}" / "ses-M000" / "t1_linear"
        place.mkdir(parents=True)
        name = f"{case}_space-MNI152NLin2009cSym_desc-Crop_res-1x1x1_T1w.nii.gz"
        shutil.copyfile(image, place / name)
        rows.append(f"sub-C{number}\tses-M000\t{diagnosis}")
    done = attempt("check", root)
    assert "read as cohorts/caps-scans.yaml says" in done.out
    (root / "labels.tsv").write_text("\n".join(rows) + "\n")
    done = attempt("check", root)
    assert done.code == 0, done.out
    assert "read as cohorts/caps-ad.yaml says (mri, pet; classes CN, AD)" in done.out
    assert "classes: 1 CN, 1 AD" in done.out


def test_headers_alone_are_quick_and_say_what_they_do_not_see(attempt, bids: Path) -> None:
    """Truncated voxels are seen without the option; a file that is no image with it, too."""
    (first,) = damage.images(bids, "mri", "sub-001")
    (second,) = damage.images(bids, "mri", "sub-002")
    first.write_bytes(first.read_bytes()[:-64])
    second.write_text("<html>")
    whole = attempt("check", bids)
    assert any(first.name in line and "truncated" in line for line in faults(whole))
    quick = attempt("check", bids, "--headers-only")
    assert quick.code == 8
    assert [line for line in faults(quick) if first.name in line] == []
    assert any(second.name in line for line in faults(quick))
    assert "of volumes only headers were read" in quick.out
    assert "only headers" not in whole.out


def test_headers_alone_are_for_folders(attempt) -> None:
    done = attempt("check", "toy/xor", "--headers-only")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "mmmed: toy/xor: is a study; --headers-only is for a folder of data: leave it out\n"
    )


def test_the_ledger_of_a_simulated_cohort_finds_what_its_absence_was_drawn_from(
    attempt, tmp_path: Path
) -> None:
    """PETs are missing by label, strongly: absence depends on the diagnosis, and on it alone."""
    subjects = "{train: 60, validation: 20, calibration: 20, test: 20}"
    missing = "{kind: by-label, modality: pet, rate: 0.5, slope: 6.0}"
    simulation = f"{{subjects: {subjects}, voxel_mm: 16.0, missing: {missing}}}"
    choice = f"cohort={{name: simulated-ad, simulation: {simulation}}}"
    done = attempt("check", "ad/train", "--set", choice, "--out", tmp_path / "led")
    assert done.code == 0, done.out
    assert "pet: absence depends on diagnosis" in done.out
    assert "mri: nobody lacks it" in done.out
    rows = table.read(tmp_path / "led" / "ledger.tsv", LEDGER)
    assert len(rows) == 240
    lost = {True: 0, False: 0}
    for row in rows:
        if row["modality"] == "pet" and row["status"] == "never acquired":
            lost[row["label"] == "AD"] += 1
    told = {(one["factor"], one["measure"]): one for one in table.read(
        tmp_path / "led" / "absence.tsv", ABSENCE) if one["modality"] == "pet"}  # fmt: skip
    risk = told["diagnosis", "risk difference"]
    assert risk["groups"] == "CN - AD"
    assert float(risk["value"]) == pytest.approx((lost[False] - lost[True]) / 60, abs=1e-4)
    assert all(float(one["holm"]) > 0.05 for key, one in told.items() if key[0] != "diagnosis")
