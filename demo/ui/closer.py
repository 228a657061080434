"""Looking closer: the amplified difference, and a window of it pixel by pixel."""

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class Closer:
    """The amplified difference, its controls, and the window beside it."""

    gain: gr.Slider
    across: gr.Slider
    down: gr.Slider
    window: gr.Slider
    difference: gr.Image
    before: gr.Image
    after: gr.Image
    apart: gr.Image
    place: gr.HTML


def lay_out_closer() -> Closer:
    """Places the difference and its window in the Blocks that is being built."""
    with gr.Row(equal_height=False, elem_id="closer"):
        with gr.Column(min_width=280, scale=5):
            difference = gr.Image(
                label="Artifact difference",
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="difference",
                alt_text="What the round trip changed, amplified. Click to place the window.",
            )
        with gr.Column(min_width=280, scale=6):
            with gr.Row(elem_id="zooms"):
                before, after, apart = (
                    gr.Image(
                        label=name,
                        format="png",
                        interactive=False,
                        buttons=[],
                        min_width=80,
                        elem_id=f"zoom-{name.lower()}",
                        elem_classes="pixels",
                        alt_text=f"{name} in the zoomed window, pixel by pixel",
                    )
                    for name in ("Before", "After", "Difference")
                )
            place = gr.HTML("", elem_id="place")
            with gr.Row():
                gain = _slider("gain", "Amplified ×", (1, 32), 8, step=1)
                window = _slider("window", "Window (px)", (8, 96), 32, step=8)
            with gr.Row():
                across = _slider("across", "Window across (%)", (0, 100), 50, step=0.1)
                down = _slider("down", "Window down (%)", (0, 100), 40, step=0.1)
    return Closer(gain, across, down, window, difference, before, after, apart, place)


def _slider(
    name: str, label: str, ends: tuple[float, float], value: float, step: float
) -> gr.Slider:
    return gr.Slider(
        *ends, value=value, step=step, label=label, min_width=130, buttons=[], elem_id=name
    )
