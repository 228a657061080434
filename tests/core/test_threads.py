"""One toolbox shared by eight threads gives, to the last bit, what it gives a single one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from demo.core.analysis import Analysis, Settings, Toolbox, analyse
from demo.core.faces import FaceDetector
from demo.core.record import record
from models.zoo import Zoo

Picture = npt.NDArray[np.uint8]
THREADS, JOBS = 8, 48
SETTINGS = (
    Settings(1.5),
    Settings(2.0, "bicubic"),
    Settings(2.5, kernel="bicubic", whole=True),
    Settings(3.0, "lanczos", scope="frame"),
    Settings(3.5, box=(20, 30, 110, 120)),
    Settings(4.0, scope="frame", whole=True),
)


def pictures(astronaut: Picture) -> list[Picture]:
    """The face alone and its mirror image, by turns and each smaller than the one before."""
    face = astronaut[10:190, 130:310]
    both = face.copy(), np.ascontiguousarray(face[:, ::-1])
    return [both[number % 2][: 180 - 4 * number] for number in range(len(SETTINGS))]


def same(one: Analysis, other: Analysis) -> bool:
    """Whether all numbers and all pixels of two analyses are equal."""
    pairs = [(one.attacked, other.attacked)]
    for mine, theirs in zip(one.results, other.results, strict=True):
        pairs += [(mine.clean, theirs.clean), (mine.attacked, theirs.attacked)]
    return record(one) == record(other) and all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.slow
def test_eight_threads_and_forty_eight_jobs_are_bit_identical_to_one_thread(
    random_zoo: Zoo, astronaut: Picture
) -> None:
    toolbox = Toolbox(random_zoo, FaceDetector())
    asked = list(zip(pictures(astronaut), SETTINGS, strict=True))
    alone = [analyse(*one, toolbox) for one in asked]
    order = np.random.default_rng(0).permutation(JOBS) % len(asked)
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda place: analyse(*asked[place], toolbox), order))
    wrong = [
        asked[p][1] for p, made in zip(order, together, strict=True) if not same(made, alone[p])
    ]
    assert not wrong
    assert len(together) == JOBS
    assert not same(alone[0], alone[1])
