import pytest

from models.__main__ import every_card, figures_table, main, verify
from models.cards import DEFENCE_NAMES
from models.zoo import Zoo
from tests.made_models import ModelFolders


def test_verify_names_every_refused_network(own: ModelFolders) -> None:
    """What is not there is refused too: of these networks no defence was made."""
    (own.weights / "edsr_x4.safetensors").unlink()
    (own.cards / "xception.json").unlink()
    refused = verify(Zoo("cpu", folder=own.weights, cards=own.cards))
    assert list(refused) == ["edsr_x4", "xception", *DEFENCE_NAMES]


def test_the_table_has_every_figure_with_its_interval(random_models: ModelFolders) -> None:
    folder = random_models.cards
    rows = figures_table(every_card(folder)).splitlines()
    assert len(rows) == 2 + 6 + 2 + 1
    assert "| EDSR ×2 | PSNR | 30 dB | – | nothing, n = 0 | ×2 |" in rows
    assert "| ResNet50 | AUC | 0.5 | 0.45 to 0.55 | nothing, n = 0 | clean |" in rows
    assert "| ResNet50 with a mask | TPR | 50 % | 40 to 60 % | nothing, n = 0 | clean |" in rows
    assert {row.count("|") for row in rows} == {7}


def test_an_unknown_command_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["polish"])
    assert exit_.value.code == 2
    assert "polish" in capsys.readouterr().err


def test_verify_names_a_refused_policy(own: ModelFolders) -> None:
    (own.weights / "policy_mask_resnet50.safetensors").unlink()
    refused = verify(Zoo("cpu", folder=own.weights, cards=own.cards))
    assert "The weights of ResNet50 with a mask are refused" in refused["policy_mask_resnet50"]
    assert "policy_actions_resnet50" not in refused
