"""What lies on the page: controls on the left, readings on the right, one below the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from demo.core.attack import FACTORS
from demo.core.settings import Settings
from demo.examples import EXAMPLES
from demo.ui import wording
from demo.ui.closer import Closer, lay_out_closer
from demo.ui.faces_list import lay_out_faces
from demo.ui.k_slider import KSlider
from demo.ui.panel import Panel
from demo.ui.picture_input import PictureInput
from demo.ui.reproduce_tab import Reproduce, lay_out_reproduce
from demo.ui.sheet_form import SheetForm, lay_out_sheet
from demo.ui.spoken import spoken
from demo.ui.studio_tab import Studio, lay_out_studio
from models.cards import DetectorCard

METHODS = [
    ("EDSR, super-resolution", "edsr"),
    ("Bicubic, control", "bicubic"),
    ("Lanczos, control", "lanczos"),
]
KERNELS = [("Area, as published", "area"), ("Bicubic, as EDSR was trained", "bicubic")]
SCOPES = [("This face", "face"), ("Every face", "faces"), ("Whole frame", "frame")]


@dataclass(frozen=True)
class Controls:
    """What a visitor sets before an analysis."""

    picture: PictureInput
    examples: tuple[gr.Button, ...]
    k: gr.Slider
    method: gr.Radio
    kernel: gr.Radio
    scope: gr.Radio
    apply_box: gr.Button
    stop: gr.Button
    again: gr.Button
    divider: gr.Slider


@dataclass(frozen=True)
class Tab:
    """Every component that an event reads or writes."""

    controls: Controls
    panel: Panel
    closer: Closer
    studio: Studio
    sheet: SheetForm
    reproduce: Reproduce


def lay_out(cards: Sequence[DetectorCard], own_methods: Sequence[str]) -> Tab:
    """Places the components in the Blocks that is being built.

    Args:
        cards: the detectors' cards.
        own_methods: names of the operator's super-resolution networks.
    """
    with gr.Row(elem_id="bench"):
        with gr.Column(scale=4, min_width=320, elem_id="controls"):
            picture, examples = _source()
            k, method = lay_out_round_trip(own_methods)
            face = _face()
            kernel, scope = lay_out_details(SCOPES)
            with gr.Row(elem_id="status"):
                progress = gr.HTML("", elem_id="progress")
                stop = gr.Button("Stop", size="sm", elem_id="stop", min_width=80, scale=0)
        with gr.Column(scale=9, min_width=320, elem_id="readings"):
            problem = spoken("problem", "alert", "assertive")
            again = gr.Button("Try again", size="sm", elem_id="again", min_width=80, scale=0)
            verdict = spoken("verdict", "status", "polite")
            with gr.Column(visible=False, elem_id="results") as results:
                detectors = gr.HTML("", elem_id="detectors")
                quality = gr.HTML("", elem_id="quality")
                comparison, divider, attacked = _pictures()
                faces = lay_out_faces()
                closer = lay_out_closer()
                png, record = _downloads()
                studio = lay_out_studio()
                sheet = lay_out_sheet(own_methods)
            reproduce = lay_out_reproduce()
            gr.HTML(wording.honesty(cards), elem_id="honesty")
    return Tab(
        Controls(picture, examples, k, method, kernel, scope, face.apply_box, stop, again, divider),
        Panel(
            progress=progress,
            problem=problem,
            results=results,
            verdict=verdict,
            detectors=detectors,
            quality=quality,
            comparison=comparison,
            attacked=attacked,
            frame=face.frame,
            subject=face.subject,
            hint=face.hint,
            hand=face.hand,
            left=face.sides[0],
            top=face.sides[1],
            right=face.sides[2],
            bottom=face.sides[3],
            png=png,
            record=record,
            crops=gr.State(None, time_to_live=3600),
            boxes=gr.State((), time_to_live=3600),
            corner=gr.State(None, time_to_live=3600),
            study=gr.State(None, time_to_live=3600),
            faces=faces,
            # It holds whole pictures, so it goes sooner; a face is then analysed anew.
            together=gr.State(None, time_to_live=900),
            reproduced=reproduce.reproduced,
            pending=gr.State(None, time_to_live=3600),
        ),
        closer,
        studio,
        sheet,
        reproduce,
    )


@dataclass(frozen=True)
class _Face:
    frame: gr.Image
    hint: gr.HTML
    subject: gr.Radio
    hand: gr.Column
    sides: tuple[gr.Number, gr.Number, gr.Number, gr.Number]
    apply_box: gr.Button


def _source() -> tuple[PictureInput, tuple[gr.Button, ...]]:
    picture = PictureInput(
        str(EXAMPLES[0].path),
        label="Picture",
        format="png",
        sources=["upload", "clipboard", "webcam"],
        buttons=["fullscreen"],
        height=280,
        elem_id="picture",
        alt_text="The picture to be analysed",
    )
    with gr.Row(elem_id="examples"):
        examples = tuple(
            gr.Button(
                example.title,
                icon=str(example.path),
                size="sm",
                min_width=70,
                elem_id=f"example-{number}",
                elem_classes="example",
            )
            for number, example in enumerate(EXAMPLES, 1)
        )
    gr.HTML(wording.examples(), elem_id="about-examples")
    return picture, examples


def lay_out_round_trip(own_methods: Sequence[str], prefix: str = "") -> tuple[gr.Slider, gr.Radio]:
    """Places K and the restoring method.

    Args:
        own_methods: names of the operator's super-resolution networks.
        prefix: begins their names in the page.
    """
    default = Settings()
    k = KSlider(
        FACTORS[0],
        FACTORS[-1],
        value=default.k,
        step=0.5,
        label="K (scale factor)",
        info="The face is shrunk to 1/K of its size and restored.",
        buttons=[],
        elem_id=f"{prefix}k",
    )
    choices = [*METHODS, *((f"{name}, the operator's own", name) for name in own_methods)]
    method = gr.Radio(choices, value=default.method, label="Restored by", elem_id=f"{prefix}method")
    return k, method


def _face() -> _Face:
    with gr.Column(elem_id="face"):
        frame = gr.Image(
            label="Faces found",
            format="png",
            height=260,
            interactive=False,
            buttons=[],
            visible=False,
            elem_id="frame",
            alt_text="The picture with every face framed and numbered. Click a face to choose it.",
        )
        hint = gr.HTML("", elem_id="hint", padding=True)
        subject = gr.Radio([], label="Taken as the face", visible=False, elem_id="subject")
        with gr.Column(visible=False, elem_id="hand") as hand:
            with gr.Row(elem_id="sides"):
                left, top, right, bottom = (
                    gr.Number(label=f"{name} (px)", precision=0, min_width=120)
                    for name in ("Left", "Top", "Right", "Bottom")
                )
            apply_box = gr.Button("Use this box", size="sm", elem_id="apply-box")
    return _Face(frame, hint, subject, hand, (left, top, right, bottom), apply_box)


def lay_out_details(
    scopes: Sequence[tuple[str, str]], prefix: str = ""
) -> tuple[gr.Radio, gr.Radio]:
    """Places kernel and scope, a choice of (words, value); ``prefix`` as above."""
    default = Settings()
    scope = gr.Radio(list(scopes), value=default.scope, label="Attacked", elem_id=f"{prefix}scope")
    kernel = gr.Radio(
        KERNELS, value=default.kernel, label="Shrinking kernel", elem_id=f"{prefix}kernel"
    )
    return kernel, scope


def _pictures() -> tuple[gr.ImageSlider, gr.Slider, gr.Image]:
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            comparison = gr.ImageSlider(
                label="Crop: before (left), after (right)",
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="comparison",
            )
            divider = gr.Slider(
                0,
                100,
                value=50,
                step=1,
                label="Divider between before and after (%)",
                buttons=[],
                elem_id="divider",
            )
        with gr.Column(min_width=280):
            attacked = gr.Image(
                label="Attacked picture, whole",
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="attacked",
                alt_text="The whole picture with the attacked region pasted back",
            )
    return comparison, divider, attacked


def _downloads() -> tuple[gr.DownloadButton, gr.DownloadButton]:
    with gr.Row(elem_id="downloads"):
        png = gr.DownloadButton("Attacked picture (PNG)", interactive=False, elem_id="get-png")
        record = gr.DownloadButton("Record (JSON)", interactive=False, elem_id="get-record")
    return png, record
