"""A few made-up faces in the shape of the training data: noise, with a patch in the fakes."""

import numpy as np

from models.training.faces import SIDE, Faces


def made_faces(pairs: int, seed: int) -> Faces:
    rng = np.random.default_rng(seed)
    real = rng.integers(0, 256, (pairs, SIDE, SIDE, 3), dtype=np.uint8)
    fake = real.copy()
    fake[:, 60:160, 60:160] = 255 - fake[:, 60:160, 60:160]
    names = np.array([f"video{index}" for index in range(pairs)])
    return Faces(
        pictures=np.concatenate([real, fake]),
        fake=np.repeat([False, True], pairs),
        original=np.tile(np.arange(pairs), 2),
        source=np.tile(names, 2),
    )
