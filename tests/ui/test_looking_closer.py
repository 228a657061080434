"""Looking closer at the crops on show costs no analysis."""

import gradio as gr
import numpy as np
import pytest

from demo.ui.looking_closer import look_closer, place_window
from demo.ui.panel import SKIP, Crops


def select(x: object, y: object) -> gr.SelectData:
    return gr.SelectData(None, {"index": [x, y], "value": None})


def test_looking_closer_needs_nothing_but_the_crops() -> None:
    numbers = np.random.default_rng(3)
    crops = Crops(*(numbers.integers(0, 256, (90, 60, 3), dtype=np.uint8) for _ in range(2)))
    difference, before, after, apart, place = look_closer(crops, 4, 0, 100, 16)
    assert "×4" in difference["label"]
    assert "×4" in apart["label"]
    assert "(0, 74)" in place
    assert np.array_equal(before[::24, ::24], crops.clean[74:90, :16])
    assert np.array_equal(after[::24, ::24], crops.attacked[74:90, :16])


def test_looking_closer_at_nothing_changes_nothing() -> None:
    assert look_closer(None, 4, 50, 50, 16) == (SKIP,) * 5


@pytest.mark.parametrize("wrong", [(float("nan"), 50, 50, 16), (4, 50, float("inf"), 16)])
def test_looking_closer_without_numbers_gets_a_sentence(
    wrong: tuple[float, float, float, float],
) -> None:
    crops = Crops(np.zeros((60, 60, 3), np.uint8), np.zeros((60, 60, 3), np.uint8))
    with pytest.raises(gr.Error, match="numbers"):
        look_closer(crops, *wrong)


def test_the_window_goes_where_the_difference_was_clicked() -> None:
    crops = Crops(np.zeros((100, 200, 3), np.uint8), np.zeros((100, 200, 3), np.uint8))
    assert place_window(crops, select(150, 225)) == (25.0, 75.0)
    assert place_window(crops, select(-9, 1e6)) == (0.0, 100.0)
    assert place_window(None, select(1, 1)) == (SKIP, SKIP)
