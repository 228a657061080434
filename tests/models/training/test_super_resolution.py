import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.metrics
import torch
from PIL import Image
from torch import Tensor

from models.card_files import read_super_resolution_card
from models.super_resolution import build_edsr
from models.training.benchmark import benchmark, interval, luma_psnr
from models.training.checkpoints import read_checkpoint, write_checkpoint
from models.training.edsr_start import start_as_bicubic, start_from_trained
from models.training.edsr_steps import Recipe
from models.training.picture_pairs import (
    Picture,
    draw_batch,
    read_training_pairs,
    shrink_bicubic,
    to_batch,
)
from models.training.ship_edsr import ship_edsr
from models.training.super_resolution import (
    CHECKPOINT,
    averaged_network,
    train,
    trained_network,
)
from models.weights import WEIGHTS_FOLDER, load_weights, state_shapes

ROOT = Path(__file__).resolve().parents[3]
RECIPE = Recipe(2, steps=6, count=1, patch=8, every=2, warm_up=2)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training folder of small pictures of stripes, and such benchmarks."""
    root = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(5)
    for folder, ending in (
        ("train/bsds500", "jpg"),
        ("train/t91", "png"),
        ("eval/set5", "png"),
        ("eval/bsd100", "png"),
    ):
        place = root / "super_resolution" / folder
        place.mkdir(parents=True)
        for index in range(10):
            Image.fromarray(stripes(27, 30, generator)).save(place / f"{index}.{ending}")
    return root


def waves(height: int, width: int, generator: np.random.Generator) -> Picture:
    y, x = np.mgrid[:height, :width]
    rates = generator.uniform(0.1, 0.3, (3, 2))
    layers = [np.sin(a * x + b * y) for a, b in rates]
    return np.round(np.stack(layers, 2) * 100 + 128).astype(np.uint8)


def stripes(height: int, width: int, generator: np.random.Generator) -> Picture:
    return np.where(waves(height, width, generator) > 128, 220, 30).astype(np.uint8)


def equal_states(one: torch.nn.Module, two: torch.nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def silent(_: str) -> None:
    return


class TestResuming:
    def test_killed_with_sigkill_it_ends_with_the_weights_of_an_unbroken_run(
        self, data: Path, tmp_path: Path
    ) -> None:
        recipe = replace(RECIPE, steps=16, every=4)
        unbroken = train(recipe, data, tmp_path / "unbroken", CPU, tell=silent)
        run = tmp_path / "killed"
        options = "--scale 2 --steps 16 --count 1 --patch 8 --every 4 --warm-up 2 --threads 1"
        command = [sys.executable, "-m", "models.training.super_resolution", *options.split()]
        with subprocess.Popen(
            [*command, "--data", str(data), "--run", str(run)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            first = next(line for line in process.stdout if line.startswith("step"))
            process.kill()
        assert first.startswith("step 4/16  loss 0.")
        assert "steps/s" in first and "min left" in first
        assert process.returncode == -9
        before = averaged_network(run)[1]["step"]
        told: list[str] = []
        resumed = train(recipe, data, run, CPU, tell=told.append)
        assert before < recipe.steps
        assert told[0] == f"goes on after step {before}"
        assert equal_states(resumed, unbroken)

    def test_another_recipe_does_not_go_on_in_the_same_folder(
        self, data: Path, tmp_path: Path
    ) -> None:
        short = replace(RECIPE, steps=2)
        train(short, data, tmp_path, CPU, tell=silent)
        with pytest.raises(ValueError, match="another recipe"):
            train(RECIPE, data, tmp_path, CPU, tell=silent)

    def test_a_finished_run_only_gives_its_network(self, data: Path, tmp_path: Path) -> None:
        short = replace(RECIPE, steps=2)
        done = train(short, data, tmp_path, CPU, tell=silent)
        stamp = (tmp_path / CHECKPOINT).stat().st_mtime_ns
        again = train(short, data, tmp_path, CPU, tell=silent)
        assert equal_states(done, again)
        assert (tmp_path / CHECKPOINT).stat().st_mtime_ns == stamp

    def test_the_curve_begins_before_the_first_step(self, data: Path, tmp_path: Path) -> None:
        train(RECIPE, data, tmp_path, CPU, tell=silent)
        curve = averaged_network(tmp_path)[1]["curve"]
        assert [step for step, _ in curve] == [0, 2, 4, 6]


class TestLearning:
    def test_a_few_steps_help_on_pictures_held_out(self, data: Path, tmp_path: Path) -> None:
        recipe = replace(RECIPE, steps=24, count=2, every=24, warm_up=4, average=0.8)
        train(recipe, data, tmp_path, CPU, tell=silent)
        (_, before), (_, after) = averaged_network(tmp_path)[1]["curve"]
        assert after > before + 0.1

    def test_x3_starts_from_the_trained_x2_network(self, data: Path, tmp_path: Path) -> None:
        x2 = train(replace(RECIPE, steps=2), data, tmp_path / "x2", CPU, tell=silent)
        recipe = replace(RECIPE, scale=3, steps=1, muon_rate=0.0, adam_rate=0.0)
        x3 = train(recipe, data, tmp_path / "x3", CPU, start=tmp_path / "x2", tell=silent)
        assert equal_states(x3.body, x2.body)


class TestShipping:
    def test_weights_and_card_are_those_of_the_run(self, data: Path, tmp_path: Path) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        short = replace(RECIPE, steps=2)
        train(short, data, first, CPU, tell=silent)
        trained = train(replace(short, seed=1), data, second, CPU, start=first, tell=silent)
        weights, cards = tmp_path / "weights", tmp_path / "cards"
        ship_edsr(first, None, data, "a machine", "", weights, cards)
        earlier = cards / "edsr_x2.json"
        card = ship_edsr(second, earlier, data, "another", "A remark.", weights, cards)
        assert card.origin.hardware == "a machine; then another"
        assert card.origin.recipe.count("2 steps of") == 2
        assert card == read_super_resolution_card(cards / "edsr_x2.json")
        stored = load_weights(card.weights, weights, state_shapes(trained), title=card.title)
        assert all(torch.equal(stored[key], value) for key, value in trained.state_dict().items())
        assert [step for step, _ in card.origin.curve] == [0, 2, 4]
        set5, bsd100 = benchmark(trained, 2, data)
        assert [figure.value for figure in card.figures] == pytest.approx(
            [
                *(set5.edsr, set5.bicubic, bsd100.edsr, bsd100.bicubic),
                min(set5.smallest_gain, bsd100.smallest_gain),
            ],
            abs=1e-4,
        )

    def test_an_unfinished_run_does_not_ship(self, data: Path, tmp_path: Path) -> None:
        train(replace(RECIPE, steps=2), data, tmp_path, CPU, tell=silent)
        state = read_checkpoint(tmp_path / CHECKPOINT)
        write_checkpoint(tmp_path / CHECKPOINT, state | {"step": 1})
        with pytest.raises(ValueError, match="stands at step 1 of 2"):
            ship_edsr(tmp_path, None, data, "a machine", "", tmp_path, tmp_path)


class TestStarts:
    @pytest.mark.parametrize("scale", [2, 3])
    def test_the_untrained_network_is_bicubic_enlargement(self, scale: int) -> None:
        network = build_edsr(scale)
        start_as_bicubic(network, seed=1)
        low = waves(12, 13, np.random.default_rng(2))
        size = (13 * scale, 12 * scale)
        expected = Image.fromarray(low).resize(size, Image.Resampling.BICUBIC)
        with torch.no_grad():
            result = network(to_batch(low[None]))
        far = 3 * scale
        difference = (result - to_batch(np.asarray(expected)[None]))[..., far:-far, far:-far]
        assert difference.abs().max() < 1.01 / 255

    @pytest.mark.parametrize("scale", [3, 4])
    def test_started_from_x2_it_enlarges_at_once(self, scale: int) -> None:
        x2, network = build_edsr(2), build_edsr(scale)
        start_as_bicubic(x2, seed=1)
        start_from_trained(network, x2)
        pair = shrink_bicubic(waves(60, 60, np.random.default_rng(2)), scale)
        with torch.no_grad():
            result = network(to_batch(pair.low[None]))
        assert luma_psnr(result, to_batch(pair.high[None]), 16) > 30


class TestPairs:
    def test_a_batch_comes_from_its_seed_alone(self, data: Path) -> None:
        pairs = read_training_pairs(data, 2, 1, 8)
        one, two = (draw_batch(pairs, 2, 2, 8, (1, 7)) for _ in range(2))
        other = draw_batch(pairs, 2, 2, 8, (1, 8))
        assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
        assert not torch.equal(one[0], other[0])

    @pytest.mark.parametrize("scale", [2, 3])
    def test_low_and_high_show_the_same_place_turned_alike(self, data: Path, scale: int) -> None:
        pairs = read_training_pairs(data, scale, 1, 8)
        low, high = draw_batch(pairs, scale, 16, 8, (1, 0))
        assert low.shape == (16, 3, 8, 8)
        assert high.shape == (16, 3, 8 * scale, 8 * scale)
        shrunk = torch.nn.functional.avg_pool2d(high, scale)
        assert (shrunk - low).abs().mean() < 0.02

    def test_what_is_held_out_is_not_learnt_from(self, data: Path) -> None:
        pairs = read_training_pairs(data, 2, 1, 8)
        assert (len(pairs.photographs), len(pairs.small), len(pairs.held_out)) == (2, 2, 16)

    def test_the_shrink_crops_to_multiples_of_the_scale(self) -> None:
        pair = shrink_bicubic(np.zeros((17, 20, 3), np.uint8), 3)
        assert pair.low.shape == (5, 6, 3)
        assert pair.high.shape == (15, 18, 3)

    def test_without_pictures_it_says_what_it_expected(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="expected more than 8 pictures of bsds500"):
            read_training_pairs(tmp_path, 2, 1, 8)


class TestFigures:
    def test_psnr_is_scikit_images_on_studio_luma_without_the_border(self) -> None:
        generator = np.random.default_rng(3)
        one, two = (generator.integers(0, 256, (20, 22, 3), dtype=np.uint8) for _ in range(2))
        luma = [16 + picture / 255 @ np.array([65.481, 128.553, 24.966]) for picture in (one, two)]
        inner = [plane[2:-2, 2:-2] for plane in luma]
        expected = skimage.metrics.peak_signal_noise_ratio(*inner, data_range=255)
        assert luma_psnr(to_batch(one[None]), to_batch(two[None]), 2) == pytest.approx(expected)

    def test_the_result_is_rounded_to_8_bits_first(self) -> None:
        truth = to_batch(np.full((1, 9, 9, 3), 100, np.uint8))
        assert luma_psnr(truth + 0.4 / 255, truth, 2) == float("inf")

    def test_bicubic_gives_the_published_figures_on_set5(self, shared_data: Path) -> None:
        for scale, published in ((2, 33.66), (3, 30.39), (4, 28.42)):
            pairs = shared_data / "super_resolution" / "eval" / "set5"
            assert len(list(pairs.glob("*.png"))) == 5
            (result,) = benchmark(_Repeat(scale), scale, shared_data, ("set5",))
            assert result.bicubic == pytest.approx(published, abs=0.02)
            assert result.smallest_gain < 0

    def test_a_benchmark_has_one_figure_a_picture(self, data: Path) -> None:
        set5, bsd100 = benchmark(_Repeat(2), 2, data, every=3)
        assert [figure.picture for figure in set5.pictures] == ["0", "3", "6", "9"]
        assert (set5.name, bsd100.name) == ("set5", "bsd100")
        assert set5.smallest_gain <= set5.edsr - set5.bicubic

    def test_the_interval_is_that_of_the_mean(self) -> None:
        values = np.random.default_rng(1).normal(30, 2, 100).tolist()
        low, high = interval(values)
        assert low < np.mean(values) < high
        assert high - low == pytest.approx(2 * 1.96 * np.std(values) / 10, rel=0.2)
        assert interval(values) == (low, high)


class _Repeat(torch.nn.Module):
    """Nearest-neighbour enlargement in the place of an EDSR."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.config = Recipe(scale, 1)
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, batch: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(batch, scale_factor=self.config.scale)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_run_can_begin_with_shipped_weights(scale: int) -> None:
    network = trained_network(WEIGHTS_FOLDER / f"edsr_x{scale}.safetensors")
    assert network(torch.zeros(1, 3, 8, 8)).shape == (1, 3, 8 * scale, 8 * scale)
