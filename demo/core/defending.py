"""Picture → what the plain detectors and the defences say about one face, clean and attacked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from demo.core.carrying_out import Job
from demo.core.defences import Defence, chosen_actions
from demo.core.errors import WeightsError
from demo.core.faces import Face, crop_box, cut
from demo.core.images import Picture
from demo.core.judges import Judge, find_judge
from demo.core.own_gradient import STEPS, GradientScore, ask_after_gradient
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
from demo.core.scoring import DetectorScore, compare
from demo.core.settings import Settings
from models.crop_actions import CropAction
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
        gradient: the defence after PGD along its own gradient; None where that was not asked for.
        plain_gradient: the same of the plain detector, along that one's own.
    """

    defence: Defence
    score: DetectorScore
    plain: DetectorScore | None
    actions: tuple[CropAction, ...] = ()
    gradient: GradientScore | None = None
    plain_gradient: GradientScore | None = None

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
        white_box: whether each network was also to be attacked along its own gradient.
    """

    attack: Attack
    target: Target
    scores: tuple[DefendedScore, ...]
    problems: tuple[str, ...]
    white_box: bool = False


@dataclass(frozen=True)
class _Answer:
    """What one judge was shown and said."""

    crops: tuple[Picture, Picture]
    score: DetectorScore
    gradient: GradientScore | None = None


def ask_defences(
    picture: Picture,
    settings: Settings,
    asked: Sequence[Defence],
    toolbox: Toolbox,
    on_step: OnStep = ignore_step,
    white_box: bool = False,
) -> Defending:
    """Attack a picture and ask defences, and the plain detectors behind them, about its face.

    Args:
        picture: uint8 RGB, H×W×3.
        settings: what to do; the chosen face is asked about.
        asked: some of ``defences.defences``.
        toolbox: the models; a network is loaded when it is first asked.
        on_step: called with the stage's name and the finished fraction in [0, 1] before each
            stage; whatever it raises stops the work.
        white_box: whether each network is also attacked along its own gradient, which ``NATURE``
            of ``own_gradient`` says in words.

    Returns:
        The record; a network that is refused is missing from the scores.

    Raises:
        DemoError: as ``picture_attack.attack_picture``.
    """
    picture, found = find_faces(picture, settings, toolbox, on_step)
    chosen = chosen_faces(picture, found, settings)
    job = Job(
        partial(_ask_defences, picture, found, settings, tuple(asked), white_box),
        factors=(settings.k,),
        pixels=attacked_pixels(picture, chosen, settings),
        # Each step of PGD goes through a network and back.
        crops=4 * len(asked) * (1 + white_box * 2 * STEPS),
    )
    made, notices = toolbox.carry_out(job, on_step)
    return replace(made, problems=(*notices, *made.problems))


def _ask_defences(
    picture: Picture,
    found: tuple[Face, ...],
    settings: Settings,
    asked: Sequence[Defence],
    white_box: bool,
    zoo: Zoo,
    on_step: OnStep,
) -> Defending:
    attack = attack_found(picture, found, settings, zoo, on_step)
    target = attack.targets[settings.face if len(attack.targets) > 1 else 0]
    answers: dict[str, _Answer] = {}
    problems: list[str] = []
    wanted = _titles(asked)
    # Gradients go through the networks as they were trained.
    judges = zoo.exact if white_box else zoo
    for place, (name, title) in enumerate(wanted.items()):
        done = 0.5 + 0.5 * place / len(wanted)
        on_step(title, done)
        try:
            judge = find_judge(name, judges)
            answers[name] = _ask(judge, attack, target)
            if white_box:
                on_step(f"{title}: PGD", done)
                answers[name] = _push(judge, answers[name])
        except WeightsError as refused:
            problems.append(str(refused))
    on_step("Done", 1.0)
    scores = tuple(_beside(one, answers, judges) for one in asked if one.name in answers)
    return Defending(attack, target, scores, tuple(dict.fromkeys(problems)), white_box)


def _titles(asked: Sequence[Defence]) -> dict[str, str]:
    """Everyone who is asked, each once and the plain ones first, by name, and for whose sake."""
    titles: dict[str, str] = {}
    for defence in asked:
        for name in filter(None, (defence.plain, defence.name)):
            titles.setdefault(name, defence.title)
    return titles


def _ask(judge: Judge, attack: Attack, target: Target) -> _Answer:
    """The face before and after, cut out as the network wants it, and what the judge says."""
    box = crop_box(target.face, judge.network.card.crop, attack.picture.shape[:2])
    crops = cut(attack.picture, box), cut(attack.attacked, box)
    before, after = judge.ask(crops)
    return _Answer(crops, compare(judge.network, before, after))


def _push(judge: Judge, answer: _Answer) -> _Answer:
    return replace(answer, gradient=ask_after_gradient(judge, *answer.crops, answer.score))


def _beside(defence: Defence, answers: Mapping[str, _Answer], zoo: Zoo) -> DefendedScore:
    own, plain = answers[defence.name], answers.get(defence.plain)
    return DefendedScore(
        defence=defence,
        score=own.score,
        plain=None if plain is None else plain.score,
        actions=chosen_actions(defence, own.crops, zoo),
        gradient=own.gradient,
        plain_gradient=None if plain is None else plain.gradient,
    )
