"""MMP's invariants; those of the sampler and the block alone stand in their own tests."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from mmmed.batch import ModalitySet, pack
from mmmed.errors import StudyError
from mmmed.modality import Modality, every_pattern
from mmmed.models.building import weights_file, without_weights
from mmmed.models.loss import smooth_l1
from mmmed.models.mmp.model import Mmp
from mmmed.models.mmp.options import Options

SAME = 1e-5


def model_of(modalities, **chosen):
    torch.manual_seed(0)
    model = Mmp(Options(**chosen), modalities, classes=2, standards={}).eval()
    with torch.no_grad():  # away from the start, where projections weigh nothing
        for one in model.trust.values():
            one.add_(0.5)
        model.correction[-1].weight.normal_()
    return model


def complete(modalities, cases=6):
    """Cases that own everything."""
    names = [one.name for one in modalities]
    sets = [
        ModalitySet(
            case=str(row),
            subject=str(row),
            items={one.name: [torch.randn(one.shape)] for one in modalities},
            label=row % 2,
        )
        for row in range(cases)
    ]
    return pack(sets, modalities=names)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_m1_a_branch_that_lacks_its_items_reads_tokens_of_its_own_shape(
    count, make_modalities, make_batch
):
    modalities = make_modalities("volume", count)
    model = model_of(
        modalities, depth=1, heads=2, tokens={"kind": "patches", "size": 4, "width": 6}
    )
    batch = make_batch(modalities)
    tokens = model.tokens(batch)
    projected = model.projection(tokens, batch.presence)
    assert len(every_pattern(tokens)) * 2 == len(batch)
    for name, one in projected.items():
        assert one.shape[1:] == tokens[name].shape[1:]


@pytest.mark.parametrize("poison", [torch.nan, 0.0])
def test_m2_what_is_masked_reaches_neither_logits_nor_projection(poison, mixed_modalities):
    model = model_of(mixed_modalities)
    batch = complete(mixed_modalities, cases=3)
    shown = torch.tensor([[True, False, False, True], [False, True, True, True], [True] * 4])
    tokens = model.tokens(batch)
    poisoned = {name: one.clone() for name, one in tokens.items()}
    for column, one in enumerate(poisoned.values()):
        one[~shown[:, column]] = poison
    logits = [
        model.classify(one, shown, model.projection(one, shown)) for one in (tokens, poisoned)
    ]
    assert torch.equal(*logits)


def test_m2_masking_equals_leaving_the_items_out(mixed_modalities):
    model = model_of(mixed_modalities)
    batch = complete(mixed_modalities, cases=2)
    shown = torch.tensor([[True, False, False, False], [False, True, True, False]])
    tokens = model.tokens(batch)
    masked = model.classify(tokens, shown, model.projection(tokens, shown))
    torch.testing.assert_close(masked, model(batch.show(shown)), atol=SAME, rtol=0)


def test_m3_the_alignment_is_zero_and_the_block_gets_no_gradient_where_nothing_is_masked(
    mixed_modalities,
):
    model = model_of(mixed_modalities, masking=0.0)
    losses = model.masked_loss(complete(mixed_modalities))
    assert (float(losses["alignment"].sum), losses["alignment"].count) == (0.0, 0)
    (losses["class"].sum + losses["alignment"].sum).backward()
    assert all(one.grad is None for one in model.projection.parameters())
    assert all(one.grad is None for one in model.trust.parameters())


def test_m4_with_everything_shown_the_block_changes_no_bit(mixed_modalities):
    model = model_of(mixed_modalities)
    batch = complete(mixed_modalities)
    embeddings = [
        model.branches[name].encoder(batch.items[name].data).mean(dim=1) for name in batch.items
    ]
    base = sum(
        model.branches[name].classifier(one)
        for name, one in zip(batch.items, embeddings, strict=True)
    ) + model.correction(torch.cat(embeddings, dim=1))
    assert torch.equal(model(batch), base)


def test_m5_aggregated_tokens_get_a_gradient_only_where_something_is_lacking(make_modalities):
    modalities = make_modalities("vector", 2)
    model = model_of(modalities)
    batch = complete(modalities)
    model(batch).square().sum().backward()
    assert model.projection.aggregated.grad is None
    model(batch.only(every_pattern(["x0"])[0])[0]).square().sum().backward()
    assert model.projection.aggregated.grad.abs().sum(dim=(1, 2)).gt(0).all()


@pytest.mark.parametrize(("offset", "cost"), [(0.0, 0.0), (0.5, 0.125), (2.0, 1.5)])
def test_m6_the_alignment_of_a_constant_offset(offset, cost, make_modalities):
    modalities = make_modalities("vector", 2)
    model = model_of(modalities)
    tokens = model.tokens(complete(modalities, cases=3))
    owned = torch.tensor([[True, True], [True, True], [True, False]])
    shown = torch.tensor([[True, False], [True, True], [True, False]])
    projected = {"x1": tokens["x1"][[0, 2]] + offset}
    projected["x1"][1] += 100  # never owned: no true tokens, no part in the loss
    loss = model.align(tokens, projected, owned=owned, shown=shown)
    assert loss.count == 1
    assert float(loss.sum.detach()) == pytest.approx(cost, abs=1e-6)


def test_m6_smooth_l1_sums_over_rows_and_averages_over_entries():
    guess = torch.tensor([[0.5, -2.0], [1.0, 1.0]])
    loss = smooth_l1(guess, torch.tensor([[0.0, 0.0], [1.0, 4.0]]), weight=2.0)
    assert loss.count == 2
    assert float(loss.sum) == 2 * ((0.125 + 1.5) / 2 + (0 + 2.5) / 2)


@pytest.mark.parametrize("stop", [True, False])
def test_true_tokens_are_pulled_only_where_the_gradient_is_not_stopped(stop, make_modalities):
    modalities = make_modalities("vector", 2)
    model = model_of(modalities, stop_gradient=stop)
    tokens = {name: one.detach() for name, one in model.tokens(complete(modalities)).items()}
    tokens["x1"].requires_grad_()
    owned = torch.ones(6, 2, dtype=torch.bool)
    shown = owned & torch.tensor([True, False])
    projected = model.projection(tokens, shown)
    model.align(tokens, projected, owned=owned, shown=shown).sum.backward()
    assert (tokens["x1"].grad is None) is stop


def test_m7_training_masks_at_random_and_by_the_seed(make_modalities):
    modalities = make_modalities("vector", 3)
    model = model_of(modalities)
    batch = complete(modalities, cases=20)
    values = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        values.append(float(model.masked_loss(batch)["class"].sum.detach()))
    assert values[0] == values[1]
    assert values[0] != values[2]


@pytest.mark.parametrize("kind", ["vector", "image"])
def test_m8_a_mixed_batch_equals_its_cases_one_by_one(kind, make_modalities, make_sets):
    modalities = make_modalities(kind, 3)
    names = [one.name for one in modalities]
    model = model_of(modalities)
    sets = make_sets(modalities)
    together = model(pack(sets, modalities=names))
    for row, one in enumerate(sets):
        alone = model(pack([one], modalities=names))
        torch.testing.assert_close(alone[0], together[row], atol=SAME, rtol=1e-4)


def test_m9_modalities_in_another_order_with_their_parameters_give_the_same(make_modalities):
    modalities = make_modalities("vector", 2)
    straight, turned = model_of(modalities), model_of(modalities[::-1])
    state = dict(straight.state_dict())
    first = state["correction.1.weight"]
    half = first.shape[1] // 2
    state["correction.1.weight"] = torch.cat([first[:, half:], first[:, :half]], dim=1)
    state["projection.aggregated"] = state["projection.aggregated"].flip(0)
    turned.load_state_dict(state)
    sets = [
        ModalitySet(case=str(row), subject=str(row), items=items)
        for row, items in enumerate(
            [{"x0": [torch.randn(3)]}, {"x1": [torch.randn(4)]}, {"x0": [torch.ones(3)]}]
        )
    ]
    torch.testing.assert_close(
        turned(pack(sets, modalities=["x1", "x0"])),
        straight(pack(sets, modalities=["x0", "x1"])),
        atol=SAME,
        rtol=0,
    )


def test_m10_evaluation_masks_nothing_and_repeats_itself(make_modalities, make_batch):
    modalities = make_modalities("vector", 3)
    model = model_of(modalities)
    batch = make_batch(modalities)
    before = torch.get_rng_state()
    assert torch.equal(model(batch), model(batch))
    assert torch.equal(torch.get_rng_state(), before)


def test_m11_parameters_grow_with_modalities_and_not_with_patterns():
    def size(count):
        modalities = tuple(Modality(f"x{index}", "vector", (3,)) for index in range(count))
        return sum(one.numel() for one in model_of(modalities).parameters())

    sizes = [size(count) for count in (2, 3, 4, 5)]
    assert len({after - before for before, after in pairwise(sizes)}) == 1


def test_logits_start_as_the_sum_of_the_branches_a_case_has(mixed_modalities, make_batch):
    model = Mmp(Options(), mixed_modalities, classes=2, standards={}).eval()
    batch = make_batch(mixed_modalities)
    expected = model.phases(10)[0].predict(batch)
    torch.testing.assert_close(model(batch), expected, atol=SAME, rtol=0)
    one = batch.only(every_pattern(["x0"])[0])[0].select(torch.tensor([0]))
    alone = model.branches["x0"](one.items["x0"].data).mean(dim=0)
    torch.testing.assert_close(model(one)[0], alone, atol=SAME, rtol=0)


def test_full_trust_reads_projected_tokens_as_the_branch_s_own(make_modalities):
    modalities = make_modalities("vector", 2)
    model = model_of(modalities, trust="full")
    batch, _ = complete(modalities).only(every_pattern(["x0"])[0])
    tokens = model.tokens(batch)
    guessed = model.projection(tokens, batch.presence)["x1"].mean(dim=1)
    own = tokens["x0"].mean(dim=1)
    branches = model.branches["x0"].classifier(own) + model.branches["x1"].classifier(guessed)
    expected = branches + model.correction(torch.cat([own, guessed], dim=1))
    torch.testing.assert_close(model(batch), expected)


def test_logits_start_as_that_sum_where_blocks_read_the_tokens(make_modalities, make_batch):
    modalities = make_modalities("image", 3)
    tokens = {"kind": "patches", "size": 4, "width": 8}
    model = Mmp(Options(tokens=tokens, depth=2), modalities, classes=2, standards={}).eval()
    batch = make_batch(modalities)
    expected = model.phases(10)[0].predict(batch)
    torch.testing.assert_close(model(batch), expected, atol=SAME, rtol=0)


def test_patches_that_nothing_reads_are_refused():
    with pytest.raises(ValueError, match="patches are linear in the voxels"):
        Options(tokens={"kind": "patches"})


def test_heads_that_do_not_divide_the_tokens_are_refused(make_modalities):
    options = Options(depth=1, tokens={"kind": "patches", "width": 6})
    with pytest.raises(StudyError, match="4 heads do not divide tokens of width 6"):
        Mmp(options, make_modalities("image", 2), classes=2, standards={})


def test_several_items_of_a_modality_are_averaged_token_by_token(make_modalities):
    modalities = make_modalities("vector", 2)
    model = model_of(modalities)
    items = [torch.randn(3) for _ in range(3)]
    batch = pack([ModalitySet(case="a", subject="a", items={"x0": items})], modalities=["x0", "x1"])
    expected = model.branches["x0"].encoder(torch.stack(items)).mean(dim=0)
    torch.testing.assert_close(model.tokens(batch)["x0"][0], expected)


def test_an_alignment_of_weight_zero_is_no_term(make_modalities):
    modalities = make_modalities("vector", 2)
    assert set(model_of(modalities, alignment=0).masked_loss(complete(modalities))) == {"class"}


def test_a_single_modality_has_nothing_to_project(make_modalities):
    modalities = make_modalities("vector", 1)
    model = model_of(modalities)
    assert torch.isfinite(model.masked_loss(complete(modalities))["class"].sum)


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="width 64 is no multiple of 3 heads"):
        Options(heads=3)


def test_the_file_of_weights_of_its_tokens_is_found_and_left_out(tmp_path):
    backbone = {"kind": "resnet", "weights": tmp_path / "w.pt"}
    options = Options(tokens={"kind": "grid", "backbone": backbone})
    assert weights_file(options) == tmp_path / "w.pt"
    assert weights_file(without_weights(options)) is None
