"""The history pool: what it gives back, and that its state goes on where it stood."""

from __future__ import annotations

import torch

from mmmed.models.imputers.pool import Pool


def numbered(*values):
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1, 1)


def opened(size):
    pool = Pool((1, 1, 1, 1), size=size)
    pool.open()
    return pool


def test_while_there_is_room_everything_is_kept_and_given_back():
    pool = opened(3)
    assert torch.equal(pool.swap(numbered(1, 2)), numbered(1, 2))
    assert int(pool.filled) == 2
    assert torch.equal(pool.kept.data, numbered(1, 2, 0))


def test_a_full_pool_gives_back_the_old_half_of_the_time():
    pool = opened(5)
    pool.swap(numbered(*range(5)))
    torch.manual_seed(0)
    found = pool.swap(numbered(*range(100, 1100)))
    same = (found == numbered(*range(100, 1100))).float().mean()
    assert 0.45 < same < 0.55
    ever = torch.cat([found.flatten(), pool.kept.data.flatten()]).sort().values
    assert ever.tolist() == [*range(5), *range(100, 1100)]  # exchanged, never lost or doubled


def test_a_pool_of_none_and_a_closed_one_give_back_what_comes():
    for pool in (opened(0), Pool((1, 1, 1, 1), size=50)):
        assert torch.equal(pool.swap(numbered(1, 2)), numbered(1, 2))
        assert len(pool.kept) == 0


def test_what_comes_back_carries_no_gradient():
    made = numbered(1).requires_grad_()
    assert not opened(2).swap(made * 2).requires_grad


def test_its_state_goes_on_where_it_stood():
    pool = opened(4)
    torch.manual_seed(0)
    pool.swap(numbered(*range(9)))
    other = Pool((1, 1, 1, 1), size=4)
    other.load_state_dict(pool.state_dict())
    found = []
    for one in (pool, other):
        torch.manual_seed(1)
        found.append(one.swap(numbered(*range(20, 40))))
    assert torch.equal(*found)
    assert torch.equal(pool.kept.data, other.kept.data)


def test_a_closed_pool_remembers_nobody():
    pool = opened(2)
    pool.swap(numbered(7))
    pool.close()
    assert pool.state_dict()["kept.data"].numel() == 0
