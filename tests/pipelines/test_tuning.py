"""`tune:` of a study: equal numbers of trials, chosen on validation, interrupted and resumed."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mmmed.errors import StudyError
from mmmed.pipelines.agenda import make_agenda
from mmmed.pipelines.job import Job
from mmmed.pipelines.jobs import run_job
from mmmed.pipelines.resolve import resolve
from mmmed.pipelines.results import gather
from mmmed.pipelines.study import Study, load_study
from mmmed.pipelines.trained import trained
from mmmed.pipelines.trials import Trial, trials
from mmmed.progress import Silent
from mmmed.record import table

METHODS = "methods=[{kind: late-sum}, {kind: late-sum, name: other}, {kind: early-fusion}]"
SMALL = (
    "cohort.simulation={subjects: {train: 60, validation: 20, calibration: 20, test: 20}}",
    "training={steps: 12, batch: 16, checkpoint_every: 4, check_every: 6}",
)
RATES = "training.learning_rate: {low: 0.0003, high: 0.03, scale: log}"
STEPS = 12


def study(space: str, *, trials: int = 3, methods: str = METHODS, by: str = "loss") -> Study:
    tune = f"tune={{trials: {trials}, by: {by}, space: {{{space}}}}}"
    return load_study("toy/xor", settings=[methods, *SMALL, tune], start=None)


def jobs(of: Study) -> tuple[Job, ...]:
    agenda = make_agenda(resolve(of, start=None), device="cpu", parallel=1, listener=Silent())
    return agenda.jobs


def drawn(of: Study) -> dict[str, list[Mapping[str, object]]]:
    return {name: [one.drawn for one in mine] for name, mine in trials(of).items()}


def read(path: Path) -> list[dict[str, str]]:
    return table.read(path, table.TUNING)


def digest(folder: Path, name: str) -> str:
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ("training.steps: [3]", "training.steps: is the same for every method; allowed: learning"),
        ("training.learning_rat: [1]", "is no such field; did you mean 'learning_rate'?"),
        ("late-sun.dropout: [0.1]", "no method is called 'late-sun'; did you mean 'late-sum'?"),
        ("late-sum.dropuot: [0.1]", "late-sum has no option 'dropuot'; did you mean 'dropout'?"),
        ("late-sum.name: [x]", "late-sum has no option 'name'"),
        ("late-sum.dropout: [0.1, 1.5]", "late-sum.dropout: 1.5: dropout: should be less than 1"),
        ("late-sum.dropout: [x]", "late-sum.dropout: 'x': dropout: should be a number, not 'x'"),
        ("late-sum.dropout: {low: 0.5, high: 2.0}", "dropout: 2.0: dropout: should be less than"),
        ("late-sum.dropout: {low: 2, high: 1}", "low is 2, which is not below high, 1"),
        ("late-sum.dropout: {low: 0, high: 1, scale: log}", "on a log scale it must be above 0"),
        ("late-sum.dropout: {scale: log, low: 0.1}", "late-sum.dropout.high: is missing"),
        ("late-sum: {dropout: [0.1]}", "write `<key>.dropout: [...]` in one key"),
        ("late-sum.dropout: [0.1, 0.1]", "a choice of [0.1, 0.1] stands twice"),
        ("late-sum.dropout: []", "late-sum.dropout: should list at least 1"),
        (f"{RATES}, early-fusion.warm_up: [1]", "warm_up: 1: warm_up: should be true or false"),
    ],
)
def test_a_wrong_space_is_one_line_before_anything_is_read(space: str, words: str) -> None:
    with pytest.raises(StudyError) as caught:
        resolve(
            study(space, methods="methods=[{kind: late-sum}, {kind: early-fusion}]"), start=None
        )
    (line,) = str(caught.value).splitlines()
    assert words in line


def test_one_trial_is_no_tuning() -> None:
    with pytest.raises(StudyError, match=r"tune\.trials: should be greater than or equal to 2"):
        study(RATES, trials=1)


def test_a_method_with_fewer_settings_than_trials_is_refused_so_that_budgets_are_equal() -> None:
    with pytest.raises(StudyError) as caught:
        resolve(study("late-sum.dropout: [0.1, 0.2]"), start=None)
    (line,) = str(caught.value).splitlines()
    assert "early-fusion has 1 settings there" in line
    assert "3 trials; widen the space of early-fusion or of training" in line


def test_every_method_has_as_many_trials_the_first_as_it_stands_and_no_two_alike() -> None:
    of = study(f"{RATES}, late-sum.dropout: [0.0, 0.5]", trials=8)
    for method in of.methods:
        mine = trials(of)[method.name]
        assert len({json.dumps(one.values(), sort_keys=True) for one in mine}) == 8
        assert (mine[0].method, mine[0].training, mine[0].drawn) == (method, of.training, {})
        for one in mine[1:]:
            rate = one.drawn["training.learning_rate"]
            assert one.training.learning_rate == rate == float(f"{rate:.3g}")
            assert 0.0003 <= rate <= 0.03
            assert one.training.steps == STEPS


def test_lists_are_drawn_until_they_are_used_up() -> None:
    of = study("training.weight_decay: [0.0, 0.1, 0.2], training.warmup: [0.1, 0.2]", trials=7)
    for mine in drawn(of).values():
        assert {(one["training.weight_decay"], one["training.warmup"]) for one in mine[1:]} == {
            (decay, warmup) for decay in (0.0, 0.1, 0.2) for warmup in (0.1, 0.2)
        }


def test_whole_bounds_give_whole_numbers_up_to_both_ends() -> None:
    knn = "methods=[{kind: imputation, name: knn, imputer: {kind: knn}}]"
    of = study("knn.imputer.neighbours: {low: 1, high: 3}", trials=4, methods=knn)
    asked = [one.method.imputer.neighbours for one in trials(of)["knn"]]
    assert (asked[0], set(asked[1:])) == (5, {1, 2, 3})


def test_draws_of_a_method_depend_on_its_name_and_the_seed_alone() -> None:
    whole, part = study(RATES), study(RATES, methods="methods=[{kind: late-sum, name: other}]")
    assert drawn(whole)["other"] == drawn(part)["other"] != drawn(whole)["late-sum"]
    again = part.model_copy(update={"tune": part.tune.model_copy(update={"seed": 1})})
    assert drawn(again)["other"] != drawn(part)["other"]


def test_a_key_by_kind_is_for_all_of_the_kind_and_one_by_name_counts_before_it() -> None:
    of = study(f"{RATES}, late-sum.dropout: [0.1], other.dropout: [0.9]")

    def dropouts(name: str) -> set[float]:
        return {one.method.dropout for one in trials(of)[name][1:]}

    assert (dropouts("late-sum"), dropouts("other")) == ({0.1}, {0.9})


SPACE = f"{RATES}, late-sum.dropout: [0.0, 0.6]"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Job, ...]]:
    """The jobs of a tuned study, and the run folder in which they are done."""
    run = tmp_path_factory.mktemp("tuned")
    methods = "methods=[{kind: late-sum}, {kind: late-fusion}]"
    mine = jobs(study(SPACE, methods=methods))
    for job in mine:
        assert run_job(job, run) is None
    return run, mine


def as_if(trial: Trial, job: Job) -> Job:
    """The job of a study that states the settings of a trial and does not tune."""
    methods = json.dumps([trial.method.model_dump(mode="json")])
    settings = [f"methods={methods}", *SMALL, f"training={trial.training.model_dump_json()}"]
    (found,) = jobs(load_study("toy/xor", settings=settings, start=None))
    assert found.plan.fold.name == job.plan.fold.name
    return found


def test_the_chosen_trial_has_the_least_validation_loss_and_is_as_if_stated(
    tuned: tuple[Path, tuple[Job, ...]], tmp_path: Path
) -> None:
    run, (job, _) = tuned
    rows = read(job.folder(run) / "tuning.tsv")
    losses = []
    for number, trial in enumerate(job.trials):
        plain = as_if(trial, job)
        assert run_job(plain, tmp_path) is None
        last = json.loads((plain.folder(tmp_path) / "history.json").read_text())[-1]["looks"][-1]
        assert float(rows[number]["loss"]) == pytest.approx(last["loss"], abs=1e-6)
        losses.append(last["loss"])
    best = losses.index(min(losses))
    assert [row["chosen"] for row in rows] == ["yes" if n == best else "no" for n in range(3)]
    chosen = as_if(job.trials[best], job).folder(tmp_path)
    for name in ("model/weights.safetensors", "predictions.tsv", "history.json"):
        assert digest(job.folder(run), name) == digest(chosen, name)


def test_every_trial_has_the_same_budget(tuned: tuple[Path, tuple[Job, ...]]) -> None:
    run, mine = tuned
    gather(run, mine)
    rows = read(run / "tuning.tsv")
    assert [(row["method"], row["trial"]) for row in rows] == [
        (method, number) for method in ("late-fusion", "late-sum") for number in "012"
    ]
    steps = {(row["method"], row["steps"]) for row in rows}
    assert len(steps) == 2
    assert ("late-sum", str(STEPS)) in steps
    assert rows[0]["settings"] == rows[3]["settings"] == "as they stand"
    assert all(float(row["seconds"]) > 0 for row in rows)


def test_the_package_and_its_card_tell_the_choice(tuned: tuple[Path, tuple[Job, ...]]) -> None:
    run, (job, _) = tuned
    row = next(row for row in read(job.folder(run) / "tuning.tsv") if row["chosen"] == "yes")
    package = job.folder(run) / "model"
    manifest = json.loads((package / "model.json").read_text())
    trial = job.trials[int(row["trial"])]
    assert manifest["method"] == trial.method.model_dump(mode="json")
    assert manifest["tuning"]["settings"] == dict(trial.drawn)
    assert (manifest["tuning"]["trials"], manifest["tuning"]["by"]) == (3, "loss")
    card = (package / "MODEL_CARD.md").read_text()
    assert f"- settings: trial {row['trial']}, the best loss of the validation part among 3" in card


class Stopped(KeyboardInterrupt):
    """What a test interrupts training with."""


def stopping(after: int):
    """A report that interrupts training after so many steps of all trials."""

    def report(phase: str, done: int, total: int, losses: object) -> None:
        assert (phase, total) == ("trials", 3 * STEPS)
        if done == after:
            raise Stopped

    return report


def test_a_job_interrupted_inside_a_trial_goes_on_there_and_ends_with_the_same_bits(
    tuned: tuple[Path, tuple[Job, ...]], tmp_path: Path
) -> None:
    run, (job, _) = tuned
    folder = job.folder(tmp_path)
    folder.mkdir(parents=True)
    with pytest.raises(KeyboardInterrupt):
        trained(job, folder, report=stopping(STEPS + 6))
    first = folder / "trials" / "0" / "result.json"
    assert [path.parent.name for path in folder.glob("trials/*/result.json")] == ["0"]
    assert (folder / "trials" / "1" / "checkpoint.pt").exists()
    before = first.stat().st_mtime_ns
    with pytest.raises(KeyboardInterrupt):
        trained(job, folder, report=stopping(2 * STEPS + 6))
    assert first.stat().st_mtime_ns == before
    assert run_job(job, tmp_path) is None
    for name in ("model/weights.safetensors", "model/model.json", "predictions.tsv"):
        assert digest(folder, name) == digest(job.folder(run), name)
    mine, whole = (
        [{**row, "seconds": ""} for row in read(one / "tuning.tsv")]
        for one in (folder, job.folder(run))
    )
    assert mine == whole
    assert not (folder / "trials").exists()


def test_only_the_best_of_the_ended_trials_keeps_its_weights(
    tuned: tuple[Path, tuple[Job, ...]], tmp_path: Path
) -> None:
    job = tuned[1][0]
    trained(job, tmp_path, report=None)
    chosen = [row["trial"] for row in read(tmp_path / "tuning.tsv") if row["chosen"] == "yes"]
    assert [path.parent.name for path in tmp_path.glob("trials/*/checkpoint.pt")] == chosen


def test_neither_calibration_nor_test_cases_take_part_in_the_choice(
    tuned: tuple[Path, tuple[Job, ...]], tmp_path: Path
) -> None:
    run, (job, _) = tuned
    taught = set(job.plan.fold.cases("train", "validation"))
    shelf = job.work.shelf
    alone = replace(shelf, items={case: one for case, one in shelf.items.items() if case in taught})
    blind = replace(job, work=replace(job.work, shelf=alone))
    trained(blind, tmp_path, report=None)
    mine, whole = (read(one / "tuning.tsv") for one in (tmp_path, job.folder(run)))
    assert [row["loss"] for row in mine] == [row["loss"] for row in whole]


def test_a_trial_that_diverges_is_out_of_the_choice_and_a_job_of_such_trials_fails(
    tmp_path: Path,
) -> None:
    space = "training.learning_rate: [1000000000000000000000000000000.0], late-sum.dropout: [0.1]"
    (job,) = jobs(study(space, trials=2, methods="methods=[{kind: late-sum}]"))
    assert run_job(job, tmp_path) is None
    with (job.folder(tmp_path) / "tuning.tsv").open() as file:
        file.readline()
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["chosen"] for row in rows] == ["yes", "no"]
    assert "training has diverged; lower training.learning_rate" in rows[1]["failed"]
    bad = replace(job, trials=(job.trials[1], job.trials[1]))
    reason = run_job(bad, tmp_path)
    assert reason is not None
    assert reason.startswith("every trial failed; the first: phase")


def test_the_settings_that_are_tried_are_part_of_a_jobs_digest(tmp_path: Path) -> None:
    methods = "methods=[{kind: late-sum}]"
    one, other = (jobs(study(RATES, trials=n, methods=methods))[0] for n in (2, 3))
    third = jobs(study(RATES, trials=2, methods=methods, by="auroc"))[0]
    assert len({job.folder(tmp_path) for job in (one, other, third)}) == 3
