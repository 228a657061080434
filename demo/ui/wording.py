"""What the page says about a result, as HTML. Everything that is not written here is escaped."""

import base64
from collections.abc import Sequence
from html import escape

from demo.core.analysis import Analysis, FaceResult
from demo.core.faces import Box
from demo.core.images import Picture, encode_png
from demo.core.scoring import DetectorScore, called
from demo.core.settings import Settings
from demo.ui.stepping import Step
from demo.views import whole_factor
from models.cards import DetectorCard, Figure
from models.precision import Precision

METHOD_NAMES = {"edsr": "EDSR", "bicubic": "bicubic", "lanczos": "Lanczos"}
SCOPE_NAMES = {"face": "this face only", "faces": "every face", "frame": "the whole frame"}


def method_name(method: str) -> str:
    """A restoring method for people, escaped; a network of the operator's by its own name."""
    return METHOD_NAMES.get(method) or escape(method)


def heading(device: str, precision: Precision = "float32") -> str:
    """The top of the page: what it is for, in one sentence, where it runs and how exactly."""
    place = "CPU" if device == "cpu" else f"GPU ({device})"
    fast = " in bfloat16, the fast mode: scores differ a little from the exact ones"
    return (
        '<header class="masthead"><div><h1>Super-resolution round trip</h1>'
        "<p>Shrink a face by 1/<var>K</var>, let super-resolution restore it, and see whether "
        "three deepfake detectors still say the same.</p></div>"
        f'<p class="device">Runs on <strong>{escape(place)}</strong>'
        f"{fast if precision == 'bfloat16' else ''}</p></header>"
    )


def examples() -> str:
    """What the examples are, so that nobody takes a made picture for a photograph."""
    return (
        '<p class="under">Photograph: NASA, public domain. Made 1 to 3: fakes of it, self-blended '
        "by this project.</p>"
    )


def progress(step: Step) -> str:
    """The bar shown while an analysis runs."""
    name = escape(step.name or "Done")
    return (
        f'<label class="running"><span>{name} …</span>'
        f'<progress max="1" value="{step.fraction:.2f}"></progress></label>'
    )


def summary(result: FaceResult) -> str:
    """The outcome in one line, for a small screen where the result lies below the controls."""
    flipped = sum(score.flipped for score in result.scores)
    return (
        f'<a class="summary" href="#verdict">{flipped} of {len(result.scores)} verdicts flipped'
        " <span aria-hidden=true>↓</span></a>"
    )


def problem(sentence: str, *more: str) -> str:
    """One or more sentences about what went wrong and what to do."""
    return "".join(f'<p class="problem">{escape(line)}</p>' for line in (sentence, *more))


def busy(sentence: str) -> str:
    """That the server takes no more work now; with it the page shows a button to try again."""
    return f'<p class="problem busy">{escape(sentence)}</p>'


def hint(faces: int, subject: str | None, corner: bool = False) -> str:
    """What a click in the picture does now."""
    if corner:
        return "<p>First corner set. Click the opposite corner.</p>"
    if subject == "box":
        return "<p>Click two opposite corners in the picture, or fill in the four fields.</p>"
    if not faces:
        return (
            "<p>Choose <strong>My own box</strong> to draw one around the face, or "
            "<strong>Whole picture</strong>.</p>"
        )
    found = "One face found." if faces == 1 else f"{faces} faces found, the largest is number 1."
    return f"<p>{found} Click a face to choose it.</p>"


def verdict(analysis: Analysis, result: FaceResult) -> str:
    """The outcome in words: how many verdicts flipped, which, and under which settings."""
    flipped = [score for score in result.scores if score.flipped]
    count = len(result.scores)
    if not count:
        headline, tone = "No detector could be asked", "same"
    elif flipped:
        verdicts = "verdict" if count == 1 else "verdicts"
        headline, tone = f"{len(flipped)} of {count} {verdicts} flipped", "flipped"
    else:
        headline, tone = f"No verdict flipped ({count} of {count} unchanged)", "same"
    each = "; ".join(_in_words(score) for score in result.scores)
    settings = analysis.settings
    return (
        f'<div class="verdict {tone}"><h2>{headline}</h2>'
        f"<p>{each}.</p>"
        f'<p class="under">K = {settings.k:g}, restored by {method_name(settings.method)}, '
        f"shrunk by {settings.kernel} kernel, attacked: {_attacked(settings)}; "
        f"shown: {escape(subject_name(analysis, result))}.</p></div>"
    )


def _attacked(settings: Settings) -> str:
    if settings.scope == "faces" and settings.box is not None:
        return "your own box only"
    if settings.scope == "faces" and settings.whole:
        return "the whole picture"
    return SCOPE_NAMES[settings.scope]


def subject_name(analysis: Analysis, result: FaceResult) -> str:
    """What the result is about: a numbered face, the visitor's own box, or the whole picture."""
    if result.face.source == "hand":
        return "your own box"
    if result.face.source == "picture":
        return "the whole picture"
    return f"face {analysis.faces.index(result.face) + 1} of {len(analysis.faces)}"


def detectors(scores: Sequence[DetectorScore]) -> str:
    """One card a detector: verdict before and after, probabilities, threshold, a scale."""
    cards = "".join(_detector(score) for score in scores)
    return f'<ul class="detectors">{cards}</ul>' if cards else ""


def quality(result: FaceResult) -> str:
    """SSIM, PSNR and the 8-bit differences between the two crops."""
    measured = result.quality
    x0, y0, x1, y1 = result.box
    return (
        '<dl class="quality">'
        + "".join(
            f"<div><dt>{name}</dt><dd>{value}<small> {unit}</small></dd></div>"
            for name, value, unit in (
                ('<abbr title="structural similarity">SSIM</abbr>', f"{measured.ssim:.4f}", ""),
                (
                    '<abbr title="peak signal-to-noise ratio">PSNR</abbr>',
                    decibels(measured.psnr_db),
                    "dB",
                ),
                ("Mean difference", f"{measured.mean_difference:.2f}", "of 255"),
                ("Largest difference", f"{measured.max_difference}", "of 255"),
                ("Crop", f"{x1 - x0} × {y1 - y0}", "px"),
            )
        )
        + "</dl>"
    )


def decibels(level: float) -> str:
    """A PSNR in dB, without the unit; ∞ for identical crops."""
    return "∞" if level == float("inf") else f"{level:.2f}"


def drawn(width: int, height: int, side: int) -> str:
    """How large a crop is in pixels, and how it is drawn where there is room for ``side``."""
    factor = whole_factor((width, height), side)
    if max(width, height) > side:
        how = f"shrunk here to {side} px"
    else:
        how = f"every pixel drawn {factor} × {factor}" if factor > 1 else "drawn pixel by pixel"
    return f"{width} × {height} px, {how}."


def window(box: Box, factor: int) -> str:
    """Where the zoomed window lies and how much it is enlarged."""
    x0, y0, x1, y1 = box
    return (
        f'<p class="under">Window of {x1 - x0} × {y1 - y0} px from ({x0}, {y0}) of the crop, '
        f"every pixel drawn {factor} × {factor} (nearest neighbour).</p>"
    )


def honesty(cards: Sequence[DetectorCard]) -> str:
    """What the detectors were trained on, their measured error, what a score does not prove."""
    limits = (
        "<p><strong>What a score does not prove.</strong> A fake probability says how much a crop "
        "resembles the fakes that a detector was trained on. It is no proof that a picture is "
        "real or forged: other forgeries, cameras and compression shift it, and the attacked "
        "picture is itself no original photograph.</p>"
    )
    if not cards:
        return f'<section class="honesty">{limits}</section>'
    data = " ".join(dict.fromkeys(escape(card.origin.data) for card in cards))
    rows = "".join(
        f"<tr><th scope=row>{escape(card.title)}</th><td>{escape(figure.name)}</td>"
        f"<td>{_figure(figure)}</td><td>{escape(_under(figure))}</td></tr>"
        for card in cards
        for figure in card.figures
    )
    notes = "".join(
        f"<li><strong>{escape(card.title)}:</strong> {escape(card.note)}</li>"
        for card in cards
        if card.note
    )
    return (
        f'<section class="honesty">{limits}'
        f"<p><strong>What the detectors know.</strong> Trained on: {data} {_errors(cards)}</p>"
        "<details><summary>Measured figures of the three detectors</summary>"
        '<div class="table" tabindex="0" role="region" aria-label="Measured figures"><table>'
        "<thead><tr><th scope=col>Detector</th><th scope=col>Figure</th>"
        "<th scope=col>Value (95 % interval)</th><th scope=col>Measured on</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div><ul>{notes}</ul></details></section>"
    )


def embedded(picture: Picture) -> str:
    """A picture, uint8 RGB H×W×3, as an address that holds it: PNG, nothing written to disk."""
    return "data:image/png;base64," + base64.b64encode(encode_png(picture, {})).decode()


def _in_words(score: DetectorScore) -> str:
    before, after = called(score.clean_fake), called(score.attacked_fake)
    call = f"<strong>{before} → {after}</strong>" if score.flipped else f"{before}, unchanged"
    numbers = f"fake probability {score.clean:.3f}, then {score.attacked:.3f}"
    return f'{escape(score.title)}: {call}<span class="spoken">, {numbers}</span>'


def _detector(score: DetectorScore) -> str:
    tone = "flipped" if score.flipped else "same"
    meaning = (
        f"Fake probability on a scale from 0 to 1: before {score.clean:.3f}, "
        f"after {score.attacked:.3f}, threshold {score.threshold:.3f}"
    )
    left, right = sorted((score.clean, score.attacked))
    return (
        f'<li class="detector {tone}"><h3>{escape(score.title)}</h3>'
        f'<p class="call">{verdict_change(score)}</p>'
        '<p class="reading"><span class="name">Fake probability</span>'
        f'<span class="numbers"><span class="before">{score.clean:.3f}</span>'
        '<span class="arrow" role="img" aria-label="then">→</span>'
        f'<strong class="after">{score.attacked:.3f}</strong></span></p>'
        f'<div class="scale" role="img" aria-label="{meaning}">'
        f'<span class="span" style="left:{_cent(left)};right:{_cent(1 - right)}"></span>'
        f'<span class="threshold" style="left:{_cent(score.threshold)}"></span>'
        f'<span class="dot before" style="left:{_cent(score.clean)}"></span>'
        f'<span class="dot after" style="left:{_cent(score.attacked)}"></span></div>'
        '<p class="ends" aria-hidden="true"><span>0 real</span><span>fake 1</span></p>'
        f'<p class="under">Threshold {score.threshold:.3f}; '
        f"change {signed(score.attacked - score.clean)}</p></li>"
    )


def verdict_change(score: DetectorScore) -> str:
    """What became of a verdict, in words."""
    before, after = called(score.clean_fake), called(score.attacked_fake)
    return f"Flipped: {before} → {after}" if score.flipped else f"Unchanged: {after}"


def _cent(fraction: float) -> str:
    return f"{100 * fraction:.2f}%"


def signed(change: float, digits: int = 3) -> str:
    """A change with its sign, a true minus."""
    return f"{change:+.{digits}f}".replace("-", "\u2212")


def _figure(figure: Figure) -> str:
    unit = f" {escape(figure.unit)}" if figure.unit else ""
    span = (
        f" ({figure.low:.4g} to {figure.high:.4g})"
        if figure.low is not None and figure.high is not None
        else ""
    )
    return f"{figure.value:.4g}{unit}{span}"


def _under(figure: Figure) -> str:
    return ", ".join(part for part in (figure.of, figure.condition) if part)


def _errors(cards: Sequence[DetectorCard]) -> str:
    firsts = [
        f"{escape(card.title)} {escape(card.figures[0].name)} {_figure(card.figures[0])}"
        for card in cards
        if card.figures
    ]
    on = next((_under(card.figures[0]) for card in cards if card.figures), "")
    return f"Measured on {escape(on)}: {'; '.join(firsts)}." if firsts else ""
