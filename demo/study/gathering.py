"""The measured parts of a study, put together: one table of scores, and the manifest."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow
import pyarrow.parquet

from demo.study.run_folder import write_whole

SCORES: Final = "scores.parquet"
MANIFEST: Final = "manifest.json"
OTHER_STUDY: Final = (
    "The folder holds a study of other data, settings, weights or versions. Choose another folder, "
    "or delete it to begin anew."
)


def gather(out: Path, manifest: Mapping[str, object], parts: Sequence[Path], row: type) -> None:
    """Write the scores and the manifest of a study whose parts are all measured.

    Args:
        out: the study's folder.
        manifest: what was asked; how many pictures were measured, their digest and the refused ones
            are added.
        parts: files of JSON with ``rows`` and ``refused``, in the order of the samples.
        row: the dataclass of a row, of texts and numbers.
    """
    measured = [json.loads(part.read_text(encoding="utf-8")) for part in parts]
    rows = [one for part in measured for one in part["rows"]]
    pictures = dict.fromkeys(f"{one['sample']}\t{one['picture_sha256']}" for one in rows)
    said = dict(manifest) | {
        "pictures_sha256": hashlib.sha256("\n".join(pictures).encode()).hexdigest(),
        "measured": len(pictures),
        "refused": [one for part in measured for one in part["refused"]],
    }
    kinds = {str: pyarrow.string(), float: pyarrow.float64(), int: pyarrow.int64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in row.__annotations__.items()])
    partial = out / f"{SCORES}.partial"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema), partial)
    partial.replace(out / SCORES)
    write_whole(out / MANIFEST, json.dumps(said, indent=2, ensure_ascii=False) + "\n")
