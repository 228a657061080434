"""Freed buffers are used again: counted in pages that the system had to clear, not in seconds."""

import ctypes
import platform
import subprocess
import sys
from types import ModuleType

import pytest

import app
from demo import cli
from demo.core.allocator import keep_large_buffers

# What a residual block of EDSR holds on a tile: a few buffers of 29 MB at once.
BUFFERS = 4
PAGES = 28 * 2**20 // 4096
ROUNDS = 10
CLEARED = f"""
import ctypes, resource, sys, threading
from demo.core.allocator import keep_large_buffers

sys.argv[1] == "kept" and keep_large_buffers()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p

def cleared():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range({ROUNDS}):
        buffers = [ctypes.c_void_p(library.malloc({PAGES} * 4096)) for _ in range({BUFFERS})]
        for buffer in buffers:
            ctypes.memset(buffer, 1, {PAGES} * 4096)
        for buffer in buffers:
            library.free(buffer)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

thread = threading.Thread(target=cleared)
thread.start()
thread.join()
"""

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc is not here")


def pages_cleared(mode: str) -> int:
    command = [sys.executable, "-c", CLEARED, mode]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@needs_glibc
def test_a_thread_fills_the_same_buffer_again_and_no_page_is_cleared_twice() -> None:
    assert pages_cleared("handed back") > 3 * BUFFERS * PAGES
    assert pages_cleared("kept") < 1.5 * BUFFERS * PAGES


@needs_glibc
def test_glibc_takes_it() -> None:
    taken = "from demo.core.allocator import keep_large_buffers; assert keep_large_buffers()"
    subprocess.run([sys.executable, "-c", taken], check=True)


def test_elsewhere_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_large_buffers()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(ctypes, "CDLL")
    assert not keep_large_buffers()


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (app, ["--detector", "there is none"]),
        (cli, ["analyse", "there is none.png", "--out", "nowhere"]),
    ],
    ids=["the page", "the command line"],
)
def test_every_program_asks_for_it(
    program: ModuleType, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(program, "keep_large_buffers", lambda: asked.append(True))
    assert program.main(arguments) == 2
    assert asked
