import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.hub import Hub, HubError

FILE = "tiny.safetensors"
PLACE = f"/someone/weights/resolve/main/{FILE}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_file_is_downloaded_once_and_then_taken_from_the_cache(
    tmp_path: Path, file_hub: Callable[..., Any]
) -> None:
    server = file_hub({PLACE: b"the weights"})
    hub = Hub(endpoint=server.address, cache=tmp_path)
    assert hub.fetch("someone/weights", FILE).read_bytes() == b"the weights"
    asked = len(server.requests)
    assert hub.fetch("someone/weights", FILE).read_bytes() == b"the weights"
    assert len(server.requests) == asked


def test_a_cached_file_needs_no_hub(tmp_path: Path, file_hub: Callable[..., Any]) -> None:
    server = file_hub({PLACE: b"the weights"})
    Hub(endpoint=server.address, cache=tmp_path).fetch("someone/weights", FILE)
    nobody = Hub(endpoint=f"http://127.0.0.1:{free_port()}", cache=tmp_path)
    assert nobody.fetch("someone/weights", FILE).read_bytes() == b"the weights"


def test_a_file_that_the_hub_lacks_is_no_reason_to_give_it_up(
    tmp_path: Path, file_hub: Callable[..., Any]
) -> None:
    server = file_hub({PLACE: b"the weights"})
    hub = Hub(endpoint=server.address, cache=tmp_path)
    with pytest.raises(HubError, match="refused with status 404"):
        hub.fetch("someone/weights", "absent.safetensors")
    assert hub.fetch("someone/weights", FILE).read_bytes() == b"the weights"


def test_a_silent_hub_is_given_up_within_the_bound_and_asked_only_once(
    tmp_path: Path, silent_hub: Any
) -> None:
    hub = Hub(answer_seconds=1.0, endpoint=silent_hub.address, cache=tmp_path)
    started = time.monotonic()
    with pytest.raises(HubError, match="did not answer within 1 s"):
        hub.fetch("someone/weights", FILE)
    assert time.monotonic() - started < 2.0
    started = time.monotonic()
    with pytest.raises(HubError):
        hub.fetch("someone/others", FILE)
    assert time.monotonic() - started < 0.2
    assert silent_hub.connections == 1


def test_a_hub_that_drips_is_given_up_within_the_bound(
    tmp_path: Path, file_hub: Callable[..., Any]
) -> None:
    server = file_hub({PLACE: b"x" * 1000}, pause=0.1)
    hub = Hub(answer_seconds=1.0, total_seconds=1.5, endpoint=server.address, cache=tmp_path)
    started = time.monotonic()
    with pytest.raises(HubError, match="did not answer within 1 s"):
        hub.fetch("someone/weights", FILE)
    assert time.monotonic() - started < 2.5


def test_a_hub_that_cannot_be_reached_is_given_up_at_once(tmp_path: Path) -> None:
    hub = Hub(endpoint=f"http://127.0.0.1:{free_port()}", cache=tmp_path)
    started = time.monotonic()
    with pytest.raises(HubError, match="could not be reached"):
        hub.fetch("someone/weights", FILE)
    assert time.monotonic() - started < 2.0


def test_a_name_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    hub = Hub(endpoint=f"http://127.0.0.1:{free_port()}", cache=tmp_path)
    with pytest.raises(HubError, match="no repository by such a name"):
        hub.fetch("not//a repository", FILE)
