"""The round trip keeps the size, and equals a path written out by hand."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from demo.core.attack import (
    FACTORS,
    KERNELS,
    enlarge_picture,
    pad_to_multiple,
    round_trip,
    to_bytes,
)
from demo.core.errors import SettingsError
from demo.core.restoring import METHODS, restore
from models.zoo import Zoo
from tests.made_models import ModelFolders

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

# K: (sides are padded to a multiple of, halves of a pixel that fall into one, restored by)
PATHS = {
    1.5: (3, 3, 2),
    2.0: (2, 4, 2),
    2.5: (5, 5, 3),
    3.0: (3, 6, 3),
    3.5: (7, 7, 4),
    4.0: (4, 8, 4),
}
CONTROLS = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def a_crop(height: int, width: int, seed: int = 0, noise: float = 25) -> Picture:
    """Smooth shapes with noise on top, unlike at every pixel."""
    numbers = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = np.sin(rows / 5)[..., None] * np.cos(columns / 7)[..., None] * (40, 60, 80) + 128
    noisy: Floats = waves + numbers.normal(0, noise, waves.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def block_means(picture: Floats, repeated: int, block: int) -> Floats:
    """The exact area average by block/repeated: every pixel is split, and the parts averaged."""
    split = picture.repeat(repeated, axis=0).repeat(repeated, axis=1)
    height, width = split.shape[0] // block, split.shape[1] // block
    means: Floats = split.reshape(height, block, width, block, 3).mean(axis=(1, 3))
    return means


def by_hand(crop: Picture, k: float, method: str, kernel: str, zoo: Zoo) -> Picture:
    """The round trip as section 3 of the paper tells it, without the code under test."""
    multiple, halves, scale = PATHS[k]
    height, width = crop.shape[:2]
    rows = [*range(height), *range(height - 2, height - 2 - (-height % multiple), -1)]
    columns = [*range(width), *range(width - 2, width - 2 - (-width % multiple), -1)]
    padded = crop[rows][:, columns]
    if kernel == "area":
        # An exact half goes up where four pixels meet, as OpenCV's 2×2 mean does.
        means = block_means(padded.astype(np.float64), 2, halves)
        small = np.floor(means + 0.5) if k == 2 else np.rint(means)
    else:
        size = (round(padded.shape[1] / k), round(padded.shape[0] / k))
        small = np.asarray(Image.fromarray(padded).resize(size, Image.Resampling.BICUBIC))
    small = small.astype(np.uint8)
    if method == "edsr":
        network = zoo.super_resolution(scale).network
        with torch.inference_mode():
            pixels = torch.from_numpy(small.transpose(2, 0, 1)[None].astype(np.float32)) / 255
            restored = network(pixels)[0].numpy().transpose(1, 2, 0).astype(np.float64)
    else:
        size = (small.shape[1] * scale, small.shape[0] * scale)
        planes = [Image.fromarray(small[..., c].astype(np.float32)) for c in range(3)]
        resized = [np.asarray(plane.resize(size, CONTROLS[method])) for plane in planes]
        restored = np.stack(resized, axis=2).astype(np.float64) / 255
    restored = restored.clip(0, 1)
    if restored.shape != padded.shape:
        restored = block_means(restored, halves, 2 * scale)
    result: Picture = np.rint(restored * 255).astype(np.uint8)[:height, :width]
    return result


def assert_same_but_for_ties(result: Picture, expected: Picture) -> None:
    """Equal, except where float32 and float64 fall to different sides of an exact half level."""
    apart = np.abs(result.astype(int) - expected.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.003


@pytest.mark.parametrize("noise", [25, 250])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("k", FACTORS)
def test_the_round_trip_is_the_path_written_out_by_hand(
    k: float, kernel: str, method: str, noise: float, random_zoo: Zoo
) -> None:
    crop = a_crop(61, 47, noise=noise)
    result = round_trip(crop, k, method, kernel, random_zoo)
    assert_same_but_for_ties(result, by_hand(crop, k, method, kernel, random_zoo))


@settings(max_examples=120, deadline=None)
@given(
    k=st.sampled_from(FACTORS),
    kernel=st.sampled_from(KERNELS),
    method=st.sampled_from(sorted(CONTROLS)),
    height=st.integers(20, 97),
    width=st.integers(20, 97),
)
def test_a_control_of_any_size_is_the_path_written_out_by_hand(
    k: float, kernel: str, method: str, height: int, width: int, random_zoo: Zoo
) -> None:
    crop = a_crop(height, width, seed=height * width)
    result = round_trip(crop, k, method, kernel, random_zoo)
    assert_same_but_for_ties(result, by_hand(crop, k, method, kernel, random_zoo))


@settings(max_examples=40, deadline=None)
@given(
    k=st.sampled_from(FACTORS),
    kernel=st.sampled_from(KERNELS),
    method=st.sampled_from(METHODS),
    height=st.integers(20, 97),
    width=st.integers(20, 97),
)
def test_size_and_type_are_kept_and_the_crop_is_left_alone(
    k: float, kernel: str, method: str, height: int, width: int, random_zoo: Zoo
) -> None:
    crop = a_crop(height, width)
    before = crop.copy()
    result = round_trip(crop, k, method, kernel, random_zoo)
    assert result.shape == (height, width, 3)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert not np.shares_memory(result, crop)
    np.testing.assert_array_equal(crop, before)


@pytest.mark.parametrize("k", FACTORS)
@pytest.mark.parametrize("method", METHODS)
def test_a_flat_crop_stays_as_it_is(k: float, method: str, random_zoo: Zoo) -> None:
    crop = np.full((33, 41, 3), (10, 130, 250), dtype=np.uint8)
    result = round_trip(crop, k, method, "area", random_zoo).astype(int)
    assert np.abs(result - crop).max() <= (8 if method == "edsr" else 0)


@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("k", FACTORS)
def test_a_crop_smaller_than_its_padding_still_passes(k: float, side: int, random_zoo: Zoo) -> None:
    crop = a_crop(side, 5)
    assert round_trip(crop, k, "lanczos", "area", random_zoo).shape == crop.shape


def test_padding_reflects_on_the_right_and_below() -> None:
    crop = np.arange(6, dtype=np.uint8).reshape(2, 3, 1).repeat(3, axis=2)
    padded = pad_to_multiple(crop, 5)[:, :, 0]
    expected = [[0, 1, 2, 1, 0], [3, 4, 5, 4, 3]]
    assert padded.tolist() == [expected[row] for row in (0, 1, 0, 1, 0)]


@pytest.mark.parametrize("k", FACTORS)
def test_the_same_crop_gives_the_same_bytes_in_any_thread(k: float, random_zoo: Zoo) -> None:
    crop = a_crop(75, 53)
    expected = round_trip(crop, k, "edsr", "area", random_zoo).tobytes()
    with ThreadPoolExecutor(4) as threads:
        repeated = threads.map(
            lambda _: round_trip(crop, k, "edsr", "area", random_zoo).tobytes(), range(8)
        )
    assert set(repeated) == {expected}


def test_a_larger_k_loses_more(random_zoo: Zoo) -> None:
    crop = a_crop(84, 84)
    losses = [
        np.abs(round_trip(crop, k, "bicubic", "area", random_zoo).astype(int) - crop).mean()
        for k in FACTORS
    ]
    assert losses == sorted(losses)


def test_every_method_and_kernel_gives_another_picture(random_zoo: Zoo) -> None:
    crop = a_crop(60, 60)
    results = {
        round_trip(crop, 2.0, method, kernel, random_zoo).tobytes()
        for method in METHODS
        for kernel in KERNELS
    }
    assert len(results) == len(METHODS) * len(KERNELS)


@pytest.mark.parametrize("k", [1.0, 1, 2.2, 0.0, -2.0, 5.0, math.nan, math.inf, "2", None, True])
def test_another_k_is_refused_by_name(k: object, random_zoo: Zoo) -> None:
    with pytest.raises(SettingsError, match=r"1\.5, 2, 2\.5, 3, 3\.5, 4.*came"):
        round_trip(a_crop(20, 20), k, "edsr", "area", random_zoo)  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "kernel"), [("nearest", "area"), ("edsr", "lanczos")])
def test_another_method_or_kernel_is_refused_by_name(
    method: str, kernel: str, random_zoo: Zoo
) -> None:
    with pytest.raises(SettingsError, match=r"must be one of .*bicubic"):
        round_trip(a_crop(20, 20), 2.0, method, kernel, random_zoo)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("method", METHODS)
def test_enlarging_gives_the_whole_factor(scale: int, method: str, random_zoo: Zoo) -> None:
    picture = a_crop(31, 22)
    enlarged = enlarge_picture(picture, scale, method, random_zoo)
    assert enlarged.shape == (31 * scale, 22 * scale, 3)
    restored = restore(picture, scale, method, random_zoo)
    np.testing.assert_array_equal(enlarged, to_bytes(restored))


@pytest.mark.parametrize("scale", [1, 5, 2.5, "2", True, math.nan])
def test_another_scale_is_refused(scale: object, random_zoo: Zoo) -> None:
    with pytest.raises(SettingsError, match="2, 3 or 4"):
        enlarge_picture(a_crop(20, 20), scale, "bicubic", random_zoo)  # type: ignore[arg-type]


def test_an_enlargement_beyond_100_megapixels_is_refused(random_zoo: Zoo) -> None:
    picture = np.zeros((2000, 4000, 3), dtype=np.uint8)
    with pytest.raises(SettingsError, match=r"128 megapixels.*100"):
        enlarge_picture(picture, 4, "bicubic", random_zoo)


def test_rounding_goes_to_the_nearest_level_and_clamps() -> None:
    levels = np.array([[-3.0, 0.4, 0.6, 254.4, 254.6, 300.0]]) / 255
    assert to_bytes(levels.astype(np.float32)).tolist() == [[0, 0, 1, 254, 255, 255]]


@pytest.mark.parametrize("k", FACTORS)
def test_the_gpu_agrees_with_the_cpu_within_one_level(
    k: float, gpu: torch.device, random_models: ModelFolders, random_zoo: Zoo
) -> None:
    there = Zoo(gpu.type, folder=random_models.weights, cards=random_models.cards)
    crop = a_crop(96, 80)
    apart = round_trip(crop, k, "edsr", "area", there).astype(int) - round_trip(
        crop, k, "edsr", "area", random_zoo
    )
    assert np.abs(apart).max() <= 1
