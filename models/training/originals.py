"""60/20/20 by original, as the small network was published, within the project's own splits.

The 20 % that test hold the project's whole test split, and the 20 % that choose its whole val
split; both are filled up from its train split. What is left of that is trained on, so that nothing
that another part of the project chooses or tests with is ever learnt from.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from models.training.faces import Faces

HELD_OUT = 0.2


@dataclass(frozen=True)
class Originals:
    """The real videos of the three parts.

    Attributes:
        train: Learnt from.
        val: Chosen with.
        test: Measured with, once.
    """

    train: frozenset[str]
    val: frozenset[str]
    test: frozenset[str]


def split_originals(
    train: Collection[str], val: Collection[str], test: Collection[str], seed: int
) -> Originals:
    """Fill the project's val and test splits up to a fifth of all originals each.

    Args:
        train: Originals of the project's train split.
        val: Originals of its val split; none of them in another split.
        test: Originals of its test split, likewise.
        seed: Of the draw; the same names give the same split in any order.

    Returns:
        The three parts.

    Raises:
        ValueError: An original is in two splits, or a split is larger than a fifth already.
    """
    names, kept_val, kept_test = frozenset(train), frozenset(val), frozenset(test)
    everything = names | kept_val | kept_test
    if len(everything) != len(names) + len(kept_val) + len(kept_test):
        raise ValueError("Expected every original in one split; some are in two.")
    share = round(HELD_OUT * len(everything))
    if max(len(kept_val), len(kept_test)) > share:
        raise ValueError("Expected val and test of at most a fifth of the originals; one has more.")
    drawn = [str(name) for name in np.random.default_rng(seed).permutation(sorted(names))]
    more_test, rest = drawn[: share - len(kept_test)], drawn[share - len(kept_test) :]
    more_val, left = rest[: share - len(kept_val)], rest[share - len(kept_val) :]
    return Originals(frozenset(left), kept_val | set(more_val), kept_test | set(more_test))


def of_originals(faces: Faces, names: Collection[str]) -> Faces:
    """The crops of some originals, in their own order, copied into memory."""
    chosen = np.flatnonzero(np.isin(faces.source, sorted(names)))
    place = np.full(len(faces.fake), -1)
    place[chosen] = np.arange(len(chosen))
    return Faces(
        faces.pictures[chosen],
        faces.fake[chosen],
        place[faces.original[chosen]],
        faces.source[chosen],
    )


def joined(first: Faces, second: Faces) -> Faces:
    """The crops of two splits as one."""
    return Faces(
        np.concatenate([first.pictures, second.pictures]),
        np.concatenate([first.fake, second.fake]),
        np.concatenate([first.original, second.original + len(first.fake)]),
        np.concatenate([first.source, second.source]),
    )
