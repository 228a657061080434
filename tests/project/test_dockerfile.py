"""The image runs as nobody special, on the Python of the Space, and says whether it is well."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest
from huggingface_hub import SpaceCard

ROOT = Path(__file__).parents[2]


class Instruction(NamedTuple):
    """One instruction of a Dockerfile, its lines joined."""

    name: str
    text: str


@pytest.fixture(scope="module")
def instructions() -> list[Instruction]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    said = "\n".join(line for line in lines if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", said).splitlines()
    return [Instruction(*line.split(" ", 1)) for line in joined if line]


def texts(instructions: list[Instruction], name: str) -> list[str]:
    return [one.text for one in instructions if one.name == name]


def test_it_has_the_spaces_own_python(instructions: list[Instruction]) -> None:
    python = SpaceCard.load(ROOT / "README.md").data.python_version
    assert texts(instructions, "FROM") == [f"python:{python}-slim"]


def test_the_program_runs_as_user_1000_who_owns_no_file_of_it(
    instructions: list[Instruction],
) -> None:
    names = [one.name for one in instructions]
    assert texts(instructions, "USER") == ["user"]
    assert any("useradd --uid 1000" in text for text in texts(instructions, "RUN"))
    assert names.index("USER") < names.index("CMD")
    assert not any("--chown" in text for text in texts(instructions, "COPY"))
    assert "RUN" not in names[names.index("USER") :]


def test_nothing_is_kept_outside_tmp(instructions: list[Instruction]) -> None:
    (settings,) = texts(instructions, "ENV")
    stated = dict(pair.split("=", 1) for pair in settings.split())
    assert stated["HOME"] == "/tmp"
    assert stated["DEMO_STUDY_OUT"].startswith("/tmp/")
    assert stated["GRADIO_SERVER_NAME"] == "0.0.0.0"
    assert stated["GRADIO_SERVER_PORT"] == "7860"


def test_it_answers_on_7860_and_is_asked_for_its_health_there(
    instructions: list[Instruction],
) -> None:
    assert texts(instructions, "EXPOSE") == ["7860"]
    (health,) = texts(instructions, "HEALTHCHECK")
    assert "'127.0.0.1', 7860" in health and "'/health'" in health
    assert texts(instructions, "CMD") == ['["python", "app.py"]']


def test_it_installs_what_a_space_would_and_keeps_no_cache(
    instructions: list[Instruction],
) -> None:
    runs = texts(instructions, "RUN")
    assert any(
        "--arg-file packages.txt" in run and "rm -rf /var/lib/apt/lists/*" in run for run in runs
    )
    assert any("--requirement requirements.txt" in run for run in runs)
    installs = re.findall(r"pip install [^;&]*", " ".join(runs))
    assert installs and all("--no-cache-dir" in install for install in installs)


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("app.py", True),
        ("requirements.txt", True),
        ("packages.txt", True),
        ("demo/ui/page.py", True),
        ("models/weights/resnet50.safetensors", True),
        ("assets/style.css", True),
        ("assets/study/dfdc_test/report.html", True),
        ("assets/screenshots/analyse-390-dark.png", False),
        ("demo/ui/__pycache__/page.cpython-312.pyc", False),
        (".venv/bin/python", False),
        (".git/config", False),
        ("runs/studies/scores.csv", False),
        ("tests/conftest.py", False),
    ],
)
def test_the_image_takes_the_page_and_leaves_the_rest(path: str, taken: bool) -> None:
    kept = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        parents = [path, *map(str, Path(path).parents)]
        if line and not line.startswith("#") and any(fnmatch(one, pattern) for one in parents):
            kept = line.startswith("!")
    assert kept is taken
