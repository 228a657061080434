"""The names of all networks: those that ship, and those that are taken for other reasons."""

import difflib
from collections.abc import Sequence

from models.cards import DEFENCE_NAMES, DETECTOR_NAMES, SUPER_RESOLUTION_NAMES
from models.errors import WeightsError
from models.policy_card import POLICY_NAMES
from models.round_trip_card import ROUND_TRIP_NAME

SHIPPED_NAMES = (
    *SUPER_RESOLUTION_NAMES,
    *DETECTOR_NAMES,
    *DEFENCE_NAMES,
    *POLICY_NAMES,
    ROUND_TRIP_NAME,
)
TAKEN_NAMES = (
    *SHIPPED_NAMES,
    *("edsr", "bicubic", "lanczos"),
    # What studies call pictures that no super-resolution network restored, and the ensemble.
    *("clean", "jpeg60", "pgd", "small_ensemble"),
)


def check_new(names: Sequence[str]) -> None:
    """Refuse a name for a network of the operator's that is taken, or comes twice.

    Raises:
        WeightsError: The sentence names it.
    """
    taken = list(TAKEN_NAMES)
    for name in names:
        if name in taken:
            raise WeightsError(
                f"The name {name} is taken: expected another one for a network of your own; "
                "write NAME=FILE with a new NAME."
            )
        taken.append(name)


def check_name(name: str, known: tuple[str, ...]) -> None:
    """Refuse a name that is not known.

    Raises:
        WeightsError: The sentence names those that are, and the nearest of them.
    """
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "choose one of these."
    expected = ", ".join(known) or "none, for none was given"
    raise WeightsError(f"The network {name!r} is unknown: expected {expected}; {hint}")
