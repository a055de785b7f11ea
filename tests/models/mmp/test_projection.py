"""The projection block on tokens: shapes, what it reads, what it leaves alone."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from mmmed.modality import every_pattern
from mmmed.models.mmp.projection import Projection, TokenShape, resample

SEQUENCES = {
    "a": TokenShape(5, 6),
    "b": TokenShape(3, 4),
    "c": TokenShape(1, 7),
    "d": TokenShape(9, 4),
}
SAME = 1e-5


def block(count):
    shapes = dict(list(SEQUENCES.items())[:count])
    torch.manual_seed(0)
    return Projection(shapes, width=8, aggregated=3, heads=2, hidden=10, dropout=0.0).eval()


def tokens_of(projection, cases):
    return {
        name: torch.randn(cases, one.count, one.width) for name, one in projection.shapes.items()
    }


def every_set(names):
    """(2^M - 1, M) boolean, a case per non-empty set of modalities."""
    return torch.tensor([[name in one for name in names] for one in every_pattern(names)])


@pytest.mark.parametrize("count", [2, 3, 4])
def test_m1_projected_tokens_have_the_target_s_count_and_width_for_every_set(count):
    projection = block(count)
    names = list(projection.shapes)
    shown = every_set(names)
    projected = projection(tokens_of(projection, len(shown)), shown)
    for column, name in enumerate(names):
        lacking = int((~shown[:, column]).sum())
        assert projected[name].shape == (lacking, *SEQUENCES[name].__dict__.values())
        assert torch.isfinite(projected[name]).all()


@pytest.mark.parametrize("poison", [torch.nan, 0.0, 1e6])
def test_m2_tokens_that_are_not_shown_change_no_bit(poison):
    projection = block(4)
    shown = every_set(list(SEQUENCES))
    tokens = tokens_of(projection, len(shown))
    before = projection(tokens, shown)
    for column, one in enumerate(tokens.values()):
        one[~shown[:, column]] = poison
    after = projection(tokens, shown)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_m2_with_two_of_three_lacking_the_third_is_the_only_source():
    projection = block(3)
    tokens = {name: one.requires_grad_() for name, one in tokens_of(projection, 1).items()}
    projected = projection(tokens, torch.tensor([[False, True, False]]))
    sum(one.square().sum() for one in projected.values()).backward()
    assert tokens["a"].grad is None or not tokens["a"].grad.any()
    assert tokens["c"].grad is None or not tokens["c"].grad.any()
    assert tokens["b"].grad.any()


def test_nothing_is_projected_where_nothing_is_lacking():
    projection = block(3)
    assert projection(tokens_of(projection, 2), torch.ones(2, 3, dtype=torch.bool)) == {}


def test_m5_every_source_that_is_shown_matters():
    projection = block(3)
    shown = torch.tensor([[True, True, False]])
    tokens = tokens_of(projection, 1)
    before = projection(tokens, shown)["c"]
    for name in ("a", "b"):
        changed = {**tokens, name: tokens[name] + torch.randn_like(tokens[name])}
        assert (projection(changed, shown)["c"] - before).abs().max() > 1e-4, name


def test_m8_a_mixed_batch_equals_its_cases_one_by_one():
    projection = block(4)
    names = list(SEQUENCES)
    shown = every_set(names)
    tokens = tokens_of(projection, len(shown))
    together = projection(tokens, shown)
    for column, name in enumerate(names):
        for row, case in enumerate((~shown[:, column]).nonzero().flatten()):
            own = {
                one: tokens[one][case : case + 1] for one in names if shown[case][names.index(one)]
            }
            alone = projection(own, shown[case : case + 1])[name]
            torch.testing.assert_close(alone[0], together[name][row], atol=SAME, rtol=0)


def test_m9_modalities_in_another_order_with_their_parameters_give_the_same():
    first = block(2)
    turned = Projection(
        {"b": SEQUENCES["b"], "a": SEQUENCES["a"]},
        width=8, aggregated=3, heads=2, hidden=10, dropout=0.0,
    ).eval()  # fmt: skip
    state = dict(first.state_dict())
    turned.load_state_dict({**state, "aggregated": state["aggregated"].flip(0)})
    tokens = tokens_of(first, 3)
    shown = every_set(["a", "b"])
    for name, one in first(tokens, shown).items():
        torch.testing.assert_close(turned(tokens, shown.flip(1))[name], one)


def test_m9_sources_stand_in_the_order_of_the_modalities_however_they_are_given():
    projection = block(3)
    tokens = tokens_of(projection, 2)
    shown = torch.tensor([[True, True, False]] * 2)
    turned = {name: tokens[name] for name in reversed(list(tokens))}
    assert torch.equal(projection(tokens, shown)["c"], projection(turned, shown)["c"])


def test_a_target_is_the_three_attentions_and_its_mlp():
    projection = block(2)
    tokens = tokens_of(projection, 1)
    learned = projection.aggregated
    entered = projection.enter["a"](tokens["a"]) + projection.position["a"]
    gathered = projection.gather["a"](learned[:1], entered)
    met = projection.ask(learned[1:], gathered)
    answered = projection.answer(entered, met)  # (1, 5, d)
    left = projection.leave["b"](answered)
    expected = resample(left, torch.ones(1, 5, dtype=torch.bool), count=3)
    projected = projection(tokens, torch.tensor([[True, False]]))["b"]
    torch.testing.assert_close(projected, expected)


@pytest.mark.parametrize("count", [1, 2, 4, 7, 13])
def test_resampling_is_linear_interpolation_of_the_present_tokens(count):
    tokens = torch.randn(3, 7, 2)
    present = torch.tensor([[True] * 7, [True, False, True, False, False, True, True], [False] * 7])
    present[2, 4] = True
    found = resample(tokens, present, count=count)
    for row, mask in enumerate(present):
        left = tokens[row, mask].T[None]
        expected = functional.interpolate(
            left[:, :, None], size=(1, count), mode="bilinear", antialias=True
        )[0, :, 0].T
        torch.testing.assert_close(found[row], expected)


def test_as_many_tokens_as_asked_for_come_back_as_they_are():
    tokens = torch.randn(2, 6, 3)
    assert torch.equal(resample(tokens, torch.ones(2, 6, dtype=torch.bool), count=6), tokens)


def test_more_tokens_lie_on_the_lines_between_those_there_are():
    tokens = torch.tensor([[[0.0], [8.0]]])
    found = resample(tokens, torch.ones(1, 2, dtype=torch.bool), count=4)
    assert found.flatten().tolist() == [0.0, 2.0, 6.0, 8.0]


def test_fewer_tokens_pass_none_over():
    tokens = torch.randn(1, 24, 1, requires_grad=True)
    resample(tokens, torch.ones(1, 24, dtype=torch.bool), count=2).sum().backward()
    assert (tokens.grad > 0).all()
