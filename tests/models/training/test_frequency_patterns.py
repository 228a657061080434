import numpy as np
import numpy.typing as npt
import pytest

from models.training.frequency_patterns import (
    AMPLITUDES,
    CLEAR,
    KINDS,
    Geometry,
    Pattern,
    draw_pattern,
    inject,
    magnitude,
    with_pattern,
)

SIDE = 64
AS_DRAWN = Geometry(turn=0.0, scale=1.0, offset=(0.0, 0.0))


def made_crop(seed: int) -> npt.NDArray[np.uint8]:
    """Grey enough that nothing is clipped."""
    return np.random.default_rng(seed).integers(90, 166, (SIDE, SIDE, 3), dtype=np.uint8)


def peaks(*bins: tuple[int, int], geometry: Geometry = AS_DRAWN) -> Pattern:
    """Points at frequencies (across, down), counted in periods per picture."""
    places = tuple((across / SIDE, down / SIDE) for across, down in bins)
    return Pattern("peaks", places, 0.2 / SIDE, geometry)


def brightest(drawn: npt.NDArray[np.float32]) -> set[tuple[int, int]]:
    """Frequencies (across, down) of the highest magnitude, in periods per picture."""
    half = SIDE // 2
    down, across = np.nonzero(drawn > 0.9)
    return {
        (int((u + half) % SIDE - half), int((v + half) % SIDE - half))
        for u, v in zip(across, down, strict=True)
    }


def test_peaks_are_where_they_were_put_and_at_their_opposites() -> None:
    drawn = magnitude(peaks((10, 4), (-7, 20)), SIDE)
    assert brightest(drawn) == {(10, 4), (-10, -4), (-7, 20), (7, -20)}


def test_a_pattern_is_turned_scaled_and_moved_as_a_whole() -> None:
    quarter = Geometry(turn=np.pi / 2, scale=1.0, offset=(0.0, 0.0))
    assert brightest(magnitude(peaks((10, 4), geometry=quarter), SIDE)) == {(-4, 10), (4, -10)}
    twice = Geometry(turn=0.0, scale=2.0, offset=(0.0, 0.0))
    assert brightest(magnitude(peaks((10, 4), geometry=twice), SIDE)) >= {(20, 8), (-20, -8)}
    moved = Geometry(turn=0.0, scale=1.0, offset=(3 / SIDE, -2 / SIDE))
    assert brightest(magnitude(peaks((10, 4), geometry=moved), SIDE)) == {(13, 2), (-13, -2)}


def test_a_grid_is_lines_at_equal_distances_and_a_halo_is_a_ring() -> None:
    grid = magnitude(Pattern("grid", ((0.25, 0.0),), 0.2 / SIDE, AS_DRAWN), SIDE)
    assert grid[16].min() > 0.9 and grid[:, 16].min() > 0.9
    assert grid[8, 8] < 0.01
    halo = magnitude(Pattern("halo", ((0.25, 0.0),), 0.5 / SIDE, AS_DRAWN), SIDE)
    assert halo[16, 0] > 0.9 and halo[0, 16] > 0.9
    assert halo[24, 0] < 0.01 and halo[16, 16] < 0.01


def test_the_middle_of_the_spectrum_is_left_alone() -> None:
    rng = np.random.default_rng(1)
    axis = np.fft.fftfreq(SIDE)
    inside = np.hypot(*np.meshgrid(axis, axis)) < CLEAR
    for _ in range(20):
        assert magnitude(draw_pattern(rng), SIDE)[inside].max() == 0


@pytest.mark.parametrize("side", [63, 64])
def test_every_pattern_is_the_spectrum_of_a_real_picture(side: int) -> None:
    rng = np.random.default_rng(2)
    seen = set()
    for _ in range(30):
        pattern = draw_pattern(rng)
        drawn = magnitude(pattern, side)
        assert np.abs(np.fft.ifft2(drawn).imag).max() < 1e-8
        assert drawn.min() >= 0 and 0 < drawn.max() <= 1
        seen.add(pattern.kind)
    assert seen == set(KINDS)


def test_the_crop_changes_by_its_amplitude_and_at_the_pattern_alone() -> None:
    crop = made_crop(seed=3)
    drawn = magnitude(peaks((10, 4)), SIDE)
    for amplitude in (2.0, 8.0):
        change = inject(crop, drawn, amplitude).astype(np.float64) - crop
        assert np.sqrt(np.square(change).mean()) == pytest.approx(amplitude, rel=0.05)
        spectrum = np.square(np.abs(np.fft.fft2(change, axes=(0, 1)))).sum(axis=2)
        assert brightest((spectrum / spectrum.max()).astype(np.float32)) == {(10, 4), (-10, -4)}
        assert spectrum[[4, -4], [10, -10]].sum() > 0.9 * spectrum.sum()


def test_the_crop_keeps_its_phase() -> None:
    crop = made_crop(seed=4)
    before = np.fft.fft2(crop[..., 1].astype(np.float64))[4, 10]
    after = np.fft.fft2(inject(crop, magnitude(peaks((10, 4)), SIDE), 6.0)[..., 1])[4, 10]
    assert abs(after) > 2 * abs(before)
    assert abs(np.angle(after / before)) < 0.05


def test_an_empty_pattern_leaves_the_crop_as_it_is() -> None:
    crop = made_crop(seed=5)
    assert (inject(crop, np.zeros((SIDE, SIDE), np.float32), 4.0) == crop).all()


def test_drawn_patterns_stay_within_the_amplitudes() -> None:
    crop = made_crop(seed=6)
    rng = np.random.default_rng(6)
    changes = [with_pattern(crop, rng).astype(np.float64) - crop for _ in range(30)]
    strength = np.array([np.sqrt(np.square(change).mean()) for change in changes])
    low, high = AMPLITUDES
    # Rounding to 8 bits adds up to 1/√12 levels.
    assert strength.min() > low * 0.95 and strength.max() < np.hypot(high, 12**-0.5) * 1.01
    assert strength.max() > 2 * strength.min()
