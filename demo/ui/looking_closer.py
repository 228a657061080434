"""Looking closer at the result on show: the amplified difference, and a window of it enlarged."""

import math
from collections.abc import Sequence
from typing import Any

import gradio as gr

from demo import views
from demo.core.errors import DemoError, SettingsError
from demo.ui import wording
from demo.ui.panel import Crops

DIFFERENCE_SIZE = 768
ZOOM_SIZE = 384


def look_closer(
    crops: Crops | None, gain: float, across: float, down: float, window: float
) -> tuple[Any, ...]:
    """Shows the amplified difference with its window, and the window three times enlarged.

    Args:
        crops: what the page shows now.
        gain: factor on the difference.
        across: the window's centre from the left, in per cent of the crop.
        down: the window's centre from the top, in per cent of the crop.
        window: the window's side in pixels of the crop.
    """
    if crops is None:
        return (gr.skip(),) * 5
    try:
        return _closer(crops, gain, across, down, window)
    except DemoError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def place_window(crops: Crops | None, event: gr.SelectData) -> tuple[Any, Any]:
    """Moves the zoomed window to where the difference was clicked, in per cent of the crop."""
    point = point_of(event)
    if crops is None or point is None:
        return gr.skip(), gr.skip()
    height, width = crops.clean.shape[:2]
    factor = views.whole_factor(crops.clean.shape[:2], DIFFERENCE_SIZE)
    return _per_cent(point[0] / factor / width), _per_cent(point[1] / factor / height)


def check_look(gain: float, across: float, down: float, window: float) -> None:
    """Refuses a gain, place or window that is not a number: sliders let those through.

    Raises:
        SettingsError: one of them is not finite.
    """
    if not all(math.isfinite(number) for number in (gain, across, down, window)):
        raise SettingsError("Gain, place and window have to be numbers. Move their sliders.")


def point_of(event: gr.SelectData) -> tuple[float, float] | None:
    """Where a picture was clicked, (x, y) in its pixels; None where the event does not say."""
    place = event.index
    if not isinstance(place, Sequence) or len(place) != 2:
        return None
    if not all(isinstance(part, int | float) and math.isfinite(part) for part in place):
        return None
    return float(place[0]), float(place[1])


def _closer(
    crops: Crops, gain: float, across: float, down: float, window: float
) -> tuple[Any, ...]:
    check_look(gain, across, down, window)
    height, width = crops.clean.shape[:2]
    centre = (across / 100 * width, down / 100 * height)
    changed = views.difference(crops.clean, crops.attacked, gain)
    box = views.window_box(changed, centre, round(window))
    framed = views.outline(changed, box, views.whole_factor(changed.shape[:2], DIFFERENCE_SIZE))
    zoomed = (
        views.zoom(picture, centre, round(window), ZOOM_SIZE)
        for picture in (crops.clean, crops.attacked, changed)
    )
    before, after, apart = zoomed
    times = f"×{gain:g}"
    return (
        gr.update(value=framed, label=f"Artifact difference, amplified {times}"),
        before,
        after,
        gr.update(value=apart, label=f"Difference {times}"),
        wording.window(box, views.whole_factor((box[2] - box[0], box[3] - box[1]), ZOOM_SIZE)),
    )


def _per_cent(part: float) -> float:
    return round(100 * min(max(part, 0.0), 1.0), 1)
