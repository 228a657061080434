"""A study of white-box attacks: success against strength, and at the round trip's own PSNR.

A crop's rows are written whole or not at all, so that a killed run goes on.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from demo.core.analysis import device_name, versions
from demo.core.errors import DemoError, SettingsError, WeightsError
from demo.core.images import check_picture
from demo.core.restoring import restoring_scale, restoring_weights
from demo.study.gathering import OTHER_STUDY, gather
from demo.study.run_folder import alone, begin, write_whole
from demo.study.samples import DataSet, Sample, samples_digest
from demo.study.white_box_measuring import METHOD, WhiteBoxPlan, WhiteBoxRow, measure_crop
from models.loading import LoadedDetector
from models.zoo import Zoo

OnSample = Callable[[int, int], None]


def run_white_box(
    data: DataSet,
    plan: WhiteBoxPlan,
    detectors: Sequence[LoadedDetector],
    zoo: Zoo,
    out: Path,
    on_sample: OnSample,
) -> None:
    """Attack every crop of a data set; go on if the folder holds a part of the same study.

    Args:
        data: face crops.
        plan: what is asked.
        detectors: attacked and asked.
        zoo: makes the round trip.
        out: the study's folder, made where it is missing.
        on_sample: called with the number of crops done and of all, at first and after each.

    Raises:
        SettingsError: the data are no face crops, a detector comes twice, the folder holds another
            study or is in use, or the plan is impossible.
        WeightsError: a network is refused.
    """
    names = [loaded.card.name for loaded in detectors]
    if not data.crops or not names or len(set(names)) < len(names):
        raise SettingsError(
            "A study of white-box attacks needs face crops and one or more detectors, each named "
            "once. Correct them."
        )
    if plan.curve_crops is not None and plan.curve_crops < 0:
        raise SettingsError(
            f"The number of crops for the curves must be 0 or more, but {plan.curve_crops} came. "
            "Choose a larger one."
        )
    manifest = _manifest(data, plan, detectors, zoo)
    with alone(out):
        (out / "parts").mkdir(exist_ok=True)
        begin(out, manifest, OTHER_STUDY)
        files = [out / "parts" / f"{place:07d}.json" for place in range(len(data.samples))]
        on_sample(sum(file.exists() for file in files), len(files))
        drawn = plan.drawn(len(files))
        for place, (file, sample) in enumerate(zip(files, data.samples, strict=True)):
            if not file.exists():
                curves = plan.curves if place in drawn else {}
                measured = _measure(data, sample, plan, curves, detectors, zoo)
                write_whole(file, json.dumps(measured))
                on_sample(sum(file.exists() for file in files), len(files))
        gather(out, manifest, files, WhiteBoxRow)


def _measure(
    data: DataSet,
    sample: Sample,
    plan: WhiteBoxPlan,
    curves: Mapping[str, Sequence[float]],
    detectors: Sequence[LoadedDetector],
    zoo: Zoo,
) -> dict[str, object]:
    """A crop's rows, or the sentence that says why there are none."""
    try:
        rows = measure_crop(sample, check_picture(data.read(sample)), plan, curves, detectors, zoo)
    except (SettingsError, WeightsError):
        raise  # of the study, and not of this picture
    except DemoError as reason:
        return {"rows": [], "refused": [{"sample": sample.name, "why": str(reason)}]}
    return {"rows": [asdict(row) for row in rows], "refused": []}


def _manifest(
    data: DataSet, plan: WhiteBoxPlan, detectors: Sequence[LoadedDetector], zoo: Zoo
) -> dict[str, object]:
    weights = {loaded.card.name: loaded.card.weights.sha256 for loaded in detectors}
    restorer = restoring_weights(METHOD, restoring_scale(plan.k, METHOD, zoo), zoo)
    return {
        "data": data.name,
        "samples": len(data.samples),
        "samples_sha256": samples_digest(data),
        "plan": asdict(plan),
        "detectors": [loaded.card.name for loaded in detectors],
        "weights": weights | ({} if restorer is None else dict([restorer])),
        "device": device_name(zoo.device),
        "precision": zoo.precision,
        "versions": dict(versions()) | {"foolbox": version("foolbox")},
    }
