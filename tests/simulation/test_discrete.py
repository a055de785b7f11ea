"""Cohorts whose law is a table, and the ceilings of what a study makes of them; values by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmmed.config import parse, validate
from mmmed.errors import StudyError
from mmmed.evaluation.known import read_oracle
from mmmed.modality import Pattern
from mmmed.simulation.discrete import CERTAIN, TableSimulation, Xor, draw, log_odds, write
from mmmed.simulation.spec import Subjects

A, BOTH = Pattern.parse("a"), Pattern.parse("a+b")


def spec(**chosen):
    return TableSimulation(
        subjects=Subjects(train=6, validation=2, calibration=3, test=9), **chosen
    )


def test_the_table_of_xor_by_hand():
    expected = np.zeros((2, 2, 2))
    expected[0, 0], expected[1, 1] = (0.2, 0.05), (0.2, 0.05)
    expected[0, 1], expected[1, 0] = (0.05, 0.2), (0.05, 0.2)
    np.testing.assert_allclose(Xor(flip=0.2).table(2), expected)


def test_the_parity_of_three_bits_is_uniform_in_any_two():
    table = Xor().table(3)
    assert table[1, 1, 1].tolist() == [0, 1 / 8]
    assert (table.sum(axis=0) == 1 / 8).all()


def test_every_label_is_the_parity_of_its_bits_and_every_part_is_full():
    cases = draw(spec(modalities=("a", "b", "c"), seed=3))
    assert (cases["label"] == (cases["a"] + cases["b"] + cases["c"]) % 2).all()
    assert cases["part"].value_counts().to_dict() == {
        "train": 6,
        "validation": 2,
        "calibration": 3,
        "test": 9,
    }
    assert cases["case_id"].is_monotonic_increasing


def test_a_share_of_the_labels_is_flipped():
    many = TableSimulation(law=Xor(flip=0.2), subjects=Subjects(train=20_000))
    cases = draw(many)
    wrong = (cases["label"] != cases["a"] ^ cases["b"]).mean()
    assert wrong == pytest.approx(0.2, abs=0.01)  # more than three standard errors


def test_log_odds_are_those_of_the_law():
    assert log_odds(spec(law=Xor(flip=0.2)), A).tolist() == [0, 0]
    np.testing.assert_allclose(
        log_odds(spec(law=Xor(flip=0.2)), BOTH), np.log(4) * np.array([[-1, 1], [1, -1]])
    )
    assert log_odds(spec(), BOTH).tolist() == [[-CERTAIN, CERTAIN], [CERTAIN, -CERTAIN]]


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(tmp_path):
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        write(spec(seed=seed), tmp_path / name)
    for file in ("cases.tsv", "truth.json"):
        one, two, three = (
            (tmp_path / name / file).read_bytes() for name in ("one", "two", "three")
        )
        assert one == two != three


def test_a_written_cohort_is_left_alone_and_an_unfinished_one_is_finished(tmp_path):
    write(spec(), tmp_path / "whole")
    table = tmp_path / "whole" / "cases.tsv"
    kept = table.read_bytes()
    table.write_text("mine")
    write(spec(), tmp_path / "whole")
    assert table.read_text() == "mine"
    (tmp_path / "whole" / "truth.json").unlink()
    write(spec(), tmp_path / "whole")
    assert table.read_bytes() == kept


def test_the_truth_says_what_the_best_reader_would(tmp_path):
    write(spec(), tmp_path / "out")
    truth = json.loads((tmp_path / "out" / "truth.json").read_text())
    oracle = read_oracle(truth).pivot_table(index="case_id", columns="pattern", values="log_odds")
    assert (oracle[["a", "b"]] == 0).all(axis=None)
    for case, known in truth["cases"].items():
        assert (oracle.loc[case, "a+b"] > 0) == known["label"]


def test_names_stand_once_and_in_order():
    assert spec(modalities=("x100", "x40")).modalities == ("x40", "x100")
    document = parse("modalities: [a, a]\n", path="toy.yaml")
    with pytest.raises(StudyError, match="a modality stands twice"):
        validate(document, TableSimulation)
