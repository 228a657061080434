"""What the Defences tab says and shows, as HTML; everything that is not written here is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from demo.core.defences import Defence
from demo.core.defending import DefendedScore
from demo.core.own_gradient import NATURE, GradientScore
from demo.core.scoring import called
from demo.study.bundled_tables import ShownTable
from demo.ui.panel import Study
from demo.ui.wording import decibels, embedded, method_name, signed, verdict_change
from models.cards import Figure

INTRODUCTION: Final = (
    '<p class="under">Can a detector be made to stand the round trip? The face of the Analyse tab, '
    "clean and attacked, through each plain detector and through the defences that stand against "
    "it. A network is loaded when it is first asked, which takes some seconds.</p>"
)
NONE: Final = '<p class="under">No defence is here: none of their model cards is.</p>'
NOTHING: Final = "No result is on show. Choose a picture in the Analyse tab first."
CHANGED: Final = "The picture has just changed. Wait for its analysis, then ask again."
UNTICKED: Final = "No defence is chosen. Tick one or more kinds."
INVITATION: Final = "<p>The defences have not been asked about this face yet.</p>"
WHITE_BOX: Final = "Also attack each network along its own gradient (PGD), at the same PSNR"
WHITE_BOX_INFO: Final = (
    "A research figure, for scale: it needs the network's weights, and some seconds of each "
    "network's time. No picture of it is shown or kept."
)
NOT_YET: Final = "<p>Gradients have not been followed for this face yet: ask again.</p>"
_ITSELF: Final = ("Defence", "Clean", "Attacked", "Verdict")
_GRADIENT: Final = ("By its own gradient",)
_BESIDE: Final = (
    "Plain detector beside it",
    "Against the plain one",
    "Clean AUC by its card",
)

# Clean AUC of a defence by its card, and of its plain detector where measured on the same crops.
Figures = Mapping[str, tuple[Figure, Figure | None]]


def kind_words(kind: str, shipped: Sequence[Defence]) -> str:
    """A kind in the list of switches, with how many there are."""
    return f"{kind.capitalize()} ({sum(one.kind == kind for one in shipped)})"


def face(study: Study) -> str:
    """The face on show in the Analyse tab, before and after."""
    pictures = "".join(
        f'<figure><img alt="Face {name}" src="{embedded(picture)}">'
        f"<figcaption>{name.capitalize()}</figcaption></figure>"
        for name, picture in (("clean", study.clean), ("attacked", study.attacked))
    )
    settings = study.settings
    return (
        f'<div class="pair">{pictures}</div><p class="under">K = {settings.k:g}, restored by '
        f"{method_name(settings.method)}, shrunk by {settings.kernel} kernel. Another face, "
        "picture or setting is chosen in the Analyse tab.</p>"
    )


def outcome(scores: Sequence[DefendedScore]) -> str:
    """How many of the verdicts that plain detectors changed were kept, in words."""
    if not scores:
        return ""
    changed = [one for one in scores if one.plain is not None and one.plain.flipped]
    kept = sum(one.keeps for one in changed)
    flipped = sum(one.score.flipped for one in scores)
    asked = "1 defence" if len(scores) == 1 else f"{len(scores)} defences"
    said = (
        f"the plain detector's verdict changed beside {len(changed)} of them, and {kept} kept it"
        if changed
        else "no plain detector beside them changed its verdict"
    )
    return (
        f"<p><strong>{asked} asked: {said}.</strong> {flipped} of {len(scores)} changed their own "
        f"verdict.{_by_gradient(scores)} One face proves nothing either way.</p>"
    )


def answers(scores: Sequence[DefendedScore], figures: Figures) -> str:
    """The table: a row a defence."""
    if not scores:
        return ""
    pushed = any(one.gradient is not None for one in scores)
    names = (*_ITSELF, *(_GRADIENT if pushed else ()), *_BESIDE)
    head = "".join(f'<th scope="col">{one}</th>' for one in names)
    origins = _origins(scores, figures)
    rows = "".join(_row(one, figures, pushed, len(origins) > 1) for one in scores)
    measured = f" Clean AUC: {escape(origins[0])}." if len(origins) == 1 else ""
    nature = f'<p class="under">{NATURE}</p>' if pushed else ""
    return (
        '<p class="under">Fake probability and verdict; the robust twins of the plain '
        f"detectors are read at the plain ones' thresholds, all others at their own.{measured}</p>"
        f"{nature}"
        '<div class="table" tabindex="0" role="region" aria-label="What each defence says"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def studied(tables: Sequence[ShownTable]) -> str:
    """The tables of the bundled study of defences, those behind the first one folded away.

    Nothing where none is bundled.
    """
    if not tables:
        return ""
    folded = "".join(
        f"<details><summary>{escape(one.title)}</summary>{_studied(one)}</details>"
        for one in tables[1:]
    )
    return f"<h2>What a study of many faces found</h2>{_studied(tables[0])}{folded}"


def _by_gradient(scores: Sequence[DefendedScore]) -> str:
    """How many verdicts PGD changed, where it was asked for."""
    pushed = [one.gradient for one in scores if one.gradient is not None]
    if not pushed:
        return ""
    flipped = sum(one.score.flipped for one in pushed)
    without = sum(not one.found for one in pushed)
    said = f" By its own gradient, at the same PSNR, {flipped} of {len(pushed)} did"
    return said + (f"; {without} had no gradient to follow." if without else ".")


def _origins(scores: Sequence[DefendedScore], figures: Figures) -> list[str]:
    """On what the figures in the table were measured, each once."""
    shown = (figures[one.defence.name] for one in scores if one.defence.name in figures)
    return sorted({own.of for own, _ in shown})


def _row(one: DefendedScore, figures: Figures, pushed: bool, several_origins: bool) -> str:
    flag = "kept" if one.keeps else "flipped" if one.score.flipped else "same"
    return (
        f'<tr class="{flag}"><th scope="row">{escape(one.defence.title)} '
        f"<small>{one.defence.kind}</small></th>{_reading(one.score.clean, one.score.clean_fake)}"
        f"{_reading(one.score.attacked, one.score.attacked_fake)}<td>{_verdict(one)}</td>"
        f"{_gradient(one.gradient) if pushed else ''}"
        f"<td>{_plain(one)}</td><td>{_against(one)}</td>"
        f"<td>{_figures(figures.get(one.defence.name), several_origins)}</td></tr>"
    )


def _reading(probability: float, fake: bool) -> str:
    return f"<td>{probability:.3f} <small>{called(fake)}</small></td>"


def _verdict(one: DefendedScore) -> str:
    said = verdict_change(one.score)
    if one.actions:
        clean, attacked = one.actions
        said += f"<small>Action: {clean} clean, {attacked} attacked</small>"
    return f"{said}<small>threshold {one.score.threshold:.3f}</small>"


def _gradient(one: GradientScore | None) -> str:
    if one is None:
        return "<td>–</td>"
    how = (
        f"PSNR {decibels(one.psnr_db)} dB, round trip {decibels(one.round_trip_psnr_db)} dB"
        if one.found
        else "Its gradient is zero here: nothing to follow, which proves nothing"
    )
    return (
        f"<td>{one.score.attacked:.3f} <small>{verdict_change(one.score)}</small>"
        f"<small>{how}</small></td>"
    )


def _plain(one: DefendedScore) -> str:
    plain = one.plain
    if plain is None:
        return "–"
    said = (
        f"{escape(plain.title)} {plain.clean:.3f} → {plain.attacked:.3f}"
        f"<small>{verdict_change(plain)}</small>"
    )
    if one.plain_gradient is not None:
        pushed = one.plain_gradient.score
        said += f"<small>Own gradient {pushed.attacked:.3f}: {verdict_change(pushed)}</small>"
    return said


def _against(one: DefendedScore) -> str:
    if one.plain is None:
        return "–"
    if one.keeps:
        return "<strong>Keeps the verdict that the plain one changed</strong>"
    if one.plain.flipped:
        return "Does not keep the plain one's clean verdict"
    if one.score.flipped:
        return "Flips where the plain one does not"
    return "Neither flips"


def _figures(found: tuple[Figure, Figure | None] | None, several_origins: bool) -> str:
    if found is None:
        return "–"
    own, plain = found
    interval = "" if own.low is None else f" ({own.low:.3f} to {own.high:.3f})"
    said = f"{own.value:.3f}{interval}"
    if plain is not None:
        price = signed(own.value - plain.value)
        said += f"<small>Price: {price} (plain {plain.value:.3f})</small>"
    return f"{said}<small>{escape(own.of)}</small>" if several_origins else said


def _studied(table: ShownTable) -> str:
    title = escape(table.title)
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in table.head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>"
        for row in table.rows
    )
    notes = "".join(f'<p class="under">{escape(note)}</p>' for note in table.notes)
    return (
        f'<p class="caption">{title} <small>Scroll sideways for every column.</small></p>'
        f'<div class="table" tabindex="0" role="region" aria-label="{title}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"</div>{notes}"
    )
