"""Agreement between the items of a case."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from mmmed.batch import ModalitySet, pack
from mmmed.models.hypermm.set_head import agreement, set_head


def cases(count, *names):
    """Cases that own one vector of two numbers per modality named."""
    sets = [
        ModalitySet(
            case=str(row),
            subject=str(row),
            items={name: [torch.zeros(2)] for name in names},
            label=0,
        )
        for row in range(count)
    ]
    return pack(sets, modalities=["mri", "pet"])


def certain(*signs):
    """Logits of two classes, p = 9/10 for the class that the sign names."""
    return torch.tensor([[0.0, sign * 2.1972245773] for sign in signs])


def test_two_items_agree_by_the_product_of_their_stances():
    batch = cases(3, "mri", "pet")
    logits = {"mri": certain(1, 1, -1), "pet": certain(1, -1, 0)}
    expected = torch.tensor([[0.64, 0.64], [-0.64, -0.64], [0.0, 0.0]])  # (2 * 0.9 - 1) squared
    torch.testing.assert_close(agreement(batch, logits), expected)


def test_three_classes_by_hand():
    batch = cases(1, "mri", "pet")
    logits = {
        "mri": torch.log(torch.tensor([[0.5, 0.25, 0.25]])),
        "pet": torch.log(torch.tensor([[0.2, 0.4, 0.4]])),
    }
    # (3p - 1) / 2: (.25, -.125, -.125) and (-.2, .1, .1)
    torch.testing.assert_close(agreement(batch, logits), torch.tensor([[-0.05, -0.0125, -0.0125]]))


def test_one_item_agrees_with_nobody():
    assert not bool(agreement(cases(2, "pet"), {"pet": certain(1, -1)}).any())


def stances(*, seed):
    """256 pairs of embeddings of 32 numbers, the last a stance; the label: do the two agree?"""
    random = torch.Generator().manual_seed(seed)
    phi = {name: torch.randn(256, 32, generator=random) for name in ("mri", "pet")}
    label = (phi["mri"][:, -1] * phi["pet"][:, -1] > 0).long()
    return phi, label


def last_entry(phi):
    """Two logits whose difference is an embedding's last entry."""
    return torch.stack([torch.zeros(len(phi)), phi[:, -1]], dim=1)


def accuracy_by_logits_alone(kind):
    """Of a head whose embeddings say nothing, after a few steps."""
    torch.manual_seed(0)
    batch = cases(256, "mri", "pet")
    head = set_head(kind, 32, 2, agg="sum", dropout=0.0)
    for one in head.psi.parameters():
        one.requires_grad_(requires_grad=False).zero_()
    optimiser = torch.optim.AdamW(head.rho.parameters(), lr=1e-2)
    phi, label = stances(seed=1)
    for _ in range(60):
        optimiser.zero_grad()
        cross_entropy(head(batch, phi, last_entry), label).backward()
        optimiser.step()
    return (head(batch, phi, last_entry).argmax(dim=1) == label).float().mean()


def test_a_head_that_is_told_of_agreement_sees_what_no_sum_of_evidence_can():
    assert accuracy_by_logits_alone("residual") < 0.6
    assert accuracy_by_logits_alone("agreement") > 0.8
