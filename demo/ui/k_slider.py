"""The slider for K, which hands on what came, so that the core can refuse it in a sentence."""

from typing import Any

import gradio as gr

from demo.ui.without_stub import WithoutStub


class KSlider(gr.Slider, metaclass=WithoutStub):
    """A slider over the scale factors.

    Gradio's own refuses a number beyond its ends in a message that passes, and fails over text.
    """

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Hands on what came: a number from the page, anything from a program."""
        return payload
