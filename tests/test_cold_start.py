"""The page must answer soon: what only some requests need is imported when they come."""

import subprocess
import sys

import pytest

LATE = {
    "torchvision": "finding a face and building a detector",
    "facenet_pytorch": "finding a face",
    "timm": "building a detector",
    "super_image": "building EDSR",
    "scipy.ndimage": "measuring SSIM",
    "sklearn": "where the detectors look, and a study's report",
    "matplotlib.figure": "figure sheets and a study's report",
    "foolbox": "attacks by gradients",
    "spandrel": "the operator's own super-resolution network",
}


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The names of all modules that are there once the page's program is imported."""
    code = "import sys, app; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize("library", LATE)
def test_a_library_waits_until_it_is_needed(library: str, imported: set[str]) -> None:
    assert library not in imported, f"{library} is for {LATE[library]} alone"
