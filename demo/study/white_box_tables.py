"""The tables of a study of white-box attacks, and what they say in sentences."""

from typing import Final

from demo.core.own_gradient import MASKING
from demo.core.white_box import FGSM, L0, PGD_L2, PGD_LINF
from demo.study.measuring import CLEAN
from demo.study.rates import Estimate, holm
from demo.study.table import Cell, Column, Table, figure
from demo.study.white_box_figures import Beside, Point, WhiteBoxResults
from demo.study.white_box_measuring import EQUAL_PSNR, ROUND_TRIP

TITLES: Final = {
    CLEAN: "none",
    ROUND_TRIP: "round trip",
    EQUAL_PSNR: "PGD, L2, PSNR of the round trip",
    FGSM: "FGSM, L∞",
    PGD_LINF: "PGD, L∞",
    PGD_L2: "PGD, L2",
    L0: "Fast Minimum Norm, L0",
}
UNITS: Final = {
    FGSM: "levels",
    PGD_LINF: "levels",
    PGD_L2: "levels RMS",
    L0: "pixels",
    ROUND_TRIP: "levels RMS",
    EQUAL_PSNR: "levels RMS",
}
SUCCESS: Final = Column("Success", "%")
PSNR: Final = Column("PSNR", "dB")


def strength_table(results: WhiteBoxResults) -> Table:
    """Every attack at every strength, on every detector that it knows."""
    columns = (
        Column("Detector"),
        Column("Attack"),
        Column("Strength"),
        PSNR,
        Column("Pixels changed", "%"),
        Column("Fake probability of fakes", digits=3),
        Column("Fake probability of pristine", digits=3),
        SUCCESS,
        Column("Judged rightly before"),
    )
    title = (
        "White-box attacks by strength: mean fake probability, and success, the share of right "
        "verdicts that turn; 95 % intervals over sources."
    )
    notes = (
        "Every attacked crop was rounded to 8 bits before it was scored. L∞ below one level "
        "changes nothing then.",
        "A strength that left the detector 99 % sure of the wrong verdict stands for the greater "
        "ones of that attack too, but for FGSM, whose single step may overshoot.",
        "The L0 attack looks for the fewest pixels; where more than allowed are needed, or none "
        "are found, the crop stays as it was.",
        "PSNR is the mean over the crops that changed. Attacks by strength may have been carried "
        "out on a part of the crops: the last column counts those judged rightly among them.",
    )
    return Table("strength", title, columns, tuple(map(_strength, results.points)), notes)


def equal_psnr_table(results: WhiteBoxResults) -> Table:
    """The round trip beside attacks by gradients of the same PSNR, with paired tests."""
    tested = holm([one.p_value for one in results.beside])
    rows = tuple(
        _beside(one, adjusted) for one, adjusted in zip(results.beside, tested, strict=True)
    )
    columns = (
        Column("Detector"),
        Column("Gradient of"),
        Column("Crops"),
        Column("Judged rightly before"),
        PSNR,
        Column("Success of the round trip", "%"),
        Column("Success of the gradient", "%"),
        Column("More by the gradient", "%"),
        Column("p", digits=4),
        Column("p, Holm", digits=4),
        Column("PSNR of the weakest PGD, L2, that does as much", "dB"),
    )
    apart = max(one.apart_db for one in results.beside)
    notes = (
        "Success is the share of right verdicts that turn. p: paired permutation test over "
        "sources, two-sided; adjusted for all tests of this table by Holm.",
        f"The PSNR of the two attacks differs by {apart:.3f} dB at most on any crop.",
        *_hidden(results),
    )
    title = (
        "The round trip and PGD in L2 of the same PSNR, crop by crop; 95 % intervals over sources."
    )
    return Table("equal_psnr", title, columns, rows, notes)


def transfer_table(results: WhiteBoxResults) -> Table:
    """Who is deceived by whose gradient, at the PSNR of the round trip."""
    found = {(one.knows, one.detector): one for one in results.beside if one.of == "all"}
    rows: list[tuple[Cell, ...]] = [
        (knows, *(found[knows, asked].gradient for asked in results.detectors))
        for knows in results.detectors
    ]
    rows.append(("round trip", *(found[one, one].round_trip for one in results.detectors)))
    columns = (Column("Gradient of"), *(Column(one, "%") for one in results.detectors))
    title = (
        "Transfer at the PSNR of the round trip: share of each detector's right verdicts that "
        "turn; 95 % intervals over sources."
    )
    notes = (
        "On the diagonal the attacker knows the detector; beside it he knows another one, which is "
        "the black-box case.",
    )
    return Table("transfer", title, columns, tuple(rows), notes)


def findings(results: WhiteBoxResults) -> tuple[str, ...]:
    """What was found, in sentences."""
    own = [one for one in results.beside if one.knows == one.detector and one.of == "all"]
    sentences = []
    for one in own:
        if not one.right:
            sentences.append(
                f"{one.detector}: it judged no crop rightly, so no verdict could turn."
            )
            continue
        as_much = (
            "no strength that was tried does as much"
            if one.as_much_db is None
            else f"PGD in L2 of {one.as_much_db.value:.1f} dB does as much or more"
        )
        sentences.append(
            f"{one.detector}: of {one.right} right verdicts the round trip, of "
            f"{one.psnr_db.value:.1f} dB on average, turns {_said(one.round_trip)}; an attack that "
            f"follows the detector's gradient turns {_said(one.gradient)} with the same PSNR, and "
            f"{as_much}."
        )
    others = [one for one in results.beside if one.knows != one.detector and one.right]
    if others:
        most = max(others, key=lambda one: one.gradient.value)
        sentences.append(
            f"Of attacks that know another detector, the gradient of {most.knows} turns the most "
            f"verdicts: {_said(most.gradient)} of {most.detector}'s, against "
            f"{_said(most.round_trip)} by the round trip."
        )
    return (*sentences, *_hidden(results))


def _strength(one: Point) -> tuple[Cell, ...]:
    unit = UNITS.get(one.attack)
    mean = "mean " if one.attack in (ROUND_TRIP, EQUAL_PSNR) else ""
    shown = f"{one.strength:.2f}" if mean else f"{one.strength:g}"
    if one.strength == 1 and unit is not None:
        unit = {"levels": "level", "pixels": "pixel"}.get(unit, unit)
    return (
        one.detector,
        TITLES[one.attack],
        None if unit is None else f"{mean}{shown} {unit}",
        one.psnr_db,
        one.changed,
        one.fakes,
        one.pristine,
        one.success,
        one.right,
    )


def _beside(one: Beside, adjusted: float) -> tuple[Cell, ...]:
    return (
        one.detector,
        "itself" if one.knows == one.detector else one.knows,
        one.of,
        one.right,
        one.psnr_db,
        one.round_trip,
        one.gradient,
        one.more,
        one.p_value,
        adjusted,
        one.as_much_db,
    )


def _hidden(results: WhiteBoxResults) -> tuple[str, ...]:
    """Whose gradient is sometimes exactly zero, and what that is called in the field."""
    still = {one: results.still(one) for one in results.detectors}
    return tuple(
        f"{name}: on {stays} of {crops} crops its own gradient is zero, or lost in rounding, and "
        f"the crop stays as it is. A verdict that stands for that reason is no robust one "
        f"({MASKING}); whether another detector's gradient turns it is in the table of transfer."
        for name, (stays, crops) in still.items()
        if stays
    )


def _said(share: Estimate) -> str:
    percent = Column("", "%")
    low, high = (figure(end, percent) for end in (share.low, share.high))
    return f"{figure(share, percent)} % ({low} to {high})"
