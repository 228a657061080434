"""The finished studies that lie in a folder, each known by its manifest."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.study.costs import COSTS
from demo.study.gathering import MANIFEST, SCORES

REPORT: Final = "report.html"
BUNDLED: Final = Path(__file__).parents[2] / "assets" / "study"
_PLAIN_DATE: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class FinishedStudy:
    """A study whose report is written.

    Attributes:
        key: SHA-256 of its manifest, hexadecimal: names it to people who may not see its folder.
        folder: where it lies.
        data: what it was run on, in words.
        samples: how many pictures were asked for.
        measured: how many of them could be measured.
        methods: who restored.
        factors: every K.
        kernel: how the faces were shrunk.
    """

    key: str
    folder: Path
    data: str
    samples: int
    measured: int
    methods: tuple[str, ...]
    factors: tuple[float, ...]
    kernel: str

    def report(self) -> str:
        """The text of its ``report.html``."""
        return (self.folder / REPORT).read_text(encoding="utf-8")


def finished_studies(shelf: Path) -> tuple[FinishedStudy, ...]:
    """The studies in the folders of a folder, by name; folders without a report are none."""
    found = (_read(report.parent) for report in sorted(shelf.glob(f"*/{REPORT}")))
    return tuple(study for study in found if study is not None)


def archive(study: FinishedStudy) -> bytes:
    """Its tables, curves, scores, costs and manifest as a ZIP file: the same bytes each time."""
    tables = sorted((study.folder / "tables").glob("*.*"))
    files = [*tables, *sorted(study.folder.glob("*.svg"))]
    files += [study.folder / name for name in (SCORES, MANIFEST, COSTS)]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in filter(Path.is_file, files):
            name = zipfile.ZipInfo(file.relative_to(study.folder).as_posix(), _PLAIN_DATE)
            packed.writestr(name, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _read(folder: Path) -> FinishedStudy | None:
    try:
        manifest = (folder / MANIFEST).read_bytes()
        said = json.loads(manifest)
        return FinishedStudy(
            key=hashlib.sha256(manifest).hexdigest(),
            folder=folder,
            data=str(said["data"]),
            samples=int(said["samples"]),
            measured=int(said["measured"]),
            methods=tuple(map(str, said["plan"]["methods"])),
            factors=tuple(map(float, said["plan"]["factors"])),
            kernel=str(said["plan"]["kernel"]),
        )
    except (OSError, KeyError, TypeError, ValueError):
        return None
