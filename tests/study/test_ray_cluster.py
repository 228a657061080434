"""A Ray cluster of two nodes measures what one process does, also when it loses one of them."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from demo.core.errors import DemoError, SettingsError
from demo.study.folder import open_folder
from demo.study.parts import one_thread
from demo.study.run import Plan, run_study
from tests.study.made_workers import make_none, make_small, read_and_tell

PLAN = Plan(methods=("bicubic",), factors=(2.0,), kernel="area", seed=3)
PATIENCE = 300
STORE = 80 * 2**20


def ignore(done: int, total: int) -> None:
    pass


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """One node of one core; tests add others."""
    monkeypatch.setitem(os.environ, "RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE}
    made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    made.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_a_cluster_that_loses_a_node_writes_the_bytes_of_one_process(
    cluster: Any,
    crops_folder: Path,
    small_detectors: Path,
    tmp_path: Path,
) -> None:
    from demo.study.ray_cluster import measure_on_ray

    toolbox = make_small(small_detectors)
    second = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    alone, spread, seen = tmp_path / "alone", tmp_path / "spread", tmp_path / "seen"
    seen.mkdir()
    data = open_folder(crops_folder, crops=True)
    told = replace(data, read=partial(read_and_tell, crops_folder, seen))
    lost: list[int] = []
    said: list[str] = []

    def lose_a_node(done: int, total: int) -> None:
        if done and not lost:
            deadline = time.monotonic() + PATIENCE
            while not (seen / second.node_id).exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            cluster.remove_node(second, allow_graceful=False)
            lost.append(done)

    on_ray = partial(
        measure_on_ray, cluster.address, partial(make_small, small_detectors), None, said.append
    )
    with one_thread():
        run_study(told, PLAN, toolbox, spread, lose_a_node, (), on_ray)
        run_study(data, PLAN, toolbox, alone, ignore)
    assert len(list(seen.iterdir())) == 2
    assert lost[0] < len(data.samples)
    assert len(said) == 1
    for name in ("scores.parquet", "manifest.json", "asked.json"):
        assert (spread / name).read_bytes() == (alone / name).read_bytes(), name
    refusing = partial(measure_on_ray, cluster.address, make_none, None, pytest.fail)
    with one_thread(), pytest.raises(DemoError, match="are damaged"):
        run_study(data, PLAN, toolbox, tmp_path / "none", ignore, (), refusing)


def test_a_cluster_that_is_not_there_gets_a_sentence(
    crops_folder: Path, small_detectors: Path, tmp_path: Path
) -> None:
    from demo.study.ray_cluster import measure_on_ray

    data = open_folder(crops_folder, crops=True)
    nowhere = partial(measure_on_ray, "127.0.0.1:1", make_none, None, pytest.fail)
    with one_thread(), pytest.raises(SettingsError, match="cannot be reached"):
        run_study(data, PLAN, make_small(small_detectors), tmp_path, ignore, (), nowhere)
