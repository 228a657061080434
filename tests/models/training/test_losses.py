import torch

from models.training.losses import pair_loss, ranking_loss


def test_the_loss_is_small_when_cells_and_crops_are_right() -> None:
    changed = torch.zeros(2, 28, 28)
    changed[:, :14] = 1.0
    right = torch.full((4, 2, 2), -9.0)
    right[2:, 0] = 30.0
    wrong = -right
    assert float(pair_loss(right, changed, 1.0)) < 0.01
    assert float(pair_loss(wrong, changed, 1.0)) > 5.0


def test_a_fake_that_shows_no_manipulation_is_not_held_against_the_network() -> None:
    cells = torch.full((2, 2, 2), -9.0)
    assert float(pair_loss(cells, torch.zeros(1, 28, 28), 1.0)) < 0.01


def test_a_fake_has_to_score_higher_than_the_crop_it_was_made_of() -> None:
    changed = torch.ones(2, 28, 28)
    changed[1] = 0
    cells = torch.zeros(4, 2, 2)
    cells[0], cells[2] = 5.0, 14.0
    assert float(ranking_loss(cells, changed)) < 0.001
    cells[2] = -4.0
    assert float(ranking_loss(cells, changed)) > 8.0
