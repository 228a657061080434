"""Bombs, large uploads, broken-off ones, two ends: ``python -m tests.hostile.strain``.

Takes eleven minutes, for it waits until the files are gone. Prints what it cost and what was left;
ends with status 1 where a promise is broken.
"""

import io
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from tests.browser.serving import started
from tests.core.bad_pictures import BAD_PICTURES
from tests.core.heavy_pictures import BURDENED_PICTURES, HEAVY_PICTURES
from tests.hostile.calls import is_refused
from tests.hostile.visiting import API, Answer, Visitor, picture
from tests.load.watching import MIB, files_in, watched

AT_ONCE = 10
LARGE = 30
MOST_MEMORY, MOST_SECONDS, MOST_RESTART = 4096, 600.0, 15.0


def main() -> int:
    """Puts the server under strain; returns 1 where a promise was broken."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        surroundings = {"TMPDIR": root}
        with started(["--device", "cpu"], surroundings) as killed:
            Visitor(killed.address).upload(_large(0))
            killed.process.kill()
            killed.process.wait()
        left_by_killed = files_in(folder)
        begun = time.monotonic()
        with started(["--device", "cpu"], surroundings) as server:
            restart = time.monotonic() - begun
            own = files_in(folder) - left_by_killed
            with watched(server.process.pid, folder) as seen:
                told = [*_bombs(server.address), *_uploads(server.address)]
                _break_off(server.address)
            last = time.monotonic()
            most = len(files_in(folder) - own)
            while (left := files_in(folder) - own) and time.monotonic() - last < MOST_SECONDS:
                time.sleep(1.0)
            gone = time.monotonic() - last
            answers = Visitor(server.address).ask("GET", "/").status == 200
            Visitor(server.address).upload(_large(1))
            server.process.terminate()
            begun = time.monotonic()
            server.process.wait(60)
            ended = time.monotonic() - begun
        after = len(files_in(folder))
    peak = max(seen.memory) / MIB
    print(f"After kill -9 the page answers in {restart:.1f} s.")
    print("\n".join(told))
    print(f"Memory was at most {peak:.0f} MiB.")
    print(f"{most} temporary files; {len(left)} were left {gone:.0f} s after the last request.")
    print(f"SIGTERM ended the server in {ended:.1f} s and left {after} files.")
    kept = peak <= MOST_MEMORY and not left and not after and restart <= MOST_RESTART and answers
    return 0 if kept else 1


def _bombs(address: str) -> list[str]:
    """Thirty bombs, ten at a time."""
    claims = {name: make for name, make in BAD_PICTURES.items() if "claims" in name}
    bombs = dict(
        islice(chain(claims.items(), HEAVY_PICTURES.items(), BURDENED_PICTURES.items()), LARGE)
    )
    return [f"{len(bombs)} bombs: {_sent(address, bombs)}."]


def _uploads(address: str) -> list[str]:
    """Thirty pictures of 10 MB, ten at a time."""
    large = {str(number): partial(_large, number) for number in range(LARGE)}
    return [f"{len(large)} uploads of {len(_large(0)) / 1e6:.0f} MB: {_sent(address, large)}."]


def _sent(address: str, pictures: Mapping[str, Callable[[], bytes]]) -> str:
    def send(make: Callable[[], bytes]) -> Answer:
        visitor = Visitor(address)
        return visitor.analyse(picture(visitor.upload(make())))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, pictures.values()))
    refused = sum(is_refused(answer) for answer in answers)
    busy = sum("busy" in answer.text for answer in answers)
    return f"{len(answers) - refused} analysed, {refused} refused with a sentence, {busy} as busy"


def _break_off(address: str) -> None:
    """Ten uploads that end in the middle."""
    place = urlsplit(address)
    head = (
        f"POST {API}/upload HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 10000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: "
        'form-data; name="files"; filename="face.png"\r\n\r\n'
    ).encode()
    for _ in range(AT_ONCE):
        with socket.create_connection((place.hostname, place.port)) as connection:
            connection.sendall(head + bytes(10**6))
            time.sleep(0.1)


def _large(seed: int) -> bytes:
    """A PNG of 10 MB that holds no face."""
    noise = np.random.default_rng(seed).integers(0, 256, (1800, 1850, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG", compress_level=0)
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
