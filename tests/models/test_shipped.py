from models.__main__ import every_card, figures_table, verify
from models.card_files import CARDS_FOLDER
from models.cards import DETECTOR_NAMES, SUPER_RESOLUTION_NAMES
from models.names import SHIPPED_NAMES
from models.weights import WEIGHTS_FOLDER
from models.zoo import Zoo

MEGABYTE = 1_000_000


def test_every_network_ships_with_a_card() -> None:
    assert tuple(card.name for card in every_card()) == SHIPPED_NAMES


def test_every_shipped_file_is_the_one_on_its_card() -> None:
    assert verify(Zoo("cpu")) == {}


def test_no_file_is_over_100_megabytes_and_all_together_are_not_over_350() -> None:
    sizes = [card.weights.bytes for card in every_card()]
    assert max(sizes) < 100 * MEGABYTE
    assert sum(sizes) < 350 * MEGABYTE


def test_no_other_file_lies_beside_the_weights() -> None:
    listed = {card.weights.file for card in every_card()}
    assert {path.name for path in WEIGHTS_FOLDER.iterdir()} == listed


def test_every_card_says_what_was_measured_and_where_the_weights_come_from() -> None:
    for card in every_card():
        assert card.figures
        assert any(figure.low is not None for figure in card.figures)
        assert card.origin.data
        assert card.origin.terms
        assert len(card.origin.curve) > 1


def test_the_list_of_figures_is_what_the_command_prints() -> None:
    listed = (CARDS_FOLDER.parent / "figures.md").read_text(encoding="utf-8")
    assert listed == figures_table(every_card()) + "\n"


def test_the_readme_shows_the_figures_of_the_main_networks() -> None:
    readme = (CARDS_FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    table = readme.split("<!-- figures -->")[1].strip().split("\n\n")[0]
    main = (*SUPER_RESOLUTION_NAMES, *DETECTOR_NAMES)
    assert table == figures_table(tuple(card for card in every_card() if card.name in main))
