"""The commands of the reinforcement-learning defence: train a policy, and measure what ships."""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from demo.core.policies import choose
from demo.defences import policy_figures as figures
from demo.defences.policy_crops import (
    Answers,
    PolicyCrops,
    answers_file,
    ask_actions,
    attack_each,
    of_pairs,
)
from demo.defences.policy_training import PLANS, begin_policy, card_so_far, learn
from demo.defences.round_trips import read_round_trips
from demo.study.table import comma_separated, markdown
from models.card_files import CARDS_FOLDER, write_card
from models.cards import Origin
from models.crop_actions import CROP_ACTIONS
from models.loading import LoadedPolicy
from models.policy_card import POLICY_NAMES, PolicyCard
from models.training.faces import read_faces
from models.training.ship import FIXED_CROPS, TERMS, subset
from models.weights import WEIGHTS_FOLDER, save_weights
from models.zoo import Zoo

DETECTOR: Final = "resnet50"
WORK: Final = Path("runs")
TABLES: Final = Path("assets/defences")
TRAIN_TRIPS: Final = 3000
VAL_TRIPS: Final = 200
TRIPS_SEED: Final = 5
TEST_SEED: Final = 0
WATCHED: Final = 500
DATA: Final = (
    "DFDC face crops (Dolhansky et al. 2020, arXiv 2006.07397), train split by source video: {} "
    "crops, {}, and the verdicts of {} on them. Actors appear in several videos, so train, val and "
    "test share actors."
)


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `policy`."""
    parser.add_argument("--name", choices=POLICY_NAMES, required=True)
    parser.add_argument("--pairs", type=int, default=400, help="pairs of the train split")
    parser.add_argument("--episodes", type=int, help="as many as the report had, 5,000")
    parser.add_argument("--hardware", required=True)
    parser.add_argument(
        "--train-trips",
        type=int,
        default=TRAIN_TRIPS,
        help="pairs to attack, of which the first are taken; as many as the robust recipe shares",
    )
    _add_common(parser)


def run_policy(arguments: argparse.Namespace) -> None:
    """Train a policy, store its weights, and write its card, still without figures."""
    torch.set_num_threads(arguments.threads)
    (plan,) = (one for one in PLANS if one.name == arguments.name)
    plan = replace(plan, episodes=arguments.episodes or plan.episodes)
    asking = _asking(arguments)
    # The answers to learn from may be quick ones; those that figures are made of are in float32.
    quick = replace(asking, zoo=asking.zoo.in_bfloat16())
    crops = _pairs(asking, "train", arguments.train_trips, arguments.pairs)
    answers = _answers(crops, quick, _of_pairs("train", arguments.pairs))
    val, val_answers = _val(asking)
    kept = np.flatnonzero(~crops.attacked | plan.attacked)
    places = [CROP_ACTIONS.index(action) for action in plan.actions]
    card = card_so_far(plan, asking.zoo.detector(DETECTOR).card)
    network = begin_policy(card, plan.seed)
    curve: list[tuple[float, float]] = []
    progress = tqdm(total=plan.episodes, desc=plan.name)

    def watch(done: int) -> None:
        progress.update()
        if done % WATCHED == 0 or done == plan.episodes:
            accuracy = _balanced_accuracy(LoadedPolicy(card, network), val, val_answers)
            curve.append((float(done), round(accuracy, 4)))
            progress.set_postfix(val=f"{accuracy:.4f}")

    begun = time.monotonic()
    learn(network, card, crops.pictures[kept], answers.right[kept][:, places], plan, watch)
    weights = save_weights(
        network.state_dict(), arguments.weights / card.weights.file, card.weights.encoding
    )
    met = "clean and after a round trip of random K and method" if plan.attacked else "clean"
    origin = Origin(
        data=DATA.format(f"{len(kept):,}", met, card.detector),
        terms=TERMS,
        recipe=(
            f"Q-learning in {plan.episodes:,} episodes of one step, ε-greedy from 1 to 0.01 at "
            f"×0.995, Adam at {plan.rate:g}, squared error, {plan.replayed} replayed episodes "
            "beside each new one; reward 1 for a right verdict and -1 for a wrong one. The last "
            "weights are shipped; nothing was chosen on val."
        ),
        hours=round((time.monotonic() - begun) / 3600, 3),
        hardware=arguments.hardware,
        seed=plan.seed,
        curve=tuple(curve),
        curve_label="episodes; balanced accuracy on clean and attacked val crops",
    )
    write_card(replace(card, weights=weights, origin=origin), arguments.cards / f"{card.name}.json")


def add_policy_figures_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of `policy-figures`."""
    parser.add_argument(
        "--split",
        choices=("val", "test"),
        default="val",
        help="val: print only; test: also onto the cards and into assets/defences",
    )
    _add_common(parser)


def run_policy_figures(arguments: argparse.Namespace) -> None:
    """Measure the policies that ship beside single actions and a random choice."""
    torch.set_num_threads(arguments.threads)
    asking = _asking(arguments)
    policies = [asking.zoo.policy(plan.name) for plan in PLANS]
    val, val_answers = _val(asking)
    crops, answers = val, val_answers
    if arguments.split == "test":
        crops, answers = _test_crops(asking)
    on = f"DFDC {arguments.split} split"
    count = len(crops.fake)
    best = figures.best_single_action(val_answers, CROP_ACTIONS)
    ways = {
        f"always {action}": figures.same_for_all(action, count)
        for action in dict.fromkeys(("leave", "mask", best))
    }
    notes: list[str] = []
    cards: list[PolicyCard] = []
    for policy in policies:
        card = policy.card
        chosen = _chosen(policy, crops)
        single = figures.best_single_action(val_answers, card.actions)
        ways[f"random of {len(card.actions)}"] = figures.at_random(card.actions, count, TEST_SEED)
        ways[card.name] = chosen
        found = figures.compared(crops, answers, chosen, single)
        said = figures.sentence(card, single, found, f"clean and attacked crops, {on}")
        notes += [said, figures.shares(card, chosen, crops.attacked)]
        measured = figures.card_figures(crops, answers, chosen, single, on)
        cards.append(replace(card, figures=measured, note=said))
    table = figures.policies_table(crops, answers, ways, on, tuple(notes))
    print(markdown(table))
    if arguments.split == "test":
        TABLES.mkdir(parents=True, exist_ok=True)
        (TABLES / "policies.md").write_text(markdown(table), encoding="utf-8")
        (TABLES / "policies.csv").write_text(comma_separated(table), encoding="utf-8")
        for card in cards:
            write_card(card, arguments.cards / f"{card.name}.json")


@dataclass(frozen=True)
class _Asking:
    """Where crops come from, whom they are asked of, and where both are kept between runs."""

    data: Path
    zoo: Zoo
    work: Path
    val_pairs: int

    @property
    def cache(self) -> Path:
        return self.work / "cache"


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with dfdc_faces")
    parser.add_argument("--val-pairs", type=int, default=VAL_TRIPS, help="pairs of the val split")
    parser.add_argument("--weights", type=Path, default=WEIGHTS_FOLDER, help="folder, as shipped")
    parser.add_argument("--cards", type=Path, default=CARDS_FOLDER, help="folder, as shipped")
    parser.add_argument("--work", type=Path, default=WORK, help="what is kept between runs")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())


def _asking(arguments: argparse.Namespace) -> _Asking:
    zoo = Zoo("cpu", folder=arguments.weights, cards=arguments.cards)
    return _Asking(arguments.data / "dfdc_faces", zoo, arguments.work, arguments.val_pairs)


def _pairs(asking: _Asking, split: str, drawn: int, pairs: int) -> PolicyCrops:
    faces = read_faces(asking.data, split, asking.cache)
    trips = read_round_trips(faces, split, drawn, TRIPS_SEED, asking.cache, asking.zoo)
    return of_pairs(faces, trips, pairs)


def _of_pairs(split: str, pairs: int) -> str:
    return f"{split}_{pairs}_pairs_{TRIPS_SEED}"


def _val(asking: _Asking) -> tuple[PolicyCrops, Answers]:
    crops = _pairs(asking, "val", asking.val_pairs, asking.val_pairs)
    return crops, _answers(crops, asking, _of_pairs("val", asking.val_pairs))


def _test_crops(asking: _Asking) -> tuple[PolicyCrops, Answers]:
    faces = subset(read_faces(asking.data, "test", asking.cache), FIXED_CROPS, seed=0)
    crops = attack_each(faces, TEST_SEED, asking.zoo)
    return crops, _answers(crops, asking, f"test_{FIXED_CROPS}_crops_{TEST_SEED}")


def _answers(crops: PolicyCrops, asking: _Asking, of: str) -> Answers:
    loaded = asking.zoo.detector(DETECTOR)
    file = answers_file(asking.work / "policy", loaded, asking.zoo, of)
    return ask_actions(loaded, crops, asking.zoo, file)


def _chosen(policy: LoadedPolicy, crops: PolicyCrops) -> npt.NDArray[np.int64]:
    names = choose(policy, [np.asarray(picture) for picture in crops.pictures])
    return np.array([CROP_ACTIONS.index(name) for name in names])


def _balanced_accuracy(policy: LoadedPolicy, crops: PolicyCrops, answers: Answers) -> float:
    chosen = _chosen(policy, crops)
    right = answers.right[np.arange(len(chosen)), chosen]
    return float(right[crops.fake].mean() + right[~crops.fake].mean()) / 2
