"""Picture → what the plain detectors and the defences say about one face, clean and attacked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from demo.core.carrying_out import Job
from demo.core.defences import (
    Defence,
    chosen_actions,
    defence_logits,
    defence_network,
    plain_network,
)
from demo.core.errors import WeightsError
from demo.core.faces import Face, crop_box, cut
from demo.core.images import Picture
from demo.core.picture_attack import (
    Attack,
    OnStep,
    Target,
    Toolbox,
    attack_found,
    attacked_pixels,
    chosen_faces,
    find_faces,
    ignore_step,
)
from demo.core.scoring import DetectorScore, compare, score_crops
from demo.core.settings import Settings
from models.crop_actions import CropAction
from models.loading import LoadedDetector
from models.zoo import Zoo


@dataclass(frozen=True)
class DefendedScore:
    """What a defence says about a face, beside the plain detector that it stands against.

    Attributes:
        defence: who was asked.
        score: its answers, clean and attacked.
        plain: the plain detector's; None where there is none, or it was refused.
        actions: what an input policy did to the clean crop and to the attacked one; empty for
            other defences.
    """

    defence: Defence
    score: DetectorScore
    plain: DetectorScore | None
    actions: tuple[CropAction, ...] = ()

    @property
    def keeps(self) -> bool:
        """Whether it keeps, attacked, the clean verdict that the plain detector changed."""
        return (
            self.plain is not None
            and self.plain.flipped
            and not self.score.flipped
            and self.score.clean_fake == self.plain.clean_fake
        )


@dataclass(frozen=True)
class Defending:
    """One face through the plain and the defended detectors.

    Attributes:
        attack: the picture before and after.
        target: the face that was asked about.
        scores: one a defence that could be asked, in the order asked.
        problems: a sentence for every network that was refused, and one where the work went to
            the CPU for want of a GPU.
    """

    attack: Attack
    target: Target
    scores: tuple[DefendedScore, ...]
    problems: tuple[str, ...]


def ask_defences(
    picture: Picture,
    settings: Settings,
    asked: Sequence[Defence],
    toolbox: Toolbox,
    on_step: OnStep = ignore_step,
) -> Defending:
    """Attack a picture and ask defences, and the plain detectors behind them, about its face.

    Args:
        picture: uint8 RGB, H×W×3.
        settings: what to do; the chosen face is asked about.
        asked: some of ``defences.defences``.
        toolbox: the models; a network is loaded when it is first asked.
        on_step: called with the stage's name and the finished fraction in [0, 1] before each
            stage; whatever it raises stops the work.

    Returns:
        The record; a network that is refused is missing from the scores.

    Raises:
        DemoError: as ``picture_attack.attack_picture``.
    """
    picture, found = find_faces(picture, settings, toolbox, on_step)
    chosen = chosen_faces(picture, found, settings)
    job = Job(
        partial(_ask_defences, picture, found, settings, tuple(asked)),
        factors=(settings.k,),
        pixels=attacked_pixels(picture, chosen, settings),
        crops=4 * len(asked),
    )
    made, notices = toolbox.carry_out(job, on_step)
    return replace(made, problems=(*notices, *made.problems))


def _ask_defences(
    picture: Picture,
    found: tuple[Face, ...],
    settings: Settings,
    asked: Sequence[Defence],
    zoo: Zoo,
    on_step: OnStep,
) -> Defending:
    attack = attack_found(picture, found, settings, zoo, on_step)
    target = attack.targets[settings.face if len(attack.targets) > 1 else 0]
    plain: dict[str, DetectorScore | None] = {}
    scores: list[DefendedScore] = []
    problems: list[str] = []
    for place, defence in enumerate(asked):
        on_step(defence.title, 0.5 + 0.5 * place / len(asked))
        if defence.plain not in plain:
            plain[defence.plain] = _plain_score(defence, attack, target, zoo, problems)
        try:
            network = defence_network(defence, zoo)
            crops = _crops(network, attack, target)
            before, after = defence_logits(defence, crops, zoo)
            actions = chosen_actions(defence, crops, zoo)
        except WeightsError as refused:
            problems.append(str(refused))
            continue
        score = compare(network, before, after)
        scores.append(DefendedScore(defence, score, plain[defence.plain], actions))
    on_step("Done", 1.0)
    return Defending(attack, target, tuple(scores), tuple(dict.fromkeys(problems)))


def _plain_score(
    defence: Defence, attack: Attack, target: Target, zoo: Zoo, problems: list[str]
) -> DetectorScore | None:
    try:
        network = plain_network(defence, zoo)
        if network is None:
            return None
        before, after = score_crops(network, _crops(network, attack, target), zoo.device)
        return compare(network, before, after)
    except WeightsError as refused:
        problems.append(str(refused))
        return None


def _crops(network: LoadedDetector, attack: Attack, target: Target) -> list[Picture]:
    """The face before and after, as a network wants it cut out."""
    box = crop_box(target.face, network.card.crop, attack.picture.shape[:2])
    return [cut(attack.picture, box), cut(attack.attacked, box)]
