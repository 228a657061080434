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
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import torch

ROOT = Path(__file__).parents[2]
START_SECONDS = 240.0


@dataclass(frozen=True)
class Served:
    """A running server: its address, and its process."""

    address: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def served(arguments: Sequence[str] = ()) -> Iterator[str]:
    """Runs ``python app.py`` on a free port while the block runs; yields its address.

    Raises:
        RuntimeError: the program ended, or did not answer in time.
    """
    with started(arguments) as server:
        yield server.address


@contextmanager
def started(
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    errors: IO[bytes] | None = None,
) -> Iterator[Served]:
    """What ``served`` does, for who also wants the process.

    Args:
        arguments: of the program.
        environment: variables on top of this process' own.
        errors: where its standard error goes; to this process' own where None is given.

    Raises:
        RuntimeError: the program ended, or did not answer in time.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The last digits of a sum depend on how many threads share it.
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "app.py", "--port", str(port), *arguments]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **threads, **(environment or {})},
        stdout=subprocess.DEVNULL if errors else None,
        stderr=errors,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield Served(address, server)
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError("The page did not come up.")
