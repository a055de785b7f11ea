"""What training on complete cases promises beyond the contract."""

from __future__ import annotations

import pytest
import torch

from mmmed.errors import StudyError
from mmmed.modality import Pattern
from mmmed.models.building import build, options

WHOLE = Pattern.parse("v0+v1")


def built(modalities, kind="complete-case", **chosen):
    torch.manual_seed(0)
    return build(options(kind)(**chosen), modalities, classes=2, standards={}).eval()


def state(model):
    return {name: one.clone() for name, one in model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def learned(model, batch, train):
    for phase in model.phases(4):
        torch.manual_seed(1)
        train(model, phase, batch, steps=phase.steps, rate=1e-2)
    return state(model)


def test_incomplete_cases_teach_nothing(make_modalities, make_batch, train):
    modalities = make_modalities("volume", 2)
    batch = make_batch(modalities)
    complete, _ = batch.only(WHOLE)
    assert len(complete) < len(batch)
    with_all = learned(built(modalities), batch, train)
    assert same(with_all, learned(built(modalities), complete, train))
    assert not same(with_all, state(built(modalities)))


def test_on_complete_cases_it_is_late_fusion_without_dropout(make_modalities, make_batch, train):
    modalities = make_modalities("volume", 2)
    complete, _ = make_batch(modalities).only(WHOLE)
    plain = built(modalities, "late-fusion", modality_dropout=0.0)
    mine = learned(built(modalities), complete, train)
    assert same(mine, learned(plain, complete, train))


def test_a_batch_without_a_complete_case_has_no_loss(make_modalities, make_batch):
    modalities = make_modalities("volume", 2)
    batch, _ = make_batch(modalities).only(Pattern.parse("v0"))
    assert [turn.loss(batch) for phase in built(modalities).phases(4) for turn in phase.turns] == [
        {},
        {},
        {},
    ]


def test_a_cohort_without_a_complete_case_is_one_clear_line(make_modalities):
    model = built(make_modalities("volume", 2))
    model.require_teachable([Pattern.parse("v0"), WHOLE])
    with pytest.raises(StudyError, match=r"^complete-case: no training case owns all of v0\+v1; "):
        model.require_teachable([Pattern.parse("v0"), Pattern.parse("v1")])
