"""Figure 3 of the paper: fakes that a detector caught clean and missed attacked, as pictures.

The pictures show real people: a study that is published is run with a gallery of 0.
"""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from scipy.special import expit

from demo.core.errors import SettingsError
from demo.core.faces import cut
from demo.core.images import check_picture, digest, encode_png
from demo.core.picture_attack import Attack, Toolbox, attack_found
from demo.core.record import mark
from demo.core.settings import Settings
from demo.study.figures import papers_k
from demo.study.measuring import CLEAN
from demo.study.results import Results, read_results
from demo.study.samples import PRISTINE, DataSet, Sample
from demo.study.table import file_name

FOLDER: Final = "gallery"
LISTED: Final = "gallery.json"


@dataclass(frozen=True)
class Missed:
    """A fake that a detector caught clean and missed attacked.

    Attributes:
        name: of its two files, which end in ``-clean.png`` and ``-attacked.png``.
        sample: its name.
        forgery: how it was made.
        picture_sha256: of the decoded picture.
        detector: who missed it.
        method: who restored.
        k: scale factor.
        clean: fake probability before, at least ``threshold``.
        attacked: fake probability after, below ``threshold``.
        threshold: the detector's, a probability.
    """

    name: str
    sample: str
    forgery: str
    picture_sha256: str
    detector: str
    method: str
    k: float
    clean: float
    attacked: float
    threshold: float


def write_gallery(
    folder: Path, data: DataSet, round_trips: tuple[Settings, ...], toolbox: Toolbox, number: int
) -> None:
    """Attack the chosen fakes of a finished study again and write their faces, before and after.

    They are those of the paper's K, or of the one nearest to it, for every method.

    Args:
        folder: the study's; an older gallery in it is deleted.
        data: what it was run on.
        round_trips: what it asked.
        toolbox: the models.
        number: of fakes a detector and method; 0 for none.

    Raises:
        SettingsError: the number is negative, or a picture is no longer the one that was measured.
    """
    check_number(number)
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    results = read_results(folder)
    near = papers_k({one.k for one in round_trips})
    missed = [
        one
        for asked in round_trips
        if asked.k == near
        for detector in results.detectors
        for one in choose(results, detector, asked.method, asked.k, number)
    ]
    if not missed:
        return
    (folder / FOLDER).mkdir()
    samples = {one.name: one for one in data.samples}
    settings = {(one.method, one.k): one for one in round_trips}
    for one in missed:
        attack = _attack(one, samples[one.sample], data, settings[one.method, one.k], toolbox)
        box = attack.targets[0].box
        clean, attacked = cut(attack.picture, box), cut(attack.attacked, box)
        (folder / FOLDER / f"{one.name}-clean.png").write_bytes(encode_png(clean, {}))
        (folder / FOLDER / f"{one.name}-attacked.png").write_bytes(
            encode_png(attacked, mark(attack))
        )
    listed = json.dumps([asdict(one) for one in missed], indent=2, ensure_ascii=False)
    (folder / FOLDER / LISTED).write_text(listed + "\n", encoding="utf-8")


def check_number(number: int) -> None:
    """Refuse a number of pictures that cannot be kept.

    Raises:
        SettingsError: it is negative.
    """
    if number < 0:
        raise SettingsError(
            f"The gallery must be 0 pictures or more, but {number} came. Choose such a number."
        )


def read_gallery(folder: Path) -> tuple[Missed, ...]:
    """The fakes of a study's gallery whose two pictures are there; none without a gallery."""
    file = folder / FOLDER / LISTED
    if not file.is_file():
        return ()
    listed = (Missed(**one) for one in json.loads(file.read_text(encoding="utf-8")))
    return tuple(one for one in listed if all(path.is_file() for path in files(folder, one)))


def files(folder: Path, missed: Missed) -> tuple[Path, Path]:
    """The clean and the attacked face of one fake."""
    clean, attacked = (
        folder / FOLDER / f"{missed.name}-{end}.png" for end in ("clean", "attacked")
    )
    return clean, attacked


def choose(
    results: Results, detector: str, method: str, k: float, number: int
) -> tuple[Missed, ...]:
    """The fakes whose fake probability fell furthest, across the threshold; ties keep their order.

    Args:
        results: of the study.
        detector: its name.
        method: who restored.
        k: scale factor.
        number: how many at most.
    """
    clean = results.answers(detector, CLEAN, 1.0, None)
    attacked = results.answers(detector, method, k, None)
    before, after = (expit(one["logit"].to_numpy(np.float64)) for one in (clean, attacked))
    threshold = clean["threshold"].to_numpy(np.float64)
    fake = (clean["forgery"] != PRISTINE).to_numpy()
    missed = np.flatnonzero(fake & (before >= threshold) & (after < threshold))
    furthest = missed[np.argsort((after - before)[missed], kind="stable")][:number]
    return tuple(
        Missed(
            name=f"{method}-k{k:g}-{file_name(detector)}-{place}",
            sample=str(clean["sample"].iloc[row]),
            forgery=str(clean["forgery"].iloc[row]),
            picture_sha256=str(clean["picture_sha256"].iloc[row]),
            detector=detector,
            method=method,
            k=k,
            clean=float(before[row]),
            attacked=float(after[row]),
            threshold=float(threshold[row]),
        )
        for place, row in enumerate(furthest, 1)
    )


def _attack(
    missed: Missed, sample: Sample, data: DataSet, settings: Settings, toolbox: Toolbox
) -> Attack:
    """What ``measuring.measure_sample`` asked the detectors about."""
    picture = check_picture(data.read(sample))
    if digest(picture) != missed.picture_sha256:
        raise SettingsError(
            f"The picture {sample.name} was expected as it was when the study measured it, but it "
            "has changed. Run the study anew in another folder."
        )
    found = () if data.crops or sample.box else toolbox.faces.find(picture)
    return attack_found(picture, found, replace(settings, box=sample.box), toolbox.zoo)
