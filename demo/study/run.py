"""Runs a study in a folder of its own: part by part, so that a killed run goes on where it was.

A part is written whole or not at all, and always the same, so a resumed run ends with the bytes of
an unbroken one.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from demo.core.analysis import Toolbox, device_name, versions
from demo.core.defences import Defence, defence_weights
from demo.core.errors import SettingsError
from demo.core.judges import Judge
from demo.core.restoring import restoring_scale, restoring_weights
from demo.core.settings import Settings
from demo.study.detectors import full_name, study_defences, study_detectors
from demo.study.gathering import OTHER_STUDY, gather
from demo.study.measuring import Row, study_judges
from demo.study.parts import Job, MeasureParts, Part, cut_into_parts, measure_part
from demo.study.run_folder import alone, begin, write_whole
from demo.study.samples import DataSet, Sample, samples_digest
from models.loading import LoadedDetector

Json = dict[str, object]
OnPart = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What a study asks.

    Attributes:
        methods: who restores.
        factors: every K.
        kernel: how crops are shrunk.
        seed: of every draw, of the data set's and of the intervals'.
        defences: whether the defences that ship are asked too, and all about JPEGs.
        white_box: how many samples, spread evenly, are also attacked by gradients.
    """

    methods: tuple[str, ...]
    factors: tuple[float, ...]
    kernel: str
    seed: int
    defences: bool = False
    white_box: int = 0

    def round_trips(self, crops: bool) -> tuple[Settings, ...]:
        """Every method at every K.

        Args:
            crops: whether the pictures are face crops.

        Raises:
            SettingsError: there is none, one comes twice, or one cannot be carried out.
        """
        asked = tuple(
            Settings(k, method, self.kernel, whole=crops)
            for method in self.methods
            for k in self.factors
        )
        if not asked or len(set(asked)) < len(asked):
            raise SettingsError(
                "A study needs one or more methods and K, each named once. Correct them."
            )
        return asked

    def attacked_by_gradients(self, samples: Sequence[Sample]) -> frozenset[str]:
        """Names of the samples that are.

        Raises:
            SettingsError: less than none is asked for, or some without the defences.
        """
        if self.white_box < 0 or (self.white_box and not self.defences):
            raise SettingsError(
                "The number of pictures attacked by gradients must be 0 or more, and they belong "
                "to the table of defences. Give --white-box N together with --defences."
            )
        count = min(self.white_box, len(samples))
        return frozenset(samples[len(samples) * one // count].name for one in range(count))


def run_study(
    data: DataSet,
    plan: Plan,
    toolbox: Toolbox,
    out: Path,
    on_part: OnPart,
    cards: Sequence[tuple[str, Path]] = (),
    elsewhere: MeasureParts | None = None,
) -> None:
    """Measure every sample of a data set; go on if the folder holds a part of the same study.

    Args:
        data: what it is run on.
        plan: what is asked.
        toolbox: the models.
        out: the study's folder; made where it is missing.
        on_part: called with the number of samples done and of all, at first and after each part;
            whatever it raises stops the run, which can go on later.
        cards: of the detectors, as ``detectors.study_detectors`` takes them.
        elsewhere: measures parts in other processes, such as ``workers.measure_in_processes`` does
            once it knows how many; None measures them here, one after another, and so is a single
            one.

    Raises:
        SettingsError: the folder holds another study or is in use, or the plan cannot be carried
            out, or the cards do not fit the data.
        WeightsError: a network is refused: a study with one missing would be another study.
    """
    if plan.defences and cards:
        raise SettingsError(
            "The defences stand against the detectors that ship, but --detectors asks others. "
            "Leave --defences or --detectors out."
        )
    round_trips = plan.round_trips(data.crops)
    white_box = plan.attacked_by_gradients(data.samples)
    detectors = study_detectors(toolbox.zoo, cards, data.forgeries)
    asked = study_defences(toolbox.zoo) if plan.defences else ()
    manifest = _manifest(data, plan, round_trips, detectors, toolbox, asked)
    with alone(out):
        (out / "parts").mkdir(exist_ok=True)
        begin(out, manifest, OTHER_STUDY)
        parts = cut_into_parts(data.samples)
        missing = [part for part in parts if not _file(out, part).exists()]
        done = len(data.samples) - sum(len(part.samples) for part in missing)
        on_part(done, len(data.samples))
        job = Job(
            data.read,
            data.crops,
            round_trips,
            tuple(cards),
            data.forgeries,
            str(manifest["device"]),
            asked,
            white_box,
        )
        here = partial(_measure_here, study_judges(detectors, asked, toolbox.zoo), toolbox)
        measure = here if elsewhere is None or len(missing) < 2 else elsewhere
        with closing(measure(job, missing)) as measured:
            for part, text in measured:
                write_whole(_file(out, part), text)
                done += len(part.samples)
                on_part(done, len(data.samples))
        gather(out, manifest, [_file(out, part) for part in parts], Row)


def study_name(data: DataSet, plan: Plan, toolbox: Toolbox) -> str:
    """A short name that only the same data, plan, weights, versions and device give.

    Args:
        data: what a study is run on.
        plan: what is asked.
        toolbox: the models.

    Returns:
        Sixteen hexadecimal digits, fit for a folder's name.

    Raises:
        SettingsError: the plan cannot be carried out.
        WeightsError: a network is refused.
    """
    detectors = study_detectors(toolbox.zoo, (), data.forgeries)
    asked = _manifest(data, plan, plan.round_trips(data.crops), detectors, toolbox)
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]


def _measure_here(
    judges: Sequence[Judge], toolbox: Toolbox, job: Job, parts: Sequence[Part]
) -> Generator[tuple[Part, str]]:
    for part in parts:
        yield part, measure_part(job, judges, toolbox, part)


def _manifest(
    data: DataSet,
    plan: Plan,
    round_trips: tuple[Settings, ...],
    detectors: Sequence[LoadedDetector],
    toolbox: Toolbox,
    defences: Sequence[Defence] = (),
) -> Json:
    weights = {
        full_name(one.card.name, one.trained_on): one.card.weights.sha256 for one in detectors
    }
    for defence in defences:
        weights |= defence_weights(defence, toolbox.zoo)
    for asked in round_trips:
        scale = restoring_scale(asked.k, asked.method, toolbox.zoo)
        restorer = restoring_weights(asked.method, scale, toolbox.zoo)
        weights |= {} if restorer is None else dict([restorer])
    return {
        "data": data.name,
        "samples": len(data.samples),
        "crops": data.crops,
        "samples_sha256": samples_digest(data),
        "plan": asdict(plan),
        **({"defences": [asdict(one) for one in defences]} if defences else {}),
        "weights": weights,
        "device": device_name(toolbox.zoo.device),
        "precision": toolbox.zoo.precision,
        "versions": dict(versions()),
    }


def _file(out: Path, part: Part) -> Path:
    return out / "parts" / f"{part.first:07d}.json"
