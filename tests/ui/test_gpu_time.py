"""A job goes to the process that has the GPU, and its steps and outcome come back."""

import os
import shutil
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

import numpy as np
import numpy.typing as npt
import pytest

from demo.core.analysis import Analysis, AskedCrops, analyse
from demo.core.attack import FACTORS
from demo.core.attention import attend_each
from demo.core.carrying_out import MEMORY_FULL, Job, OnStep
from demo.core.errors import NoFaceError, SettingsError
from demo.core.faces import FaceDetector
from demo.core.picture_attack import Toolbox
from demo.core.record import record
from demo.core.settings import Settings
from demo.ui.gpu_time import LONGEST, NO_GPU, STARTING, lender, on_lent_gpu, seconds_for
from demo.ui.stepping import Stopped, in_thread
from models.zoo import Zoo
from tests.made_memory import memory_for
from tests.made_models import ModelFolders
from tests.ui.made_spaces import EmptySpaces, ForkingSpaces

Picture = npt.NDArray[np.uint8]
SETTINGS = Settings(box=(180, 80, 270, 170))


@pytest.fixture(scope="module")
def zoo(random_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """One detector, EDSR and the round-trip detector: enough, and no slower."""
    cards = tmp_path_factory.mktemp("cards")
    for name in ("edsr_x2", "resnet50", "round_trip"):
        shutil.copy(random_models.cards / f"{name}.json", cards)
    return Zoo("cpu", folder=random_models.weights, cards=cards)


@pytest.fixture
def spaces() -> ForkingSpaces:
    return ForkingSpaces()


@pytest.fixture
def lent(zoo: Zoo, spaces: ForkingSpaces) -> Toolbox:
    return Toolbox(zoo, FaceDetector(), on_lent_gpu(spaces, zoo, zoo))


def in_process(zoo: Zoo, on_step: OnStep) -> int:
    """A job's work: which process does it."""
    on_step("Looking", 0.5)
    time.sleep(0.5)
    return os.getpid()


def refuse(sentence: str, zoo: Zoo, on_step: OnStep) -> int:
    raise SettingsError(sentence)


def stumble(zoo: Zoo, on_step: OnStep) -> int:
    raise LookupError("a bug")


def stumble_elsewhere(here: int, zoo: Zoo, on_step: OnStep) -> int:
    if os.getpid() != here:
        raise LookupError("no driver")
    return here


def never_end(zoo: Zoo, on_step: OnStep) -> int:
    while True:
        on_step("Working", 0.5)
        time.sleep(0.01)


def a_job(work: object = in_process, k: tuple[float, ...] = (), pixels: int = 0, crops: int = 0):  # type: ignore[no-untyped-def]
    return Job(work, k, pixels, crops)  # type: ignore[arg-type]


def ignore(stage: str, fraction: float) -> None:
    return None


def numbers(analysis: Analysis) -> dict[str, object]:
    """The record, less what says where it was made."""
    return {key: value for key, value in record(analysis).items() if key != "device"}


@pytest.mark.parametrize("said", ["", "false", "0"])
def test_nothing_is_imported_where_nobody_lends(said: str) -> None:
    assert lender({"SPACES_ZERO_GPU": said}) is None
    assert lender({}) is None


def test_a_small_job_asks_for_little_more_than_the_start() -> None:
    face = a_job(k=(2.0,), pixels=200 * 200, crops=6)
    assert STARTING < seconds_for(face) <= STARTING + 1


def test_more_pixels_faces_and_round_trips_ask_for_more() -> None:
    small = a_job(k=(4.0,), pixels=1_000_000, crops=6)
    for more in (
        replace(small, factors=(1.5,)),
        replace(small, pixels=4_000_000),
        replace(small, crops=60),
        replace(small, factors=FACTORS * 3),
    ):
        assert seconds_for(small) < seconds_for(more) < LONGEST


def test_no_job_asks_for_more_than_the_longest() -> None:
    assert seconds_for(a_job(k=FACTORS * 3, pixels=12_000_000, crops=63)) == LONGEST


def test_an_analysis_has_the_same_numbers_as_here(
    lent: Toolbox, zoo: Zoo, spaces: ForkingSpaces, astronaut: Picture
) -> None:
    told: list[str] = []
    made = analyse(astronaut, SETTINGS, lent, lambda stage, fraction: told.append(stage))
    alone = analyse(astronaut, SETTINGS, replace(lent, elsewhere=None))
    assert numbers(made) == numbers(alone)
    np.testing.assert_array_equal(made.attacked, alone.attacked)
    assert len(spaces.asked_for) == 1
    assert told[0] == "Finding faces"
    assert told.count("Asking the detectors") >= 1


def test_where_a_detector_looks_has_the_same_numbers_as_here(
    lent: Toolbox, astronaut: Picture
) -> None:
    crop = np.ascontiguousarray(astronaut[80:170, 180:270])
    asked = (AskedCrops("resnet50", crop, crop[::-1].copy()),)
    (there,) = attend_each(asked, lent)
    (alone,) = attend_each(asked, replace(lent, elsewhere=None))
    np.testing.assert_array_equal(there.difference, alone.difference)


def test_a_job_runs_in_the_other_process_and_its_steps_come_back(lent: Toolbox) -> None:
    told: list[tuple[str, float]] = []
    pid, notices = lent.carry_out(a_job(), lambda stage, fraction: told.append((stage, fraction)))
    assert pid != os.getpid()
    assert notices == ()
    assert ("Looking", 0.5) in told


def test_a_refusal_comes_back_as_itself(lent: Toolbox) -> None:
    with pytest.raises(SettingsError, match="Choose another"):
        lent.carry_out(a_job(partial(refuse, "Choose another.")), ignore)


def test_no_gpu_is_borrowed_for_a_picture_without_a_face(
    lent: Toolbox, spaces: ForkingSpaces
) -> None:
    with pytest.raises(NoFaceError):
        analyse(np.full((64, 64, 3), 90, np.uint8), Settings(), lent)
    assert spaces.asked_for == []


def test_a_bug_there_is_met_again_here(lent: Toolbox) -> None:
    with pytest.raises(LookupError, match="a bug"):
        lent.carry_out(a_job(stumble), ignore)


def test_what_fails_there_alone_is_done_here_and_only_the_log_has_the_error(lent: Toolbox) -> None:
    here = os.getpid()
    assert lent.carry_out(a_job(partial(stumble_elsewhere, here)), ignore) == (here, (NO_GPU,))


def test_when_the_visitor_leaves_the_other_process_ends_the_work(
    lent: Toolbox, spaces: ForkingSpaces
) -> None:
    def leave(stage: str, fraction: float) -> None:
        if stage == "Working":
            raise Stopped

    with pytest.raises(Stopped):
        lent.carry_out(a_job(never_end), leave)
    assert not spaces.processes[0].is_alive()


def test_a_lock_that_is_held_while_the_process_is_forked_holds_nobody_up(
    lent: Toolbox, zoo: Zoo, astronaut: Picture
) -> None:
    # As by another visitor's thread at that moment; in the new process nobody would let it go.
    with zoo._detectors["resnet50"]._lock:
        assert analyse(astronaut, SETTINGS, lent).results[0].scores


def test_the_page_waits_for_the_gpu_like_for_any_work(lent: Toolbox, astronaut: Picture) -> None:
    steps = in_thread(partial(analyse, astronaut, SETTINGS, lent), Event(), Event())
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert end.value.value.results[0].scores


def test_a_full_gpu_there_ends_on_the_cpu_and_says_so(
    lent: Toolbox, zoo: Zoo, astronaut: Picture
) -> None:
    with memory_for(0, zoo.detector("resnet50").network):
        made = analyse(astronaut, SETTINGS, lent)
    assert made.problems[0] == MEMORY_FULL
    assert made.results[0].scores


def test_without_a_gpu_the_cpu_does_it_and_the_visitor_is_told_why(
    zoo: Zoo, astronaut: Picture
) -> None:
    toolbox = Toolbox(zoo, FaceDetector(), on_lent_gpu(EmptySpaces(), zoo, zoo))
    made = analyse(astronaut, SETTINGS, toolbox)
    assert made.problems[0] == f"{NO_GPU} You have exceeded your ZeroGPU quota."
    alone = analyse(astronaut, SETTINGS, replace(toolbox, elsewhere=None))
    assert made.results[0].scores == alone.results[0].scores


def test_every_network_is_loaded_before_the_page_is_launched(
    random_models: ModelFolders, tmp_path: Path, spaces: ForkingSpaces
) -> None:
    folders = ModelFolders(tmp_path / "weights", tmp_path / "cards")
    shutil.copytree(random_models.weights, folders.weights)
    shutil.copytree(random_models.cards, folders.cards)
    zoo = Zoo("cpu", folder=folders.weights, cards=folders.cards)
    on_lent_gpu(spaces, zoo, zoo)
    shutil.rmtree(folders.weights)
    assert len(zoo.detectors()) == 3
    assert all(zoo.super_resolution(scale) for scale in (2, 3, 4))
    assert zoo.round_trip_detector()
    assert all(zoo.policy(name) for name in zoo.defence_names)
    assert not zoo.problems()
