"""The endpoint that asks the defences, for programs: the core's own numbers, or a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError  # type: ignore[import-untyped]

from demo.core.analysis import Settings, Toolbox
from demo.core.defences import defences, find_defences
from demo.core.defending import ask_defences
from demo.core.defending_record import defending_record
from tests.browser.driving import Picture

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def ask(client: Client, path: Path, **settings: object) -> Any:
    return client.predict(picture=handle_file(path), api_name="/defences", **settings)


def test_a_program_gets_the_cores_own_numbers(
    client: Client, toolbox: Toolbox, astronaut: Picture, picture_file: Path
) -> None:
    names = ["small_residual", "resnet50_robust"]
    answer = ask(client, picture_file, k=4, method="bicubic", only=names, white_box=True)
    found = ask_defences(
        astronaut,
        Settings(4.0, "bicubic"),
        find_defences(names, toolbox.zoo),
        toolbox,
        white_box=True,
    )
    assert answer == json.loads(json.dumps(defending_record(found)))
    assert "research figure" in answer["white_box"]
    assert all(one["gradient"]["found"] for one in answer["defences"])


def test_left_alone_it_asks_every_defence_as_the_page_does_and_follows_no_gradient(
    client: Client, toolbox: Toolbox, picture_file: Path
) -> None:
    answer = ask(client, picture_file)
    names = [one["name"] for one in answer["defences"]]
    assert names == [one.name for one in defences(toolbox.zoo)]
    assert (answer["settings"]["k"], answer["settings"]["method"]) == (2, "edsr")
    assert answer["white_box"] is None and not answer["problems"]


def test_face_nought_takes_the_whole_picture(client: Client, picture_file: Path) -> None:
    answer = ask(client, picture_file, method="bicubic", only=["small"], face=0)
    assert answer["settings"]["whole"] is True and answer["crop_box"] == [0, 0, 512, 512]


def test_the_endpoint_names_its_parameters_and_its_answer(client: Client) -> None:
    described = client.view_api(return_format="dict")["named_endpoints"]["/defences"]
    names = [parameter["parameter_name"] for parameter in described["parameters"]]
    assert names == ["picture", "k", "method", "kernel", "scope", "face", "only", "white_box"]
    assert [answer["label"] for answer in described["returns"]] == ["record"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k": 2.2}, "1.5"),
        ({"k": "x"}, "K must be one of"),
        ({"face": 9}, "Face 9"),
        ({"face": 1.5}, "a whole number"),
        ({"method": "magic"}, "magic"),
        ({"only": ["magic"]}, "magic"),
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
