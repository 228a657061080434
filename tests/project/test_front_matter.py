"""What Spaces reads at the head of the README is complete, allowed, and true of this tree."""

import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
# https://huggingface.co/docs/hub/spaces-config-reference
KNOWN = {
    "title",
    "emoji",
    "colorFrom",
    "colorTo",
    "sdk",
    "sdk_version",
    "python_version",
    "app_file",
    "suggested_hardware",
    "startup_duration_timeout",
    "pinned",
    "license",
    "short_description",
    "tags",
}


@pytest.fixture(scope="module")
def matter() -> dict[str, Any]:
    read: dict[str, Any] = SpaceCard.load(ROOT / "README.md").data.to_dict()
    return read


def test_it_says_what_the_reference_asks_and_nothing_it_does_not_know(
    matter: dict[str, Any],
) -> None:
    assert set(matter) == KNOWN
    assert matter["sdk"] == "gradio"
    assert {matter["colorFrom"], matter["colorTo"]} <= COLOURS
    assert matter["license"] == "apache-2.0"
    assert matter["suggested_hardware"] == "cpu-basic"
    assert re.fullmatch(r"\d+[mh]", matter["startup_duration_timeout"])
    assert len(matter["emoji"]) == 1 and not matter["emoji"].isascii()
    assert 0 < len(matter["short_description"]) <= 60
    assert matter["tags"] and all(re.fullmatch(r"[a-z-]+", tag) for tag in matter["tags"])


def test_the_versions_are_text_so_that_yaml_keeps_every_digit(matter: dict[str, Any]) -> None:
    assert isinstance(matter["sdk_version"], str)
    assert isinstance(matter["python_version"], str)


def test_gradio_is_one_that_the_requirements_allow(matter: dict[str, Any]) -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line.split("#")[0]) for line in lines if line.strip()]
    gradio = next(one for one in wanted if one.name == "gradio")
    assert gradio.specifier.contains(matter["sdk_version"])


def test_python_is_one_that_the_project_allows(matter: dict[str, Any]) -> None:
    stated = re.search(
        r'^requires-python = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert stated and SpecifierSet(stated[1]).contains(Version(matter["python_version"]))


def test_the_program_it_names_is_there(matter: dict[str, Any]) -> None:
    assert (ROOT / matter["app_file"]).is_file()
