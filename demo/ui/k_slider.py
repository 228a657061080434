"""The slider for K, which hands on what came, so that the core can refuse it in a sentence."""

from typing import Any

import gradio as gr

from demo.core.attack import FACTORS
from demo.ui.without_stub import WithoutStub


class KSlider(gr.Slider, metaclass=WithoutStub):
    """A slider over the scale factors.

    Gradio's own refuses a number beyond its ends in a message that passes, and fails over text.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Hands on what came: a number from the page, anything from a program."""
        return payload


def within_ends(k: Any) -> Any:
    """K as the slider shows it once a person has typed a number beyond one of its ends."""
    return min(max(k, FACTORS[0]), FACTORS[-1]) if isinstance(k, int | float) else k
