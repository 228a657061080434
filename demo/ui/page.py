"""The whole page: Toolbox in, Blocks out, and how it is served."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from demo.core.analysis import Toolbox
from demo.core.defences import defences
from demo.core.errors import WeightsError
from demo.core.images import read_picture
from demo.examples import EXAMPLES
from demo.study.bundled_tables import BUNDLED_DEFENCES
from demo.ui import wording
from demo.ui.analyse_tab import lay_out
from demo.ui.api import add_endpoint
from demo.ui.compare_events import connect_compare
from demo.ui.compare_handlers import ANALYSE, COMPARE, CompareHandlers
from demo.ui.compare_tab import lay_out_compare
from demo.ui.defences_api import add_defences_endpoint
from demo.ui.defences_events import connect_defences
from demo.ui.defences_handlers import DEFENCES, DefencesHandlers
from demo.ui.defences_tab import lay_out_defences
from demo.ui.events import connect
from demo.ui.first_look import FirstLook
from demo.ui.gate import Gate
from demo.ui.handlers import Handlers
from demo.ui.health import Health
from demo.ui.keeping import Keeping
from demo.ui.line import Line
from demo.ui.quiet_blocks import QuietBlocks
from demo.ui.running import Runs
from demo.ui.sheet_handlers import SheetHandlers
from demo.ui.spoken import NAMES
from demo.ui.studio_handlers import StudioHandlers
from demo.ui.study_events import connect_study
from demo.ui.study_handlers import STUDY, Studies, StudyHandlers
from demo.ui.study_running import StudyRun
from demo.ui.study_tab import lay_out_study
from demo.ui.tool import AnalysisTool
from models.card_files import read_detector_card
from models.cards import DETECTOR_NAMES, DetectorCard

TITLE = "Super-resolution round trip"
STYLE = Path(__file__).parents[2] / "assets" / "style.css"
SYSTEM = ("system-ui", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif")
DIGITS = ("ui-monospace", "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "monospace")
# The page's small events too wait in Gradio's queue: two hundred visitors who open it at once have
# a thousand of them. Who waits for work is counted apart, see line.py.
SMALL_EVENTS = 2000


def build_demo(
    toolbox: Toolbox,
    keeping: Keeping,
    first_look: FirstLook,
    cards: Sequence[DetectorCard],
    studies: Studies,
    line: Line,
) -> gr.Blocks:
    """Builds the page; loads no weights and analyses nothing yet.

    Args:
        toolbox: the models that every analysis uses.
        keeping: where uploads and results pass through; opened before this is called.
        first_look: the example that a visitor finds analysed.
        cards: the detectors' cards, for what the page says about their training and error.
        studies: where finished studies lie, and what visitors may run one on.
        line: where all work waits for its turn.
    """
    handlers = Handlers(toolbox, keeping, Runs(line), first_look)
    demo = QuietBlocks(TITLE, keeping)
    with demo:
        gr.HTML(
            wording.heading(str(toolbox.zoo.device), toolbox.zoo.precision),
            elem_id="heading",
            js_on_load=NAMES,
        )
        own_methods = toolbox.zoo.restorer_names
        with gr.Tabs(elem_id="pages") as pages:
            with gr.Tab("Analyse", id=ANALYSE):
                tab = lay_out(cards, own_methods)
            with gr.Tab("Compare", id=COMPARE):
                compare = lay_out_compare(own_methods)
            with gr.Tab("Defences", id=DEFENCES) as defences_tab:
                defended = lay_out_defences(defences(toolbox.zoo))
            with gr.Tab("Study", id=STUDY) as study_tab:
                study = lay_out_study(studies.data, own_methods)
        add_endpoint(tab.controls, handlers)
        add_defences_endpoint(tab.controls, toolbox, Runs(line))
        sheets = SheetHandlers(toolbox, keeping, Runs(line))
        connect(demo, tab, handlers, StudioHandlers(toolbox, Runs(line)), sheets)
        comparing = CompareHandlers(toolbox, keeping, Runs(line))
        connect_compare(pages, compare, tab.controls, comparing)
        defending = DefencesHandlers(toolbox, Runs(line), BUNDLED_DEFENCES)
        connect_defences(defences_tab, defended, tab, defending)
        running = StudyRun(toolbox, studies.own)
        connect_study(study_tab, study, StudyHandlers(studies, keeping, running))
    demo.queue(max_size=SMALL_EVENTS, api_open=False, status_update_rate=1)
    return demo


def readable_cards(folder: Path) -> tuple[DetectorCard, ...]:
    """Returns the detectors' cards in a folder; one that is refused is left out."""
    cards = []
    for name in DETECTOR_NAMES:
        try:
            cards.append(read_detector_card(folder / f"{name}.json"))
        except WeightsError:
            continue
    return tuple(cards)


def example_look(toolbox: Toolbox) -> FirstLook:
    """Returns the first example, to be analysed by these models."""
    return FirstLook(read_picture(EXAMPLES[0].path), toolbox)


def serve(
    demo: gr.Blocks, keeping: Keeping, host: str, port: int, health: Health, tool: AnalysisTool
) -> None:
    """Starts serving the page and returns. Nothing on it asks another host for anything."""
    keeping.claim()
    demo.launch(
        prevent_thread_lock=True,
        server_name=host,
        server_port=port,
        share=False,
        quiet=True,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        pwa=False,
        mcp_server=False,
        ssr_mode=False,
        footer_links=["api", "settings"],
        max_file_size="80mb",
        state_session_capacity=200,
        theme=theme(),
        css_paths=STYLE,
        app_kwargs={
            "middleware": [Middleware(Gate, keeping)],
            "routes": [health.route(), *tool.routes()],
            "lifespan": tool.lifespan(),
        },
    )


def theme() -> gr.themes.Base:
    """The look: quiet greys that can still be read, one accent, the system's own fonts."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        spacing_size=gr.themes.sizes.spacing_sm,
        radius_size=gr.themes.sizes.radius_sm,
        text_size=gr.themes.sizes.text_md,
        font=[gr.themes.Font(name) for name in SYSTEM],
        font_mono=[gr.themes.Font(name) for name in DIGITS],
    ).set(
        body_text_color_subdued="*neutral_600",
        block_label_text_color="*neutral_600",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
    )
