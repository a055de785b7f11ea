"""Bad input on the command line: one clear line, the documented code, nothing done is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import damage
import pytest

from mmmed.record import table

TINY = (
    "--no-baselines",
    "--jobs=1",
    "--set=training={steps: 1, batch: 2}",
    "--set=evaluation={positive: AD, interval: {draws: 100}}",
)
"""Options of a run of one step."""

LATE_SUM = ("--method=late-sum", *TINY)
WITHOUT_WEIGHTS = (
    "{kind: hypermm, generate: last, backbone: {kind: resnet, depth: 10, weights: nowhere.pt}}"
)
"""A method whose job fails."""

bound = pytest.mark.skipif(
    not damage.permissions_bind(), reason="this user may read and write everything"
)

HTML_ID = "sub-<img src=x onerror=alert(1)>"


def refused(done, code: int, *words: str) -> None:
    """One line and no more, with these words, and this exit code."""
    assert done.code == code, done.err
    assert len(done.complaints) == 1, done.err
    assert "Traceback" not in done.err
    assert "unexpected" not in done.err
    for word in words:
        assert word in done.complaints[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "hypermn"], ["unknown kind 'hypermn'", "did you mean 'hypermm'?"]),
        (["--method", "hypermm-paper"], ["methods.0", "vgg11-8a719046.pth", "weights: random"]),
        (["--weights", "file.pth"], ["methods.0.weights: unknown key"]),
        (["--missing-pet", "2"], ["--missing-pet", "mmmed train-ad --help"]),
        (["--test-missing-pet", "a,b"], ["--test-missing-pet a,b", "'a' is no number"]),
        (["--test-missing-pet", "0,3"], ["--set protocols.test.1.rate", "less than or equal to 1"]),
        (["--seeds", "x"], ["--seeds x", "'x' is no number"]),
        (["--folds", "1"], ["splits.folds", "greater than or equal to 2"]),
        (["--device", "cuda:99"], ["--device cuda:99", "choose another"]),
        (["--set", "training.steps"], ["--set training.steps: write key.sub=value"]),
        (["--set", "training.step=3"], ["training.step: unknown key; did you mean 'steps'?"]),
        (["--set", "cohort.seed=[1"], ["--set cohort.seed=[1"]),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_2(attempt, options, words) -> None:
    refused(attempt("train-ad", "--baselines", *options), 2, *words)


def test_a_typo_in_a_study_is_named_with_its_line(attempt, tmp_path: Path) -> None:
    study = tmp_path / "own.yaml"
    study.write_text("mmmed: 1\nstudy: own\ncohort: simulated-ad\nmethods: [{kind: late-sum}]\n"
                     "splits: {kind: holdout}\nprotocols: {test: [{kind: complete}]}\n"
                     "transform: {mri: brain-mri}\n")  # fmt: skip
    done = attempt("run", study)
    assert done.code == 2
    assert f"mmmed: {study}:7: transform: unknown key; did you mean 'transforms'?" in done.err


def test_an_alias_bomb_is_refused_before_it_is_expanded(attempt, tmp_path: Path, bounded) -> None:
    bomb = tmp_path / "bomb.yaml"
    levels = [
        f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 12)
    ]
    bomb.write_text("\n".join(["mmmed: 1", "l0: &l0 [x]", *levels]))
    with bounded():
        refused(attempt("run", bomb), 2, f"{bomb}:2", "anchors and aliases")


def test_data_that_is_not_there_is_exit_3(attempt, tmp_path: Path) -> None:
    refused(attempt("train-ad", tmp_path / "gone", *LATE_SUM), 3, "gone: is no folder")


def test_an_empty_bids_folder_is_exit_3(attempt, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = attempt("train-ad", tmp_path / "empty", *LATE_SUM)
    refused(done, 3, "empty: holds no sub-* folder (BIDS)")


def test_images_none_of_which_can_be_read_are_exit_3(attempt, bids: Path) -> None:
    for image in bids.rglob("*.nii.gz"):
        damage.web_page(image)
    refused(attempt("train-ad", bids, *LATE_SUM), 3, "nothing can be read", "web page (HTML)")


def test_a_label_outside_the_classes_names_the_case_and_the_classes(attempt, bids: Path) -> None:
    damage.relabelled(bids, diagnosis="Alzheimer")
    done = attempt("train-ad", bids, *LATE_SUM)
    refused(done, 2, "case sub-001_ses-M000", "'Alzheimer'", "allowed: CN, AD", "label.exclude")


def test_a_cohort_of_one_class_is_exit_2(attempt, bids: Path) -> None:
    damage.rewrite(bids, [{**row, "diagnosis": "CN"} for row in damage.people(bids)])
    refused(attempt("train-ad", bids, *LATE_SUM), 2, "no case of class AD", "needs every class")


def test_a_cohort_without_any_pet_is_exit_2(attempt, bids: Path) -> None:
    for folder in bids.glob("sub-*/ses-*/pet"):
        shutil.rmtree(folder)
    refused(attempt("train-ad", bids, *LATE_SUM), 2, "no case owns pet", "leave it out")


def test_a_subject_in_two_parts_is_exit_2(attempt, bids: Path) -> None:
    damage.in_two_parts(bids, "sub-001")
    every = ("--set", "cohort.reading={visits: all}")
    done = attempt("train-ad", bids, *LATE_SUM, *every)
    refused(done, 2, "subject sub-001 stands in test and train", "give all cases of a subject one")


def test_a_participants_table_with_a_short_row_is_named_with_its_line(attempt, bids: Path) -> None:
    with (bids / "participants.tsv").open("a") as file:
        file.write("sub-999\n")
    done = attempt("train-ad", bids, *LATE_SUM)
    refused(done, 2, "participants.tsv: line 28 has 1 cells", "mend it")


@pytest.mark.parametrize("out", ["/proc/run", "file", "file/run", "long" * 80])
def test_a_place_that_cannot_be_written_to_is_exit_2(attempt, tmp_path, sound, out: str) -> None:
    (tmp_path / "place" / "file").touch()
    done = attempt("train-ad", sound, *LATE_SUM, "--out", out)
    refused(done, 2, f"{out}: cannot be written to", "choose another --out")


@bound
def test_a_read_only_folder_is_exit_2(attempt, tmp_path: Path, sound: Path) -> None:
    (tmp_path / "place").chmod(0o500)
    done = attempt("train-ad", sound, *LATE_SUM, "--out", "run")
    refused(done, 2, "run: cannot be written to (Permission denied)")


def test_a_cache_that_cannot_be_written_to_is_exit_2(attempt_in, tmp_path, sound) -> None:
    done = attempt_in(tmp_path, "train-ad", sound, *LATE_SUM, cache=Path("/proc/cache"))
    refused(done, 2, "/proc/cache: cannot be written to", "MMMED_CACHE=DIR")


def test_a_refused_run_leaves_no_folder_behind(attempt, tmp_path: Path, bids: Path) -> None:
    damage.relabelled(bids, diagnosis="Alzheimer")
    attempt("train-ad", bids, *LATE_SUM, "--out", "run")
    assert not (tmp_path / "place" / "run").exists()


@pytest.fixture(scope="module")
def damaged(sound: Path, tmp_path_factory: pytest.TempPathFactory, attempt_in):
    """A run over a folder in which every kind of damage stands once, on training subjects.

    The folder, which subject has which damage, and what the run left in `run`.
    """
    here = tmp_path_factory.mktemp("damaged")
    root = Path(shutil.copytree(sound, here / "bids"))
    train = [row["participant_id"] for row in damage.people(root) if row["part"] == "train"]
    kinds = damage.one_of_each(root)
    for image in damage.images(root, "mri", train[-1]) + damage.images(root, "pet", train[-1]):
        damage.empty(image)
    named_html(root, train[-2])
    return (
        root,
        kinds,
        attempt_in(here, "train-ad", root, *LATE_SUM, "--out", "run", tracking="60"),
        here / "run",
    )


def named_html(root: Path, subject: str) -> None:
    """Give a subject an id that is HTML, and a PET that cannot be read."""
    for image in damage.images(root, "pet", subject):
        damage.web_page(image)
    for path in sorted(root.glob(f"{subject}/**/{subject}_*"), reverse=True):
        path.rename(path.with_name(path.name.replace(subject, HTML_ID)))
    (root / subject).rename(root / HTML_ID)
    rows = damage.people(root)
    damage.rewrite(
        root,
        [{**r, "participant_id": r["participant_id"].replace(subject, HTML_ID)} for r in rows],
    )


def test_a_run_with_unreadable_images_finishes(damaged) -> None:
    _, _, done, run = damaged
    assert done.code == 0, done.err
    assert (run / "chain.json").exists()


@pytest.mark.parametrize("kind", damage.REASONS, ids=lambda kind: kind.__name__)
def test_each_damage_is_named_on_stderr_and_in_the_report(damaged, kind) -> None:
    _, kinds, done, run = damaged
    (subject,) = (one for one, mine in kinds.items() if mine is kind)
    for text in (done.err, (run / "report.html").read_text()):
        (line,) = (one for one in text.splitlines() if f"left out: {subject}_ses-M000" in one)
        assert damage.REASONS[kind] in line


def test_a_case_keeps_its_place_while_one_image_of_it_can_be_read(damaged) -> None:
    _, kinds, _, run = damaged
    cases = {row["case_id"]: row["owned"] for row in table.read(run / "cases.tsv", table.CASES)}
    assert len(cases) == 25
    for place, subject in enumerate(kinds):
        assert cases[f"{subject}_ses-M000"] == ("pet", "mri")[place % 2]


def test_a_case_of_which_nothing_can_be_read_is_left_out_by_name(damaged) -> None:
    root, _, done, run = damaged
    last = [row["participant_id"] for row in damage.people(root) if row["part"] == "train"][-1]
    assert f"left out: {last}_ses-M000: nothing of it can be read; left out" in done.err
    assert last not in (run / "cases.tsv").read_text()


def test_an_id_that_is_html_is_escaped_in_the_report(damaged) -> None:
    page = (damaged[3] / "report.html").read_text()
    assert "<img src=x" not in page
    assert "sub-&lt;img src=x onerror=alert(1)&gt;_ses-M000 pet" in page


def test_an_id_that_is_html_is_kept_as_text_and_names_no_file(damaged) -> None:
    run = damaged[3]
    assert HTML_ID in (run / "cases.tsv").read_text()
    assert not [path for path in run.rglob("*") if "<" in str(path) or "img" in str(path)]


def test_a_dead_mlflow_server_does_not_stop_a_run(damaged) -> None:
    _, _, done, run = damaged
    (line,) = (one for one in done.err.splitlines() if one.startswith("not tracked ("))
    assert "127.0.0.1" in line
    assert line.endswith(f"later: mmmed track {run.name}")


@bound
def test_images_and_folders_without_permission_cost_themselves_alone(attempt, bids: Path) -> None:
    damage.unreadable(damage.images(bids, "pet", "sub-001")[0])
    (bids / "sub-002").chmod(0)
    done = attempt("train-ad", bids, *LATE_SUM)
    (bids / "sub-002").chmod(0o700)
    assert done.code == 0, done.err
    assert "left out: sub-002: its folder cannot be read (Permission denied)" in done.err
    (line,) = (one for one in done.err.splitlines() if "left out: sub-001_ses-M000 pet" in one)
    assert "cannot be read (Permission denied)" in line


@pytest.fixture(scope="module")
def half_failed(sound: Path, tmp_path_factory: pytest.TempPathFactory, attempt_in):
    """A run of two methods, the first of which fails, and what it left in `run`."""
    here = tmp_path_factory.mktemp("half-failed")
    methods = f"--set=methods=[{WITHOUT_WEIGHTS}, {{kind: late-sum}}]"
    return attempt_in(here, "train-ad", sound, *TINY, methods, "--out", "run"), here / "run"


REASON = "weights nowhere.pt: no such file; nothing is downloaded"


def test_a_failed_job_is_exit_8_and_its_reason_is_on_stderr(half_failed) -> None:
    refused(half_failed[0], 8, f"hypermm mcar 0.5 holdout seed 0: {REASON}")


def test_a_failed_job_leaves_its_reason_in_its_folder(half_failed) -> None:
    (path,) = half_failed[1].glob("jobs/*/failed.txt")
    assert path.read_text() == f"{REASON}\n"


def test_a_failed_job_is_named_in_the_report_and_in_the_metrics(half_failed) -> None:
    run = half_failed[1]
    page = (run / "report.html").read_text()
    assert "hypermm, trained mcar 0.5, fold holdout, seed 0" in page
    assert REASON in page
    metrics = json.loads((run / "metrics.json").read_text())
    assert {row["method"] for row in metrics["rows"]} == {"late-sum"}


def test_the_run_keeps_the_package_of_the_first_method_that_ended_well(half_failed) -> None:
    model = json.loads((half_failed[1] / "model" / "model.json").read_text())
    assert model["method"]["kind"] == "late-sum"
    assert {row["pattern"] for row in model["performance"]} == {"mri", "pet", "mri+pet"}


def test_what_was_prepared_stays_prepared_when_a_later_run_is_refused(
    half_failed, attempt, attempt_cache: Path, bids: Path
) -> None:
    def kept() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in attempt_cache.rglob("*.npy")}

    before = kept()
    assert len(before) >= 52
    damage.relabelled(bids, diagnosis="Alzheimer")
    assert attempt("train-ad", bids, *LATE_SUM).code == 2
    assert kept() == before


def test_a_run_whose_every_job_fails_is_exit_2_with_the_reasons(
    half_failed, attempt, sound: Path, tmp_path: Path
) -> None:
    done = attempt("train-ad", sound, *TINY, f"--set=methods=[{WITHOUT_WEIGHTS}]", "--out", "run")
    assert done.code == 2
    assert done.complaints == [
        "mmmed: every job failed; nothing to report",
        f"mmmed: hypermm mcar 0.5 holdout seed 0: {REASON}",
    ]
    assert (tmp_path / "place" / "run" / "study.yaml").exists()


Change = Callable[[Path], None]


def flip(name: str) -> Change:
    """Flip one bit in the middle of a file of the package."""

    def change(package: Path) -> None:
        content = bytearray((package / name).read_bytes())
        content[len(content) // 2] ^= 1
        (package / name).write_bytes(content)

    return change


def remove(name: str) -> Change:
    """Take a file of the package away."""
    return lambda package: (package / name).unlink()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (flip("weights.safetensors"), ["weights.safetensors: is not the file model.json names"]),
        (flip("model.json"), ["model.json: ", "take the package again"]),
        (remove("weights.safetensors"), ["weights.safetensors: No such file"]),
        (remove("model.json"), ["model.json: No such file", "name the folder of a model package"]),
        (shutil.rmtree, ["model.json: No such file"]),
    ],
    ids=["weights-flipped", "manifest-flipped", "no-weights", "no-manifest", "no-folder"],
)
def test_a_package_that_is_not_as_written_is_exit_2(
    half_failed, attempt, sound: Path, tmp_path: Path, change: Change, words: list[str]
) -> None:
    package = Path(shutil.copytree(half_failed[1] / "model", tmp_path / "model"))
    change(package)
    refused(attempt("predict", package, sound, "--out", "out"), 2, *words)
    assert not (tmp_path / "place" / "out").exists()


def test_predicting_an_empty_folder_is_exit_3(half_failed, attempt, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = attempt("predict", half_failed[1] / "model", tmp_path / "empty", "--out", "out")
    refused(done, 3, "empty: holds no DICOM series and no sub-*")


def test_predicting_into_a_place_that_cannot_be_written_to_is_exit_2(
    half_failed, attempt, sound: Path
) -> None:
    done = attempt("predict", half_failed[1] / "model", sound, "--out", "/proc/out")
    refused(done, 2, "/proc/out: cannot be written to")


def test_a_damaged_image_costs_a_prediction_its_modality_alone(
    half_failed, attempt, bids: Path, tmp_path: Path
) -> None:
    tested = [row["participant_id"] for row in damage.people(bids) if row["part"] == "test"]
    damage.with_nan(damage.images(bids, "pet", tested[0])[0])
    done = attempt("predict", half_failed[1] / "model", bids, "--out", "out")
    assert done.code == 0, done.err
    assert "4 predicted (1 from a part of their files), 22 refused" in done.out
    rows = table.read(tmp_path / "place" / "out" / "predictions.tsv", table.PREDICTIONS)
    assert {row["case_id"]: row["pattern"] for row in rows}[f"{tested[0]}_ses-M000"] == "mri"
    assert len(list((tmp_path / "place" / "out" / "qc").iterdir())) == 7
