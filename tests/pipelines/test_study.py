"""The grammar of a study."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mmmed import library
from mmmed.errors import StudyError
from mmmed.pipelines.resolve import resolve
from mmmed.pipelines.study import load_study

SMALLEST = """
mmmed: 1
study: own
cohort: simulated-ad
transforms: {mri: brain-mri, pet: brain-pet}
protocols: {test: [{kind: complete}]}
methods: [{kind: late-sum}]
splits: {kind: holdout}
"""

SIMULATED = ("simulated-ad", "simulated-breakhis", "simulated-slides", "toy-xor")
"""Cohorts that need no folder."""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "own.yaml"
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("name", library.names("pipelines", start=None))
def test_every_shipped_study_loads(name: str) -> None:
    assert load_study(name, start=None).study == name


@pytest.mark.parametrize("name", library.names("pipelines", start=None))
def test_every_shipped_study_resolves(name: str, tmp_path: Path) -> None:
    study = load_study(name, start=None)
    if study.cohort.name not in SIMULATED:
        study = load_study(name, settings=[f"cohort.root={tmp_path}"], start=None)
    assert set(resolve(study, start=None).chains) == set(study.transforms)


def test_a_cohort_may_stand_as_its_name(written) -> None:
    assert load_study(written(SMALLEST), start=None).cohort.name == "simulated-ad"


def test_a_setting_goes_below_a_cohort_that_stands_as_its_name(written) -> None:
    study = load_study(written(SMALLEST), settings=["cohort.seed=3"], start=None)
    assert (study.cohort.name, study.cohort.seed) == ("simulated-ad", 3)


def test_all_faults_are_named_at_once_with_their_lines(written) -> None:
    text = SMALLEST.replace("kind: late-sum", "kind: late-sun").replace("splits:", "split:")
    path = written(text + "training: {step: 3}\n")
    with pytest.raises(StudyError) as caught:
        load_study(path, start=None)
    lines = str(caught.value).splitlines()
    assert f"{path}:7: methods.0.kind: unknown kind 'late-sun'; did you mean 'late-sum'?" in lines
    assert f"{path}:8: split: unknown key; did you mean 'splits'?" in lines
    assert any(line.startswith(f"{path}:9: training.step: unknown key") for line in lines)


def test_a_method_option_with_a_typo_is_named(written) -> None:
    text = SMALLEST.replace("{kind: late-sum}", "{kind: late-sum, dropuot: 0.1}")
    with pytest.raises(StudyError, match=r"methods\.0\.dropuot: unknown key; did you mean"):
        load_study(written(text), start=None)


def test_the_schema_number_is_asked_for(written) -> None:
    with pytest.raises(StudyError, match="state `mmmed: 1`"):
        load_study(written(SMALLEST.replace("mmmed: 1", "")), start=None)


def test_a_seed_stands_once(written) -> None:
    with pytest.raises(StudyError, match="a seed stands twice"):
        load_study(written(SMALLEST), settings=["seeds=[0, 0]"], start=None)


def test_variants_of_a_method_are_told_apart_by_name(written) -> None:
    settings = ["methods=[{kind: hypermm}, {kind: hypermm, generate: last}]"]
    with pytest.raises(StudyError, match="hypermm stands twice"):
        load_study(written(SMALLEST), settings=settings, start=None)
    settings = ["methods=[{kind: hypermm}, {kind: hypermm, name: hypermm-last, generate: last}]"]
    study = load_study(written(SMALLEST), settings=settings, start=None)
    assert [one.name for one in study.methods] == ["hypermm", "hypermm-last"]
    settings = ["methods=[{kind: hypermm, name: 'Hyper MM'}]"]
    with pytest.raises(StudyError, match=r"methods\.0\.name: 'Hyper MM' does not match") as told:
        load_study(written(SMALLEST), settings=settings, start=None)
    assert len(str(told.value).splitlines()) == 1


def test_a_backbone_that_cannot_be_generated_is_refused_where_the_study_names_it(written) -> None:
    text = SMALLEST.replace("{kind: late-sum}", "{kind: hypermm, backbone: {kind: resnet}}")
    path = written(text)
    with pytest.raises(StudyError, match=r"conv, not resnet.*write generate: last") as told:
        load_study(path, start=None)
    assert str(told.value).startswith(f"{path}:7: methods.0: generate: all")
    last = text.replace("kind: hypermm,", "kind: hypermm, generate: last,")
    assert load_study(written(last), start=None).methods[0].generate == "last"


def test_a_method_without_the_weights_it_needs_is_refused_before_anything_is_read(written) -> None:
    name = written(SMALLEST)
    study = load_study(name, settings=["methods=[{kind: hypermm-paper}]"], start=None)
    with pytest.raises(
        StudyError, match=r"methods\.0: .*vgg11-8a719046.*, or weights: random"
    ) as told:
        resolve(study, start=None)
    assert len(str(told.value).splitlines()) == 1
    settings = ["methods=[{kind: hypermm-paper, weights: random}]"]
    study = load_study(name, settings=settings, start=None)
    assert resolve(study, start=None).study.methods[0].name == "hypermm-paper-untrained-extractor"
    settings = ["methods=[{kind: hypermm-paper, weights: /there/vgg11.pth}]"]
    study = load_study(name, settings=settings, start=None)
    assert resolve(study, start=None).study.methods[0].name == "hypermm-paper"


def test_a_chain_through_a_modality_that_the_study_lacks_is_refused(written, tmp_path) -> None:
    chain = tmp_path / "through.yaml"
    chain.write_text(
        "mmmed: 1\nitem: volume\n"
        "prepare: [{kind: register, template: pet, through: mri}, {kind: to-template}]\n"
    )
    text = SMALLEST.replace("pet: brain-pet", f"pet: {chain}")
    assert resolve(load_study(written(text), start=None), start=None).chains["pet"].through
    with pytest.raises(StudyError, match=r"transforms\.pet: .* through mri, which is no other"):
        resolve(load_study(written(text.replace("mri: brain-mri, ", "")), start=None), start=None)


def test_a_transform_for_a_modality_the_cohort_lacks_is_refused(written) -> None:
    text = SMALLEST.replace("pet: brain-pet", "amyloid: brain-pet")
    with pytest.raises(StudyError, match=r"transforms\.amyloid: the cohort .* no such modality"):
        resolve(load_study(written(text), start=None), start=None)


def test_a_protocol_for_a_modality_the_study_lacks_is_refused(written) -> None:
    text = SMALLEST.replace("{kind: complete}", "{kind: mcar, modality: pte, rate: 0.5}")
    with pytest.raises(StudyError, match="'pte' is none of the study's modalities"):
        resolve(load_study(written(text), start=None), start=None)


def test_a_real_cohort_asks_for_its_root(written) -> None:
    text = SMALLEST.replace("simulated-ad", "bids-ad")
    with pytest.raises(StudyError, match=r"--set cohort\.root=DIR"):
        resolve(load_study(written(text), start=None), start=None)


def test_a_simulated_cohort_takes_no_root(written) -> None:
    study = load_study(written(SMALLEST), settings=["cohort.root=somewhere"], start=None)
    with pytest.raises(StudyError, match="is simulated; it takes no root"):
        resolve(study, start=None)


def test_a_setting_of_the_simulation_is_merged_into_its_file(written) -> None:
    settings = ["cohort.simulation={subjects: {train: 4, validation: 2, calibration: 2, test: 2}}"]
    resolved = resolve(load_study(written(SMALLEST), settings=settings, start=None), start=None)
    simulation = resolved.values()["cohort"]["simulation"]
    assert simulation["subjects"]["train"] == 4
    assert simulation["law"]["kind"] == "gaussian"


def test_a_part_of_a_law_is_overridden_and_another_kind_of_law_replaces_it(written) -> None:
    def law(text: str) -> dict:
        settings = [f"cohort.simulation={{law: {text}}}"]
        resolved = resolve(load_study(written(SMALLEST), settings=settings, start=None), start=None)
        return resolved.values()["cohort"]["simulation"]["law"]

    assert law("{auroc_pet: 0.8}")["kind"] == "gaussian"
    assert law("{auroc_pet: 0.8}")["auroc_pet"] == 0.8
    assert law("{kind: redundant}")["kind"] == "redundant"


def test_the_digest_follows_the_settings_and_not_the_place_of_the_file(
    written, tmp_path: Path
) -> None:
    first = resolve(load_study(written(SMALLEST), start=None), start=None)
    moved = tmp_path / "moved.yaml"
    moved.write_text("# a comment\n" + SMALLEST)
    same = resolve(load_study(str(moved), start=None), start=None)
    other = resolve(load_study(str(moved), settings=["seeds=[1]"], start=None), start=None)
    assert first.digest == same.digest != other.digest


def test_the_files_a_study_names_are_digested_and_one_that_is_not_there_is_left_out(
    written, tmp_path: Path
) -> None:
    weights, hidden = tmp_path / "weights.pt", tmp_path / "hidden.tsv"
    weights.write_bytes(b"weights")
    hidden.write_bytes(b"case_id\tmodality\n")
    text = SMALLEST.replace(
        "{test: [{kind: complete}]}",
        f"{{train: [{{kind: list, file: {hidden}}}], test: [{{kind: list, file: gone.tsv}}]}}",
    ).replace("{kind: late-sum}", f"{{kind: late-sum, backbone: {resnet(weights)}}}")
    assert resolve(load_study(written(text), start=None), start=None).files == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (hidden, weights)
    }


def resnet(weights: Path) -> str:
    return f"{{kind: resnet, depth: 10, weights: {weights}}}"


def test_a_reference_that_is_no_method_of_the_study_is_named(written) -> None:
    path = written(SMALLEST + "evaluation: {against: late-sun}\n")
    with pytest.raises(StudyError) as caught:
        load_study(path, start=None)
    assert str(caught.value) == (
        f"{path}:9: evaluation: against: 'late-sun' is no method of it; did you mean 'late-sum'?"
    )


def test_what_is_asked_of_the_numbers_is_stated_in_the_study(written) -> None:
    asked = "evaluation: {against: late-sum, margin: 0.05, interval: {draws: 300}}\n"
    plan = load_study(written(SMALLEST + asked), start=None).evaluation.plan()
    assert (plan.against, plan.margin, plan.alpha, plan.interval.draws) == (
        "late-sum",
        0.05,
        0.05,
        300,
    )
