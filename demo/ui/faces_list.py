"""Every face of a frame side by side: clean beside attacked, and what the detectors say of each.

The pictures lie in the HTML itself, so that nothing of them outlives the page.
"""

from collections.abc import Sequence
from html import escape
from itertools import combinations, starmap
from typing import Any

import gradio as gr

from demo.core.analysis import Analysis, FaceResult
from demo.core.faces import Box
from demo.core.images import Picture
from demo.core.scoring import DetectorScore
from demo.core.settings import SCOPES
from demo.ui.wording import drawn, embedded, verdict_change
from demo.views import enlarge_pixels, shrunk, whole_factor

SIDE = 160
# What a visitor chose is drawn anew, and the keyboard's place in the list must not be lost by it.
_CHOICE = """
let chosen = null;
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  chosen = button.dataset.face || '0';
  trigger('select', {...button.dataset});
});
new MutationObserver(() => {
  const place = element.querySelector(`[data-face="${chosen}"]`);
  if (!place || document.activeElement !== document.body) return;
  place.focus();
  chosen = null;
}).observe(element, {childList: true, subtree: true});
"""


def lay_out_faces() -> gr.HTML:
    """Places the list in the Blocks that is being built."""
    return gr.HTML("", elem_id="faces", js_on_load=_CHOICE)


def faces_list(analysis: Analysis, shown: FaceResult) -> str:
    """Lists the faces that were analysed together, each with a button that shows it large.

    Args:
        analysis: of a frame.
        shown: the result that the page shows large.

    Returns:
        HTML. Where only one of several faces was attacked, a sentence and a button that attacks
        them all; empty where there are no several faces.
    """
    if len(analysis.results) > 1:
        return _list(analysis, shown)
    if len(analysis.faces) < 2 or shown.face.source != "mtcnn":
        return ""
    return (
        f'<section class="faces"><p>{len(analysis.faces)} faces were found; this result is about '
        'one of them. <button type="button" data-scope="faces">Attack every face</button> to see '
        "them side by side, clean beside attacked.</p></section>"
    )


def chosen(event: gr.EventData) -> tuple[Any, Any]:
    """Scope and face that a button of the list asks for; nothing where it is none of them."""
    scope, face = event._data.get("scope"), event._data.get("face")
    return (
        scope if scope in SCOPES else gr.skip(),
        face if isinstance(face, str) and face.isdecimal() else gr.skip(),
    )


def _list(analysis: Analysis, shown: FaceResult) -> str:
    scores = [score for result in analysis.results for score in result.scores]
    flipped = sum(score.flipped for score in scores)
    items = "".join(
        _face(number, result, result is shown) for number, result in enumerate(analysis.results, 1)
    )
    return (
        '<section class="faces" aria-labelledby="faces-title">'
        f'<h2 id="faces-title">{len(analysis.results)} faces: {flipped} of {len(scores)} verdicts '
        "flipped</h2>"
        '<p class="under">Numbered as in the picture with the frames, the largest first. '
        f"{_sharing(analysis)}</p><ol>{items}</ol></section>"
    )


def _face(number: int, result: FaceResult, shown: bool) -> str:
    name = f"Face {number}"
    index = number - 1
    place = (
        f'<a href="#verdict" data-face="{index}" aria-label="{name}: shown large above">'
        'Shown large above <span aria-hidden="true">↑</span></a>'
        if shown
        else f'<button type="button" data-face="{index}" aria-label="{name}: show large above">'
        "Show large above</button>"
    )
    pictures = "".join(
        f'<figure><img class="pixels" alt="{name}, {word.lower()}" src="{embedded(_drawn(crop))}">'
        f"<figcaption>{word}</figcaption></figure>"
        for word, crop in (("Clean", result.clean), ("Attacked", result.attacked))
    )
    height, width = result.clean.shape[:2]
    return (
        f"<li{' aria-current=true' if shown else ''}><h3>{name}</h3>{place}"
        f'<div class="pair">{pictures}</div>{_scores(name, result.scores)}'
        f'<p class="under">SSIM {result.quality.ssim:.4f}; crop of '
        f"{drawn(width, height, SIDE)}</p></li>"
    )


def _scores(name: str, scores: Sequence[DetectorScore]) -> str:
    rows = "".join(
        f'<tr{" class=flipped" if score.flipped else ""}><th scope="row">{escape(score.title)}</th>'
        f"<td>{score.clean:.3f} → {score.attacked:.3f}</td><td>{verdict_change(score)}</td></tr>"
        for score in scores
    )
    return (
        f'<table aria-label="{name}: fake probability before and after"><thead><tr>'
        '<th scope="col">Detector</th><th scope="col">Fake probability</th>'
        f'<th scope="col">Verdict</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _drawn(crop: Picture) -> Picture:
    small = shrunk(crop, SIDE)
    return enlarge_pixels(small, whole_factor(small.shape[:2], SIDE))


def _sharing(analysis: Analysis) -> str:
    boxes = [result.box for result in analysis.results]
    if analysis.settings.scope == "frame" or not any(starmap(_overlap, combinations(boxes, 2))):
        return ""
    return (
        "Some crops overlap: where they do, the smaller one's round trip lies on top, and no "
        "pixel goes through it twice."
    )


def _overlap(one: Box, other: Box) -> bool:
    return max(one[0], other[0]) < min(one[2], other[2]) and max(one[1], other[1]) < min(
        one[3], other[3]
    )
