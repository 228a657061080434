"""From a finished run of EDSR to what ships: the weights' file, measured, and its card."""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from super_image import EdsrModel

from models.card_files import CARDS_FOLDER, read_super_resolution_card, write_card
from models.cards import SUPER_RESOLUTION_NAMES, Figure, Origin, SuperResolutionCard
from models.super_resolution import build_edsr
from models.training.benchmark import BenchmarkResult, benchmark, interval
from models.training.super_resolution import averaged_network
from models.weights import WEIGHTS_FOLDER, load_weights, save_weights, state_shapes

TITLES = {"set5": "Set5", "bsd100": "BSD100"}
PUBLISHED = {
    2: "37.98 dB on Set5 and 32.15 dB on BSD100",
    3: "34.37 dB on Set5 and 29.08 dB on BSD100",
    4: "32.09 dB on Set5 and 27.56 dB on BSD100",
}


def ship_edsr(
    run: Path,
    earlier: Path | None,
    data: Path,
    hardware: str,
    remark: str,
    weights_folder: Path = WEIGHTS_FOLDER,
    cards_folder: Path = CARDS_FOLDER,
) -> SuperResolutionCard:
    """Write the averaged weights and their card, with figures measured on the stored file.

    Both are put in place after the measuring, together.

    Args:
        run: folder of the finished run.
        earlier: the card of the shipped weights of the same scale that the run began with.
        data: folder that holds ``super_resolution``.
        hardware: on what machine the run was made, in words.
        remark: what else a reader of the card has to know; may be empty.
        weights_folder: where the weights go.
        cards_folder: where the card goes.

    Returns:
        The card as written.

    Raises:
        ValueError: the run has not come to its end.
    """
    network, state = averaged_network(run)
    recipe = state["recipe"]
    scale = recipe["scale"]
    if state["step"] != recipe["steps"]:
        raise ValueError(f"the run stands at step {state['step']} of {recipe['steps']}: finish it")
    name, title = SUPER_RESOLUTION_NAMES[scale - 2], f"EDSR ×{scale}"
    origin = _origin(state, hardware, earlier)
    file = f"{name}.safetensors"
    with TemporaryDirectory() as stage:
        weights = save_weights(network.state_dict(), Path(stage) / file, "float32")
        stored: EdsrModel = build_edsr(scale)
        shapes = state_shapes(stored)
        stored.load_state_dict(load_weights(weights, Path(stage), shapes, title=title))
    card = SuperResolutionCard(
        name=name,
        title=title,
        scale=scale,
        blocks=16,
        channels=64,
        weights=weights,
        figures=_figures(benchmark(stored, scale, data)),
        origin=origin,
        note=(
            "Set5 and BSD100 were not trained on. EDSR-baseline trained on 800 2K pictures "
            f"(DIV2K) is published with {PUBLISHED[scale]}. {remark}"
        ).strip(),
    )
    for folder in (weights_folder, cards_folder):
        folder.mkdir(parents=True, exist_ok=True)
    save_weights(network.state_dict(), weights_folder / file, "float32")
    write_card(card, cards_folder / f"{name}.json")
    return card


def _origin(state: dict[str, Any], hardware: str, earlier: Path | None) -> Origin:
    recipe = state["recipe"]
    hours, curve = state["seconds"] / 3600, state["curve"]
    start = "bicubic enlargement" if recipe["scale"] == 2 else "the trained ×2 network"
    told, done = "", 0.0
    points: tuple[tuple[float, float], ...] = ()
    if earlier is not None:
        former = read_super_resolution_card(earlier).origin
        start, told, hours = "the weights so far", f"{former.recipe} ", hours + former.hours
        points, curve = former.curve, curve[1:]
        done = points[-1][0]
        if hardware != former.hardware:
            hardware = f"{former.hardware}; then {hardware}"
    return Origin(
        data=(
            "400 photographs of BSDS500 (train and test parts, JPEG) and 91 small ones (T91), "
            "8 of each held out to choose by"
        ),
        terms="BSDS500: research use; T91: research use",
        recipe=told + _recipe(recipe, start),
        hours=round(hours, 2),
        hardware=hardware,
        seed=recipe["seed"],
        curve=(*points, *((done + step, round(float(figure), 3)) for step, figure in curve)),
        curve_label="step; PSNR of the luma in dB on the 16 held-out pictures",
    )


def _figures(results: tuple[BenchmarkResult, ...]) -> tuple[Figure, ...]:
    figures = []
    for result in results:
        of = f"{TITLES[result.name]}, {len(result.pictures)} pictures"
        condition = f"luma, border of {result.scale} px left out, bicubic input"
        for method, values in (
            ("EDSR", [picture.edsr for picture in result.pictures]),
            ("bicubic", [picture.bicubic for picture in result.pictures]),
        ):
            mean, (low, high) = sum(values) / len(values), interval(values)
            numbers = (round(mean, 4), round(low, 4), round(high, 4))
            figures.append(Figure(f"PSNR, {method}", *numbers, "dB", of, condition))
    smallest = min(result.smallest_gain for result in results)
    pictures = sum(len(result.pictures) for result in results)
    both = f"Set5 and BSD100, {pictures} pictures"
    gain = "smallest gain in PSNR over bicubic on any one picture"
    figures.append(Figure(gain, round(smallest, 4), None, None, "dB", both, "luma, as above"))
    return tuple(figures)


def _recipe(recipe: dict[str, Any], start: str) -> str:
    how = "Winograd's algorithm F(4×4, 3×3)" if recipe["fast"] else "the plain algorithm"
    side, squared = recipe["patch"], round(100 * (1 - recipe["squared_from"]))
    error = f"absolute, squared in the last {squared} % of the steps" if squared else "absolute"
    return (
        f"Started at {start}. {recipe['steps']} steps of {recipe['count']} patches of {side}×{side}"
        " px (of the shrunken picture), turned and mirrored, the more detailed of two candidates "
        f"each, a quarter from T91, seed {recipe['seed']}. Shrunk with Pillow's bicubic kernel to "
        f"8 bits. Error: {error}; {recipe['luma']:g} of the weight on the luma. "
        f"{_growth(recipe)}Muon ({recipe['muon_rate']:g}) for the wide convolutions, Adam "
        f"({recipe['adam_rate']:g}) for the rest, warm-up and cosine, clipped gradients, averaged "
        f"weights ({recipe['average']:g}). Convolutions by {how} in float32."
    )


def _growth(recipe: dict[str, Any]) -> str:
    stages = [(depth, round(share * recipe["steps"])) for share, depth in recipe["depths"]]
    if len(stages) == 1:
        return ""
    return ", ".join(f"{depth} blocks from step {step}" for depth, step in stages) + ". "


def add_ship_edsr_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `run_ship_edsr`."""
    parser.add_argument("--run", type=Path, required=True, help="folder of the finished run")
    parser.add_argument(
        "--earlier", type=Path, help="card of the weights of this scale that the run began with"
    )
    parser.add_argument("--data", type=Path, required=True, help="holds super_resolution")
    parser.add_argument("--hardware", required=True, help="on what it was trained, in words")
    parser.add_argument("--remark", default="", help="what else a reader has to know")
    parser.add_argument("--threads", type=int, help="threads of the CPU; default: all")


def run_ship_edsr(args: argparse.Namespace) -> int:
    """Ship as the options say and print the figures; the exit status."""
    if args.threads:
        torch.set_num_threads(args.threads)
    card = ship_edsr(args.run, args.earlier, args.data, args.hardware, args.remark)
    for figure in card.figures:
        print(f"{figure.name}: {figure.value:.2f} {figure.unit} ({figure.of})")
    return 0


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    add_ship_edsr_arguments(options)
    sys.exit(run_ship_edsr(options.parse_args()))
