import numpy as np

from models.training.augmentation import augment


def test_the_same_draw_gives_the_same_crop_and_leaves_the_first_as_it_was() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    kept = crop.copy()
    made = [
        [augment(crop, np.random.default_rng([seed, 7])) for seed in range(60)] for _ in range(2)
    ]
    for first, second in zip(*made, strict=True):
        assert (first == second).all()
        assert (first.shape, first.dtype) == (crop.shape, np.uint8)
    assert (crop == kept).all()
    assert len({one.tobytes() for one in made[0]}) > 30


def test_each_kind_of_change_comes_at_its_chance() -> None:
    crop = np.zeros((32, 32, 3), np.uint8)
    crop[:, :16] = (40, 120, 200)
    made = [augment(crop, np.random.default_rng(seed)) for seed in range(400)]
    mirrored = np.mean([one[:, 24:].mean() > one[:, :8].mean() for one in made])
    grey = np.mean([(one[..., 0] == one[..., 2]).all() for one in made])
    assert 0.4 < mirrored < 0.6
    assert 0.13 < grey < 0.27
