"""Detectors trained as in arXiv 2407.02670: a set for each forgery, or one for all.

Train is learnt from, val chooses the epoch and the threshold, and test is looked at once, at the
end, on the file of weights as it was stored.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from demo.core.errors import SettingsError, WeightsError
from demo.core.faces import FaceDetector
from demo.study.face_crops import FaceCrops, extract_faces
from demo.study.run_folder import alone, write_whole
from demo.study.samples import PRISTINE, DataSet
from demo.study.trained_card import Story, write_trained_card
from models.cards import Architecture, CropPolicy, DetectorName
from models.detectors import build_detector
from models.hub import Hub, HubError
from models.training.imagenet import TAGS, begin_with_imagenet, fetch_imagenet
from models.training.paper_recipe import RANDOM_START, Crops, Recipe, train_by_epochs
from models.training.ship import NAMES

SPLITS: Final = ("train", "val", "test")
ARCHITECTURES: Final[Mapping[DetectorName, Architecture]] = {
    name: architecture for architecture, (name, _) in NAMES.items()
}
# A tenth of the face's box is added on each side, as the authors' code does.
PAPER_CROP: Final = CropPolicy(scale=1.2, shift=0.0)
DECAY: Final = 1e-7
SWIN_SIDE: Final = 224
LEAST_SIDE: Final = 32
TOGETHER: Final = "together"
REFUSED: Final = "refused.json"
TERMS: Final = "FaceForensics++ terms of use: research and education only."


@dataclass(frozen=True)
class Machine:
    """Where and how fast; on the CPU nothing here changes the weights.

    Attributes:
        device: of the networks; faces are always found on the CPU.
        workers: threads that cut out faces, and processes that augment them; 0 augments in the
            training process.
    """

    device: torch.device
    workers: int

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise SettingsError(
                f"The number of workers must be 0 or more, but {self.workers} came. Choose more."
            )


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained, and how.

    Attributes:
        detectors: which architectures, each once.
        forgeries: which forgeries, each with detectors of its own.
        together: one set of detectors for all forgeries instead.
        side: of the crops and of the networks' input, px.
        epochs: passes over the crops.
        batch: crops a step.
        rate: learning rate at first.
        seed: of every draw.
        from_scratch: begin with random numbers; otherwise with ImageNet weights.
        starts: files of ImageNet weights, for a machine that cannot fetch them.
    """

    detectors: tuple[DetectorName, ...]
    forgeries: tuple[str, ...]
    together: bool
    side: int
    epochs: int
    batch: int
    rate: float
    seed: int
    from_scratch: bool
    starts: Mapping[DetectorName, Path]

    def __post_init__(self) -> None:
        for name in (*self.detectors, *self.starts):
            if name not in ARCHITECTURES:
                raise SettingsError(
                    f"The architecture must be one of {', '.join(ARCHITECTURES)}, but {name!r} "
                    "came. Choose one of them."
                )
        if not self.detectors or len(set(self.detectors)) < len(self.detectors):
            raise SettingsError(
                "One or more architectures were expected, each named once. Correct them."
            )
        for what, came, least in (
            ("number of epochs", self.epochs, 1),
            ("number of crops a step", self.batch, 2),
            ("side of the input", self.side, LEAST_SIDE),
            ("seed", self.seed, 0),
        ):
            if came < least:
                raise SettingsError(
                    f"The {what} must be {least} or more, but {came} came. Choose a larger one."
                )
        if not 0 < self.rate < 10:
            raise SettingsError(
                f"The learning rate must lie between 0 and 10, but {self.rate:g} came. The paper's "
                "is 0.01."
            )
        if "swin_small" in self.detectors and self.side != SWIN_SIDE:
            raise SettingsError(
                f"The input of swin_small has a side of {SWIN_SIDE} px, but {self.side} came. "
                "Choose that size, or leave swin_small out."
            )

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Name of each set of detectors, and the forgeries that it learns."""
        if self.together:
            return {TOGETHER: self.forgeries}
        return {forgery: (forgery,) for forgery in self.forgeries}


def train_detectors(
    splits: Mapping[str, DataSet],
    plan: TrainingPlan,
    faces: FaceDetector,
    machine: Machine,
    hub: Hub,
    out: Path,
) -> tuple[Path, ...]:
    """Train every detector of a plan in a folder, or go on where it was broken off.

    The folder then holds ``FORGERY/NAME.json``, the card, beside ``FORGERY/NAME.safetensors``, and
    ``refused.json``, the list of the pictures without a crop. A detector that has its card is not
    measured again. Progress goes to standard error.

    Args:
        splits: data by each of ``SPLITS``.
        plan: what is trained, and how.
        faces: finds the faces.
        machine: where it runs.
        hub: has the ImageNet weights.
        out: the folder.

    Returns:
        The cards' files.

    Raises:
        SettingsError: the folder holds another training or is in use, or a split lacks a class.
        WeightsError: a start cannot be had, or a training went astray.
    """
    starts = {} if plan.from_scratch else _fetch_starts(plan, hub)
    with alone(out):
        crops = {
            split: extract_faces(
                splits[split],
                PAPER_CROP,
                plan.side,
                faces,
                max(1, machine.workers),
                out / "crops" / split,
            )
            for split in SPLITS
        }
        _list_refused(crops, out)
        for group, forgeries in plan.groups.items():
            for split in SPLITS:
                _check_classes(crops[split], split, group, forgeries)
        return tuple(
            _train(name, group, plan, crops, splits, starts.get(name), machine, out)
            for group in plan.groups
            for name in plan.detectors
        )


def _fetch_starts(plan: TrainingPlan, hub: Hub) -> dict[DetectorName, Path]:
    """Fetch and try them, before anything that takes long.

    A random start in their place would be another experiment.
    """
    starts = dict(plan.starts)
    for name in plan.detectors:
        try:
            if name not in starts:
                starts[name] = fetch_imagenet(ARCHITECTURES[name], hub)
            begin_with_imagenet(ARCHITECTURES[name], starts[name])
        except HubError as problem:
            raise WeightsError(
                f"The paper's {name} begins with timm's ImageNet weights, but {problem}. Give "
                f"their file by --start {name}=FILE, or say --from-scratch to begin with random "
                "numbers, which is not the paper's training."
            ) from None
    return starts


def _list_refused(crops: Mapping[str, FaceCrops], out: Path) -> None:
    refused = [
        {"split": split} | asdict(one) for split, found in crops.items() for one in found.refused
    ]
    write_whole(out / REFUSED, json.dumps(refused, indent=2, ensure_ascii=False) + "\n")


def _check_classes(crops: FaceCrops, split: str, group: str, forgeries: tuple[str, ...]) -> None:
    for label, wanted in (("pristine", (PRISTINE,)), ("fake", forgeries)):
        sources = {one.source for one in crops.samples if one.forgery in wanted}
        if len(sources) < 2:
            raise SettingsError(
                f"Training for {group} needs {label} faces of two or more videos in the {split} "
                f"split, but there are faces of {len(sources)}. See {REFUSED} in the folder."
            )


def _train(
    name: DetectorName,
    group: str,
    plan: TrainingPlan,
    crops: Mapping[str, FaceCrops],
    splits: Mapping[str, DataSet],
    start: Path | None,
    machine: Machine,
    out: Path,
) -> Path:
    architecture = ARCHITECTURES[name]
    forgeries = plan.groups[group]
    torch.manual_seed(plan.seed)
    network = (
        build_detector(architecture) if start is None else begin_with_imagenet(architecture, start)
    )
    recipe = Recipe(
        architecture=architecture,
        start=_start_in_words(architecture, start),
        epochs=plan.epochs,
        batch=plan.batch,
        rate=plan.rate,
        decay=DECAY,
        seed=plan.seed,
    )
    train, val, test = (_of_forgeries(crops[split], forgeries) for split in SPLITS)
    card = out / group / f"{name}.json"
    trained = train_by_epochs(
        network,
        recipe,
        train,
        val,
        machine.device,
        machine.workers,
        card.with_suffix(".checkpoint"),
    )
    if not card.exists():
        story = Story(
            data=_data_in_words(crops, splits["train"], forgeries, len(train.chosen)),
            terms=TERMS,
            val=_measured_on(splits["val"], forgeries),
            test=_measured_on(splits["test"], forgeries),
            crop=PAPER_CROP,
        )
        write_trained_card(card, story, recipe, trained, val, test, machine.device)
    return card


def _of_forgeries(crops: FaceCrops, forgeries: tuple[str, ...]) -> Crops:
    """The pristine crops and those of some forgeries."""
    wanted = (PRISTINE, *forgeries)
    chosen = [place for place, one in enumerate(crops.samples) if one.forgery in wanted]
    samples = [crops.samples[place] for place in chosen]
    return Crops(
        pictures=crops.pictures,
        chosen=np.array(chosen),
        fake=np.array([one.fake for one in samples]),
        source=np.array([one.source for one in samples]),
    )


def _start_in_words(architecture: Architecture, file: Path | None) -> str:
    if file is None:
        return RANDOM_START
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"ImageNet-1k weights (timm {architecture}.{TAGS[architecture]}, sha256 {sha256[:12]}…)"


def _data_in_words(
    crops: Mapping[str, FaceCrops], train: DataSet, forgeries: tuple[str, ...], count: int
) -> str:
    refused = ", ".join(f"{len(crops[split].refused)} of {split}" for split in SPLITS)
    return (
        f"{train.name}. Of these the largest face of each pristine picture and of each of "
        f"{', '.join(forgeries)}: {count:,} crops. Pictures without a usable face, listed in "
        f"{REFUSED}: {refused}."
    )


def _measured_on(data: DataSet, forgeries: tuple[str, ...]) -> str:
    return f"{data.name}: {', '.join(forgeries)} against pristine"
