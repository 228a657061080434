"""Parts measured by other processes are those measured here, and a process that dies is said."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from demo.core.errors import SettingsError, WeightsError
from demo.core.picture_attack import Toolbox
from demo.study.parts import one_thread
from demo.study.run import Plan, run_study
from demo.study.samples import DataSet
from demo.study.workers import measure_in_processes
from tests.study.made_workers import make_none, make_small, read_or_die

PLAN = Plan(methods=("bicubic",), factors=(2.0,), kernel="area", seed=3)
LAST = "real/real 9.png"


def ignore(done: int, total: int) -> None:
    pass


def silent(sentence: str) -> None:
    pytest.fail(sentence)


@pytest.fixture(scope="module")
def toolbox(small_detectors: Path) -> Toolbox:
    return make_small(small_detectors)


@pytest.fixture(scope="module")
def finished(
    small_set: DataSet,
    toolbox: Toolbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The same study in this very process."""
    out = tmp_path_factory.mktemp("study")
    with one_thread():
        run_study(small_set, PLAN, toolbox, out, ignore)
    return out


def test_two_workers_write_the_bytes_of_one(
    finished: Path,
    small_set: DataSet,
    small_detectors: Path,
    toolbox: Toolbox,
    tmp_path: Path,
) -> None:
    team = partial(measure_in_processes, partial(make_small, small_detectors), 2, silent)
    with one_thread():
        run_study(small_set, PLAN, toolbox, tmp_path, ignore, elsewhere=team)
    for name in ("scores.parquet", "manifest.json", "asked.json"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes(), name


def run_with_deaths(
    count: int, data: DataSet, faces_folder: Path, detectors: Path, toolbox: Toolbox, out: Path
) -> list[str]:
    """Runs the study while so many workers die over its last part; returns what is said."""
    deaths = out.parent / "deaths"
    deaths.mkdir()
    deadly = replace(data, read=partial(read_or_die, faces_folder, LAST, deaths, count))
    said: list[str] = []
    team = partial(measure_in_processes, partial(make_small, detectors), 2, said.append)
    try:
        with one_thread():
            run_study(deadly, PLAN, toolbox, out, ignore, elsewhere=team)
    finally:
        assert len(said) == len(list(deaths.iterdir())) == count
    return said


def test_a_worker_that_dies_is_said_and_the_other_does_its_part(
    finished: Path,
    small_set: DataSet,
    faces_folder: Path,
    small_detectors: Path,
    toolbox: Toolbox,
    tmp_path: Path,
) -> None:
    out = tmp_path / "study"
    (said,) = run_with_deaths(1, small_set, faces_folder, small_detectors, toolbox, out)
    assert "ended suddenly" in said
    assert (out / "scores.parquet").read_bytes() == (finished / "scores.parquet").read_bytes()


def test_a_study_whose_workers_all_die_says_how_it_goes_on(
    small_set: DataSet,
    faces_folder: Path,
    small_detectors: Path,
    toolbox: Toolbox,
    tmp_path: Path,
) -> None:
    with pytest.raises(SettingsError, match=r"fewer --workers: it goes on"):
        run_with_deaths(2, small_set, faces_folder, small_detectors, toolbox, tmp_path / "study")


def test_what_a_worker_refuses_is_refused(
    small_set: DataSet, toolbox: Toolbox, tmp_path: Path
) -> None:
    team = partial(measure_in_processes, make_none, 2, silent)
    with one_thread(), pytest.raises(WeightsError, match="are damaged"):
        run_study(small_set, PLAN, toolbox, tmp_path, ignore, elsewhere=team)


def test_workers_that_compute_otherwise_are_refused(
    small_set: DataSet,
    small_detectors: Path,
    toolbox: Toolbox,
    tmp_path: Path,
) -> None:
    """A worker computes in one thread, so a study that began in several is another study."""
    before = torch.get_num_threads()
    team = partial(measure_in_processes, partial(make_small, small_detectors), 2, silent)
    torch.set_num_threads(3)
    try:
        with pytest.raises(SettingsError, match=r"3 threads.*1 thread.*one kind"):
            run_study(small_set, PLAN, toolbox, tmp_path, ignore, elsewhere=team)
    finally:
        torch.set_num_threads(before)
