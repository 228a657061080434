"""A disk that fills up under the page: ``python -m tests.hostile.full_disk``, as root on Linux.

The temporary folder is a small disk in memory. Prints what the page said while it was full and
once there was room again; ends with status 1 where a promise was broken.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from demo.examples import EXAMPLES
from demo.ui.keeping import FULL, SPARE_BYTES
from tests.browser.serving import started
from tests.hostile.visiting import API, Visitor, picture
from tests.load.watching import MIB

SIZE: Final = SPARE_BYTES // MIB + 32


@contextmanager
def small_disk() -> Iterator[Path]:
    """A disk of its own for as long as the block runs."""
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", root], check=True)
        try:
            yield Path(root)
        finally:
            subprocess.run(["umount", "--lazy", root], check=True)


def main() -> int:
    """Fills the disk while the server runs; returns 1 where a promise was broken."""
    face = EXAMPLES[0].path.read_bytes()
    with small_disk() as disk, started(["--device", "cpu"], {"TMPDIR": str(disk)}) as server:
        visitor = Visitor(server.address)
        asked = [picture(visitor.upload(face)), 2, "bicubic", "area", "face", None, None]
        filler = disk / "filler"
        filler.write_bytes(bytes(SIZE * MIB - SPARE_BYTES))
        full = visitor.event("start", asked)
        upload = visitor.ask("POST", f"{API}/upload", files={"files": ("face.png", face)})
        filler.unlink()
        asked[0] = picture(visitor.upload(face))
        again = visitor.event("start", asked)
    said = FULL in full.text
    works = again.succeeded and "ResNet50" in again.text
    print(f"An analysis on a full disk: {'its sentence' if said else full.text[-300:]}")
    print(f"An upload on a full disk: {upload.status} {upload.text}")
    print(f"The next analysis: {'works' if works else again.text[-300:]}")
    return 0 if said and works and upload.text == FULL else 1


if __name__ == "__main__":
    sys.exit(main())
