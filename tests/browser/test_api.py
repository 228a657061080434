"""The endpoint for programs, and what the server refuses whoever asks."""

import json
import secrets
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError  # type: ignore[import-untyped]
from PIL import Image

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.record import record
from tests.browser.driving import Picture

pytestmark = pytest.mark.browser


def ask(client: Client, path: Path | str, **settings: object) -> Any:
    return client.predict(picture=handle_file(path), api_name="/analyse", **settings)


def test_a_program_gets_the_cores_own_numbers_and_pixels(
    client: Client, toolbox: Toolbox, astronaut: Picture, picture_file: Path
) -> None:
    answer = ask(client, picture_file, k=2.5, method="edsr", kernel="area", scope="face", face=1)
    analysis = analyse(astronaut, Settings(k=2.5), toolbox)
    numbers, attacked, clean_crop, attacked_crop = answer
    assert numbers == json.loads(json.dumps(record(analysis)))
    result = analysis.results[0]
    for path, wanted in (
        (attacked, analysis.attacked),
        (clean_crop, result.clean),
        (attacked_crop, result.attacked),
    ):
        opened = Image.open(path)
        assert opened.format == "PNG"
        assert np.array_equal(np.asarray(opened), wanted)
    assert "round trip" in Image.open(attacked).info["Description"]


def test_settings_left_out_are_the_pages_defaults(
    client: Client, toolbox: Toolbox, astronaut: Picture, picture_file: Path
) -> None:
    numbers = ask(client, picture_file)[0]
    assert numbers == json.loads(json.dumps(record(analyse(astronaut, Settings(), toolbox))))


def test_face_nought_takes_the_whole_picture(client: Client, picture_file: Path) -> None:
    assert ask(client, picture_file, face=0)[0]["settings"]["whole"] is True


def test_the_endpoint_names_its_parameters_and_answers(client: Client) -> None:
    described = client.view_api(return_format="dict")
    assert isinstance(described, dict)
    assert list(described["named_endpoints"]) == ["/analyse", "/defences"]
    endpoint = described["named_endpoints"]["/analyse"]
    names = [parameter["parameter_name"] for parameter in endpoint["parameters"]]
    assert names == ["picture", "k", "method", "kernel", "scope", "face"]
    labels = [answer["label"] for answer in endpoint["returns"]]
    assert labels == ["record", "attacked_picture", "clean_crop", "attacked_crop"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k": 2.2}, "1.5"),
        ({"k": 7}, "K must be one of .* but 7 came"),
        ({"k": "x"}, "K must be one of .* but 'x' came"),
        ({"face": 9}, "Face 9"),
        ({"face": 0.4}, "a whole number"),
        ({"face": 1.5}, "a whole number"),
        ({"method": "magic"}, "magic"),
    ],
)
def test_a_setting_that_cannot_be_gets_a_sentence(
    client: Client, picture_file: Path, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(AppError, match=words):
        ask(client, picture_file, **settings)


def test_a_file_that_is_no_picture_gets_a_sentence(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    path.write_bytes(b"no picture")
    with pytest.raises(AppError) as refused:
        ask(client, path)
    assert str(tmp_path) not in str(refused.value)
    assert "Traceback" not in str(refused.value)


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
@pytest.mark.parametrize("place", ["file", "example", "data", "address"])
def test_a_picture_named_by_a_hand_made_request_is_not_read(
    address: str, picture_file: Path, meta: dict[str, object], place: str
) -> None:
    named = {
        "file": {"path": str(picture_file)},
        "example": {"path": str(Path("assets/examples/astronaut.png").resolve())},
        "data": {"path": "data:image/png;base64,iVBORw0KGgo=", "url": "data:image/png;base64,AA"},
        "address": {"path": f"{address}/favicon.ico", "url": f"{address}/favicon.ico"},
    }[place]
    events = call(address, [{**named, **meta}, 2, "edsr", "area", "face", 1])
    assert "process_completed" in events
    assert '"success":true' not in events.replace(" ", "")
    assert "clean_crop" not in events
    assert str(picture_file.parent) not in events


def test_the_queue_cannot_be_gone_round(address: str) -> None:
    body = json.dumps({"data": [None, 2, "edsr", "area", "face", 1]}).encode()
    assert status(f"{address}/gradio_api/run/analyse", body) == 404


@pytest.mark.parametrize("place", ["monitoring", "monitoring/summary"])
def test_nobody_watches_the_visitors(address: str, place: str) -> None:
    assert status(f"{address}/gradio_api/{place}") >= 400
    assert status(f"{address}/{place}") >= 400


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "app.py", "models/cards/resnet50.json", "assets/style.css"]
)
def test_no_file_of_the_server_is_served(address: str, path: str) -> None:
    full = path if path.startswith("/") else str(Path(path).resolve())
    assert status(f"{address}/gradio_api/file={full}") in {403, 404}


def call(address: str, data: list[object]) -> str:
    """Joins the queue by hand, as an attacker would, and returns the events that came."""
    config = json.load(urllib.request.urlopen(f"{address}/config", timeout=30))
    number: int = next(d["id"] for d in config["dependencies"] if d["api_name"] == "analyse")
    visitor = secrets.token_hex(8)
    body = {"data": data, "fn_index": number, "session_hash": visitor}
    request = urllib.request.Request(
        f"{address}/gradio_api/queue/join",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    events: str = ""
    with urllib.request.urlopen(
        f"{address}/gradio_api/queue/data?session_hash={visitor}", timeout=60
    ) as stream:
        for line in stream:
            events += line.decode()
            if "process_completed" in events:
                return events
    return events


def status(url: str, body: bytes | None = None) -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        return refused.code
