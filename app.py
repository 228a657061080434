"""Builds the demo and serves it: ``python app.py``."""

import gc

# A tenth of the start would go into looking for garbage among what imports make: there is none.
gc.disable()

import argparse
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from demo.core.allocator import keep_large_buffers
from demo.core.analysis import Toolbox
from demo.core.errors import DemoError, SettingsError
from demo.core.faces import FaceDetector
from demo.study.opening import KINDS, open_named
from demo.ui.gpu_time import lender, on_lent_gpu
from demo.ui.handlers import Handlers
from demo.ui.health import Health
from demo.ui.keeping import Keeping, open_keeping
from demo.ui.line import AT_ONCE, Line
from demo.ui.page import build_demo, example_look, readable_cards, serve
from demo.ui.request_log import write_to_stderr
from demo.ui.running import Runs
from demo.ui.study_handlers import Studies
from demo.ui.tool import AnalysisTool
from models.card_files import CARDS_FOLDER
from models.foreign_detectors import read_foreign_detectors
from models.foreign_super_resolution import read_foreign_super_resolutions
from models.precision import PRECISIONS
from models.weights import WEIGHTS_FOLDER
from models.zoo import Zoo, resolve_device

gc.enable()

OWN_STUDIES = Path(__file__).parent / "runs" / "studies"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the page until the process is ended; returns 2 when that cannot begin."""
    given = _parser().parse_args(arguments)
    gc.freeze()
    keep_large_buffers()
    # Pillow warns about broken EXIF with a path of its own; the picture is read all the same.
    warnings.filterwarnings("ignore", module="PIL")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    spaces = lender(os.environ)
    try:
        device = resolve_device(given.device)
        added = read_foreign_detectors(given.detector, device)
        restorers = read_foreign_super_resolutions(given.super_resolution, device)
        zoo = Zoo(
            given.device,
            folder=given.weights,
            cards=given.cards,
            added=added,
            restorers=restorers,
        ).in_precision(given.precision)
        if spaces is not None and given.study_data:
            raise SettingsError(
                "No study can be run on ZeroGPU, which lends a GPU for seconds only. Leave out "
                "--study-data; finished studies are shown all the same."
            )
        data = tuple(open_named(one) for one in given.study_data)
    except DemoError as problem:
        print(problem, file=sys.stderr)
        return 2
    plain = toolbox = Toolbox(zoo, FaceDetector())
    if spaces is not None and device.type == "cuda":
        plain = replace(toolbox, zoo=zoo.on_cpu())
        toolbox = replace(toolbox, elsewhere=on_lent_gpu(spaces, zoo, plain.zoo))
    keeping, first_look = open_keeping(), example_look(plain)
    cards = (*readable_cards(given.cards), *(one.card for one in added))
    write_to_stderr()
    line = Line(given.at_once)
    demo = build_demo(toolbox, keeping, first_look, cards, Studies(data, given.study_out), line)
    tool = AnalysisTool(Handlers(toolbox, keeping, Runs(line), first_look))
    serve(demo, keeping, given.host, given.port, Health(zoo, line), tool)
    print(f"The page is at {demo.local_url}", flush=True)
    first_look.begin()
    keeping.sweep_for_ever()
    signal.signal(signal.SIGTERM, lambda number, frame: _leave(keeping))
    demo.block_thread()
    _leave(keeping)


def _leave(keeping: Keeping) -> NoReturn:
    """Ends the process at once: with work under way, PyTorch's threads would not let it end."""
    keeping.remove()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    environment = os.environ
    parser = argparse.ArgumentParser(description="Serves the super-resolution round trip page.")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default=environment.get("DEMO_DEVICE", "auto"),
        help="where the networks run (DEMO_DEVICE)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=environment.get("DEMO_PRECISION", "float32"),
        help="bfloat16 is the fast mode of CPUs with AMX or AVX-512 BF16; the page and every "
        "record say so (DEMO_PRECISION)",
    )
    parser.add_argument(
        "--host",
        default=environment.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        help="address to listen on; 0.0.0.0 for every network (GRADIO_SERVER_NAME)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=int(environment.get("GRADIO_SERVER_PORT", "7860")),
        help="port to listen on (GRADIO_SERVER_PORT)",
    )
    parser.add_argument(
        "--at-once",
        type=int,
        choices=range(1, 65),
        default=int(environment.get("DEMO_AT_ONCE", AT_ONCE)),
        metavar="N",
        help=f"how many analyses run at the same time ({AT_ONCE}); OMP_NUM_THREADS says how many "
        "threads each has (DEMO_AT_ONCE)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        default=Path(environment.get("DEMO_WEIGHTS", WEIGHTS_FOLDER)),
        help="folder of weights in place of the shipped one (DEMO_WEIGHTS)",
    )
    parser.add_argument(
        "--cards",
        type=Path,
        default=Path(environment.get("DEMO_CARDS", CARDS_FOLDER)),
        help="folder of model cards in place of the shipped one (DEMO_CARDS)",
    )
    parser.add_argument(
        "--detector",
        action="append",
        default=_files("DEMO_DETECTORS"),
        metavar="[NAME=]FILE",
        help="also ask this detector, a checkpoint of your own; may be repeated (DEMO_DETECTORS)",
    )
    parser.add_argument(
        "--super-resolution",
        action="append",
        default=_files("DEMO_SUPER_RESOLUTION"),
        metavar="[NAME=]FILE",
        help="also restore with this super-resolution checkpoint of your own; may be repeated "
        "(DEMO_SUPER_RESOLUTION)",
    )
    parser.add_argument(
        "--study-data",
        action="append",
        default=_files("DEMO_STUDY_DATA"),
        metavar="KIND=FOLDER",
        help="let visitors run studies on this data; the kinds are "
        f"{', '.join(KINDS)}; may be repeated (DEMO_STUDY_DATA)",
    )
    parser.add_argument(
        "--study-out",
        type=Path,
        default=Path(environment.get("DEMO_STUDY_OUT", OWN_STUDIES)),
        metavar="FOLDER",
        help="where these studies are kept; finished ones in it are shown (DEMO_STUDY_OUT)",
    )
    return parser


def _files(variable: str) -> list[str]:
    return [file for file in os.environ.get(variable, "").split(os.pathsep) if file]


if __name__ == "__main__":
    sys.exit(main())
