"""Defences: which ship, at which threshold each is read, and what is said of one face."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from demo.core.defences import (
    ENSEMBLE,
    KINDS,
    KNOWN,
    chosen_actions,
    defence_logits,
    defence_network,
    defence_weights,
    defences,
    find_defences,
)
from demo.core.defending import DefendedScore, ask_defences
from demo.core.errors import WeightsError
from demo.core.faces import FaceDetector
from demo.core.images import Picture
from demo.core.judges import detector_judge
from demo.core.own_gradient import ask_after_gradient
from demo.core.picture_attack import Toolbox
from demo.core.policies import choose, defended_logits
from demo.core.scoring import DetectorScore, compare, score_crops
from demo.core.settings import Settings
from demo.core.white_box import attack_at_equal_psnr, root_mean_square
from models.card_files import read_detector_card, write_card
from models.cards import DEFENCE_NAMES
from models.ensemble import SMALL_ENSEMBLE
from models.policy_card import POLICY_NAMES
from models.zoo import Zoo
from tests.made_models import DEFENCES, ModelFolders

BICUBIC = Settings(method="bicubic")


def score(clean: float, attacked: float) -> DetectorScore:
    return DetectorScore("one", "One", clean, attacked, 0.0, 0.0, threshold=0.5)


def test_every_card_of_a_defence_has_a_title_a_kind_and_something_to_stand_against() -> None:
    assert {one.name for one in KNOWN} == {*DEFENCE_NAMES, *POLICY_NAMES, ENSEMBLE}
    assert {one.kind for one in KNOWN} <= set(KINDS)
    assert [one.name for one in KNOWN if not one.plain] == ["small"]
    assert len({one.title for one in KNOWN}) == len({one.name for one in KNOWN}) == len(KNOWN)


def test_what_ships_is_what_has_a_card_and_an_ensemble_needs_all_its_members(
    defended_zoo: Zoo, random_zoo: Zoo, defended_models: ModelFolders, tmp_path: Path
) -> None:
    assert {one.name for one in defences(defended_zoo)} == {*DEFENCES, *POLICY_NAMES, ENSEMBLE}
    assert [one.name for one in defences(random_zoo)] == list(POLICY_NAMES)
    assert defences(Zoo("cpu", cards=tmp_path)) == ()
    shutil.copy(defended_models.cards / "small.json", tmp_path)
    assert [one.name for one in defences(Zoo("cpu", cards=tmp_path))] == ["small"]
    with pytest.raises(WeightsError, match="'resnet50_robust' is not there: expected small;"):
        find_defences(["resnet50_robust"], Zoo("cpu", cards=tmp_path))


def test_a_robust_detector_is_read_at_the_plain_threshold_and_others_at_their_own(
    defended_zoo: Zoo,
) -> None:
    robust, small = find_defences(["resnet50_robust", "small"], defended_zoo)
    assert defended_zoo.defence("resnet50_robust").card.threshold == 0.3
    plain = defended_zoo.detector("resnet50").card.threshold
    assert defence_network(robust, defended_zoo).card.threshold == plain == 0.5
    assert defence_network(small, defended_zoo).card == defended_zoo.defence("small").card


def test_the_ensemble_is_the_mean_of_its_members_logits_and_thresholds(
    defended_zoo: Zoo, defended_models: ModelFolders, astronaut: Picture, tmp_path: Path
) -> None:
    (ensemble,) = find_defences([ENSEMBLE], defended_zoo)
    crops = [astronaut[:200, 100:300], astronaut[:100, 100:300]]
    members = [
        score_crops(defended_zoo.defence(name), crops, defended_zoo.device)
        for name in SMALL_ENSEMBLE
    ]
    mean = [sum(logits) / 3 for logits in zip(*members, strict=True)]
    assert defence_logits(ensemble, crops, defended_zoo) == pytest.approx(mean, abs=1e-5)
    shutil.copytree(defended_models.cards, tmp_path, dirs_exist_ok=True)
    for name, threshold in zip(SMALL_ENSEMBLE, (0.2, 0.5, 0.9), strict=True):
        file = tmp_path / f"{name}.json"
        write_card(replace(read_detector_card(file), threshold=threshold), file)
    other = Zoo("cpu", folder=defended_models.weights, cards=tmp_path)
    odds = defence_network(ensemble, other).card.threshold
    expected = (math.log(0.25) + 0 + math.log(9)) / 3
    assert math.log(odds / (1 - odds)) == pytest.approx(expected)
    write_card(replace(read_detector_card(file), input_size=224), file)
    with pytest.raises(WeightsError, match="prepare a crop alike"):
        defence_network(ensemble, Zoo("cpu", folder=defended_models.weights, cards=tmp_path))


def test_a_face_is_asked_about_clean_and_attacked_beside_the_plain_detector(
    defended_zoo: Zoo, astronaut: Picture
) -> None:
    toolbox = Toolbox(defended_zoo, FaceDetector())
    asked = find_defences(["resnet50_robust", "small"], defended_zoo)
    steps: list[str] = []
    found = ask_defences(
        astronaut,
        replace(BICUBIC, whole=True),
        asked,
        toolbox,
        lambda name, done: steps.append(name),
    )
    robust, small = found.scores
    crops = [found.attack.picture, found.attack.attacked]
    assert [robust.score.clean_logit, robust.score.attacked_logit] == defence_logits(
        asked[0], crops, defended_zoo
    )
    assert robust.plain is not None
    plain = score_crops(defended_zoo.detector("resnet50"), crops, defended_zoo.device)
    assert [robust.plain.clean_logit, robust.plain.attacked_logit] == plain
    assert small.plain is None
    assert "ResNet50, robust" in steps and "Small network" in steps
    assert not found.problems


def test_an_input_policy_changes_the_crop_before_its_detector_sees_it_and_says_how(
    defended_zoo: Zoo, astronaut: Picture
) -> None:
    names = ["policy_actions_resnet50", "small"]
    policy, small = find_defences(names, defended_zoo)
    loaded, detector = defended_zoo.policy(policy.name), defended_zoo.detector("resnet50")
    crops = [astronaut[:200, 100:300], astronaut[:100, 100:300]]
    assert defence_logits(policy, crops, defended_zoo) == defended_logits(
        loaded, detector, crops, defended_zoo.device
    )
    assert defence_network(policy, defended_zoo) == detector
    toolbox = Toolbox(defended_zoo, FaceDetector())
    found = ask_defences(astronaut, replace(BICUBIC, whole=True), [small, policy], toolbox)
    other, own = found.scores
    assert own.actions == tuple(choose(loaded, [found.attack.picture, found.attack.attacked]))
    assert other.actions == chosen_actions(small, crops, defended_zoo) == ()
    assert list(defence_weights(policy, defended_zoo)) == [policy.name]


def test_a_refused_network_is_said_and_the_others_answer(
    defended_models: ModelFolders, astronaut: Picture, tmp_path: Path
) -> None:
    missing = {"resnet50": tmp_path / "none", "small_residual": tmp_path / "none"}
    zoo = Zoo("cpu", folder=defended_models.weights, cards=defended_models.cards, given=missing)
    found = ask_defences(
        astronaut, replace(BICUBIC, whole=True), defences(zoo), Toolbox(zoo, FaceDetector())
    )
    assert [one.defence.name for one in found.scores] == ["small", "small_attention"]
    assert len(found.problems) == 2, "each is said once, whoever needs it"
    assert found.scores[1].plain == found.scores[0].score


@pytest.mark.parametrize(
    ("plain", "defended", "keeps"),
    [
        (score(0.8, 0.2), score(0.7, 0.6), True),
        (score(0.8, 0.2), score(0.7, 0.4), False),
        (score(0.8, 0.7), score(0.7, 0.6), False),
        (score(0.8, 0.2), score(0.3, 0.4), False),
        (None, score(0.7, 0.6), False),
    ],
)
def test_a_verdict_is_kept_where_the_plain_one_changed_it_and_the_defence_did_not(
    plain: DetectorScore | None, defended: DetectorScore, keeps: bool
) -> None:
    assert DefendedScore(KNOWN[0], defended, plain).keeps is keeps


def test_each_network_is_attacked_along_its_own_gradient_as_far_as_the_round_trip_goes(
    defended_zoo: Zoo, astronaut: Picture
) -> None:
    names = ["policy_actions_resnet50", "small", "small_residual"]
    asked = find_defences(names, defended_zoo)
    toolbox = Toolbox(defended_zoo, FaceDetector())
    settings = replace(BICUBIC, whole=True)
    steps: list[str] = []
    crop = astronaut[:200, 120:320]
    found = ask_defences(
        crop, settings, asked, toolbox, lambda name, done: steps.append(name), white_box=True
    )
    assert [one.score for one in found.scores] == [
        one.score for one in ask_defences(crop, settings, asked, toolbox).scores
    ]
    policy, small, residual = found.scores
    for one in found.scores:
        assert one.gradient is not None and one.gradient.found
        assert one.gradient.psnr_db == pytest.approx(one.gradient.round_trip_psnr_db, abs=0.1)
        assert one.gradient.score.clean_logit == one.score.clean_logit
    rms = root_mean_square(crop, found.attack.attacked)
    network = defended_zoo.defence("small_residual")
    pushed = attack_at_equal_psnr(network, crop, rms, residual.score.clean_fake)
    assert residual.gradient is not None
    assert [residual.gradient.score.attacked_logit] == defence_logits(
        asked[2], [pushed], defended_zoo
    )
    pushed = attack_at_equal_psnr(
        defended_zoo.detector("resnet50"), crop, rms, policy.score.clean_fake
    )
    assert policy.gradient is not None
    assert [policy.gradient.score.attacked_logit] == defence_logits(
        asked[0], [pushed], defended_zoo
    ), "the policy acts before its detector sees what the detector's gradient made"
    assert policy.plain_gradient is not None and residual.plain_gradient == small.gradient
    assert small.plain_gradient is None
    assert {"Small network: PGD", "Small, residual: PGD"} <= set(steps)


def test_without_the_wish_no_gradient_is_followed(defended_zoo: Zoo, astronaut: Picture) -> None:
    asked = find_defences(["small"], defended_zoo)
    toolbox = Toolbox(defended_zoo, FaceDetector())
    found = ask_defences(astronaut, replace(BICUBIC, whole=True), asked, toolbox)
    assert not found.white_box and found.scores[0].gradient is None


def test_a_crop_stays_as_it_is_where_the_gradient_is_zero(
    defended_zoo: Zoo, astronaut: Picture
) -> None:
    class Deaf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return self.weight + 0 * batch.mean(dim=(1, 2, 3))[:, None]

    loaded = replace(defended_zoo.detector("resnet50"), network=Deaf().eval())
    judge = detector_judge(loaded, defended_zoo)
    clean = astronaut[:64, :64]
    said = compare(loaded, 1.0, 1.0)
    found = ask_after_gradient(judge, clean, 255 - clean, said)
    assert not found.found and math.isinf(found.psnr_db)
    assert found.score.attacked_logit == found.score.clean_logit == 1.0
    same = ask_after_gradient(judge, clean, clean, said)
    assert same.found, "there was nothing to be changed"
