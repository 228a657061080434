"""Serves the real page from a process of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).parents[2]
START_SECONDS = 240.0


class Server(NamedTuple):
    """The program as it runs: where its page is, and its process."""

    address: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def served(arguments: Sequence[str] = ()) -> Iterator[str]:
    """Runs ``python app.py`` on a free port while the block runs; yields its address.

    Raises:
        RuntimeError: the program ended, or did not answer in time.
    """
    with running(arguments) as server:
        yield server.address


@contextmanager
def running(
    arguments: Sequence[str] = (), surroundings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Does the same, and yields the process too; it may be ended inside the block.

    Args:
        arguments: of the program.
        surroundings: environment variables, beside those that are there.

    Raises:
        RuntimeError: the program ended, or did not answer in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The last digits of a sum depend on how many threads share it.
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    environment = {**os.environ, **threads, **(surroundings or {})}
    command = [sys.executable, "app.py", "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield Server(address, process)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError("The page did not come up.")
