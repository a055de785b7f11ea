"""The grammar of protocols: what is refused before anything is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmmed.config import Spec, parse, validate
from mmmed.errors import StudyError
from mmmed.mechanism import (
    Complete,
    Listed,
    Mcar,
    TestProtocol,
    TrainProtocol,
    at_rate,
    rates,
    trainings,
)


class Protocols(Spec):
    train: tuple[TrainProtocol, ...] = ()
    test: tuple[TestProtocol, ...] = ()


def read(text: str) -> Protocols:
    return validate(parse(text, path=Path("f.yaml")), Protocols)


def test_a_test_protocol_has_one_table_per_rate() -> None:
    (protocol,) = read("test: [{kind: mcar, modality: pet, rate: [0, 0.5, 1]}]").test
    assert rates(protocol) == (0, 0.5, 1)
    assert rates(Mcar(modality="pet", rate=0.3)) == (0.3,)
    assert rates(Complete()) == ()


def test_a_protocol_at_a_rate_is_the_same_in_all_else() -> None:
    protocol = Mcar(modality="pet", rate=(0, 1), seed=4)
    assert at_rate(protocol, 0.5) == Mcar(modality="pet", rate=0.5, seed=4)
    with pytest.raises(ValueError, match="less than or equal to 1"):
        at_rate(protocol, 2.0)


def test_a_train_protocol_makes_models_per_rate_and_none_hidden_is_complete() -> None:
    found = trainings(read("train: [{kind: mcar, modality: pet, rate: [0, 0.5]}]").train)
    assert [one.name for one in found] == ["complete", "mcar 0.5"]
    assert [one.protocols for one in found] == [
        (Mcar(modality="pet", rate=0),),
        (Mcar(modality="pet", rate=0.5),),
    ]


def test_protocols_together_are_one_training() -> None:
    text = """train: [{kind: together, name: few-pairs, protocols: [
    {kind: mcar, modality: pet, rate: 0.5}, {kind: mcar, modality: mri, rate: 0.9}]}]"""
    (one,) = trainings(read(text).train)
    assert one.name == "few-pairs"
    assert one.protocols == (Mcar(modality="pet", rate=0.5), Mcar(modality="mri", rate=0.9))


def test_a_name_tells_protocols_of_one_kind_apart() -> None:
    text = "train: [{kind: mar, name: by-age, modality: pet, rate: 0.5, slopes: {age: 1}}]"
    assert [one.name for one in trainings(read(text).train)] == ["by-age 0.5"]


def test_a_list_is_read_with_its_file() -> None:
    assert read("train: [{kind: list, file: a.tsv}]").train == (Listed(file=Path("a.tsv")),)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("train: [{kind: mcar, modality: pet, rate: 1.5}]", "train.0.rate: should be less than"),
        ("train: [{kind: mcar, modality: pet, rate: -0.1}]", "train.0.rate: should be greater"),
        ("train: [{kind: mcar, modality: pet}]", "train.0.rate: is missing"),
        (
            "train: [{kind: together, protocols: [{kind: mcar, modality: a, rate: [0, 1]}, x]}]",
            "train.0.protocols.0: a protocol that is applied together with others has one rate",
        ),
        (
            "train: [{kind: together, protocols: [{kind: complete}]}]",
            "train.0.protocols: should",
        ),
        ("train: [{kind: complete, name: Half}]", "train.0.name: "),
        ("train: [{kind: mcar, modality: [], rate: 0}]", "train.0.modality: should list at least"),
        ("train: [{kind: mcar, modality: [a, a], rate: 0}]", "train.0.modality: an element of"),
        ("train: [{kind: every-pattern}]", "train.0.kind: unknown kind 'every-pattern'"),
        ("train: [{kind: mar, modality: a, rate: 0}]", "train.0.slopes: is missing"),
        ("train: [{kind: mnar, modality: a, rate: 0, slope: 1}]", "train.0.column: is missing"),
        ("test: [{kind: mcar, modality: pet, rate: []}]", "test.0.rate: should list at least 1"),
        ("test: [{kind: mcar, modality: pet, rate: [0.5, 0.5]}]", "test.0.rate: an element of"),
        ("test: [{kind: by-label, modality: a, rate: 0, slope: 1}]", "test.0.kind: unknown kind"),
    ],
)
def test_a_protocol_that_cannot_be_drawn_is_refused_on_its_line(text: str, fault: str) -> None:
    with pytest.raises(StudyError) as caught:
        read("\n" + text)
    assert str(caught.value).startswith(f"f.yaml:2: {fault}")
