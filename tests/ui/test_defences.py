"""The Defences tab: what it says is what the core found, about the face on show only."""

import math
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.defences import ENSEMBLE, KNOWN, clean_auc, defences, find_defences
from demo.core.defending import DefendedScore, ask_defences
from demo.core.faces import FaceDetector
from demo.core.images import Picture
from demo.core.own_gradient import NATURE, GradientScore
from demo.core.scoring import DetectorScore
from demo.study.bundled_tables import read_defence_tables, read_table
from demo.study.rates import Estimate
from demo.study.table import Column, Table, markdown
from demo.ui import defences_view as view
from demo.ui.defences_handlers import DefencesHandlers, Kept, Shown
from demo.ui.keeping import Keeping
from demo.ui.panel import Study, finished
from demo.ui.running import Runs
from models.cards import Figure
from models.zoo import Zoo
from tests.made_models import ModelFolders
from tests.ui.test_handlers import Visitor

SKIPPED = gr.skip()
SETTINGS = Settings(method="bicubic")
KINDS = ["robust training", "small network"]


@pytest.fixture(scope="module")
def toolbox(defended_zoo: Zoo) -> Toolbox:
    return Toolbox(defended_zoo, FaceDetector())


@pytest.fixture(scope="module")
def study(toolbox: Toolbox, astronaut: Picture, tmp_path_factory: pytest.TempPathFactory) -> Study:
    keeping = Keeping(tmp_path_factory.mktemp("kept"))
    panel = finished(analyse(astronaut, SETTINGS, toolbox), keeping, toolbox.zoo)
    assert isinstance(panel.study, Study)
    return panel.study


@pytest.fixture
def handlers(toolbox: Toolbox, tmp_path: Path) -> DefencesHandlers:
    return DefencesHandlers(toolbox, Runs(), tmp_path)


@pytest.fixture(scope="module")
def asked(toolbox: Toolbox, astronaut: Picture, study: Study) -> list[Shown]:
    """Everything that asking about the astronaut yields."""
    made = DefencesHandlers(toolbox, Runs(), Path("none"))
    return list(made.run(astronaut, KINDS, False, study, None, Visitor()))


def cells(html: str) -> list[list[str]]:
    """The text of every cell of every row."""
    rows = re.findall(r"<tr.*?</tr>", html.split("<tbody>")[1])
    return [
        [
            re.sub(r"<[^>]+>", " ", cell).strip()
            for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row)
        ]
        for row in rows
    ]


def score(clean: float, attacked: float, title: str = "One") -> DetectorScore:
    return DetectorScore("one", title, clean, attacked, 0.0, 0.0, threshold=0.5)


def test_asking_shows_progress_and_then_what_the_core_found(
    asked: list[Shown], toolbox: Toolbox, astronaut: Picture
) -> None:
    assert all("<progress" in one.progress for one in asked[:-1])
    last = asked[-1]
    names = ["resnet50_robust", "small", "small_residual", "small_attention"]
    found = ask_defences(astronaut, SETTINGS, find_defences(names, toolbox.zoo), toolbox)
    assert isinstance(last.kept, Kept) and last.kept.scores == found.scores
    rows = cells(last.answers)
    for row, one in zip(rows, found.scores, strict=True):
        assert row[0].split("  ") == [one.defence.title, one.defence.kind]
        assert row[1].startswith(f"{one.score.clean:.3f}")
        assert row[2].startswith(f"{one.score.attacked:.3f}")
        assert f"threshold {one.score.threshold:.3f}" in row[3]
        if one.plain is None:
            assert row[4] == "–"
        else:
            assert f"{one.plain.title} {one.plain.clean:.3f} → {one.plain.attacked:.3f}" in row[4]


@pytest.fixture(scope="module")
def pushed(toolbox: Toolbox, astronaut: Picture, study: Study) -> list[Shown]:
    """The same, with each small network attacked along its own gradient too."""
    made = DefencesHandlers(toolbox, Runs(), Path("none"))
    return list(made.run(astronaut, ["small network"], True, study, None, Visitor()))


def test_what_each_network_says_after_its_own_gradient_stands_beside_the_round_trip(
    pushed: list[Shown], toolbox: Toolbox, astronaut: Picture
) -> None:
    stages = "".join(one.progress for one in pushed[:-1])
    assert "Small network: PGD" in stages and "Small, attention: PGD" in stages
    last = pushed[-1]
    asked = find_defences(["small", "small_residual", "small_attention"], toolbox.zoo)
    found = ask_defences(astronaut, SETTINGS, asked, toolbox, white_box=True)
    assert last.kept.scores == found.scores
    for row, one in zip(cells(last.answers), found.scores, strict=True):
        assert one.gradient is not None
        assert row[4].startswith(f"{one.gradient.score.attacked:.3f}")
        assert f"PSNR {one.gradient.psnr_db:.2f} dB" in row[4]
        assert f"round trip {one.gradient.round_trip_psnr_db:.2f} dB" in row[4]
        if one.plain_gradient is not None:
            assert f"Own gradient {one.plain_gradient.score.attacked:.3f}" in row[5]
    assert "By its own gradient, at the same PSNR, 3 of 3 did." in last.outcome
    assert NATURE in last.answers
    # Faces are shown clean and after the round trip alone.
    assert last.face.count("data:image") == 2 and "data:image" not in last.answers


def test_gradients_are_followed_only_when_wished_and_hidden_at_once(
    asked: list[Shown], pushed: list[Shown], handlers: DefencesHandlers, study: Study
) -> None:
    assert "gradient" not in asked[-1].answers + asked[-1].outcome
    hidden = handlers.open(["small network"], False, study, pushed[-1].kept)
    assert len(cells(hidden.answers)) == 3 and "gradient" not in hidden.answers + hidden.outcome
    again = handlers.open(["small network"], True, study, pushed[-1].kept)
    assert again.answers == pushed[-1].answers
    not_yet = handlers.open(KINDS, True, study, asked[-1].kept)
    assert not_yet.answers == asked[-1].answers and view.NOT_YET in not_yet.outcome


def test_gradients_that_were_not_followed_are_asked_for(
    asked: list[Shown], handlers: DefencesHandlers, astronaut: Picture, study: Study
) -> None:
    run = handlers.run(astronaut, KINDS, True, study, asked[-1].kept, Visitor())
    assert "<progress" in next(run).progress
    run.close()


@pytest.mark.parametrize("which", ["asked", "pushed"])
def test_nothing_kept_for_a_visitor_holds_a_pixel(
    which: str, request: pytest.FixtureRequest
) -> None:
    def inside(value: object) -> Iterator[object]:
        yield value
        if isinstance(value, dict):
            value = tuple(value.values())
        if isinstance(value, tuple | list | frozenset):
            for one in value:
                yield from inside(one)

    kept = request.getfixturevalue(which)[-1].kept
    held = [*inside(tuple(kept)), *inside([asdict(one) for one in kept.scores])]
    assert len(held) > 40
    assert not any(isinstance(one, np.ndarray | bytes) for one in held)


def test_the_same_face_is_not_asked_about_twice_and_a_kind_is_switched_off_at_once(
    asked: list[Shown], handlers: DefencesHandlers, astronaut: Picture, study: Study
) -> None:
    kept = asked[-1].kept
    (again,) = handlers.run(astronaut, KINDS, False, study, kept, Visitor())
    assert again.answers == asked[-1].answers
    switched = handlers.open(["robust training"], False, study, kept)
    assert [row[0] for row in cells(switched.answers)] == ["ResNet50, robust  robust training"]
    other = handlers.run(astronaut, ["ensemble"], False, study, kept, Visitor())
    assert len(list(other)) > 1


def test_answers_about_another_face_are_never_shown(
    asked: list[Shown], handlers: DefencesHandlers, study: Study
) -> None:
    kept = asked[-1].kept
    for other in (
        replace(study, digest="0" * 64),
        replace(study, settings=replace(SETTINGS, k=4.0)),
        replace(study, settings=replace(SETTINGS, face=1)),
    ):
        shown = handlers.open(KINDS, False, other, kept)
        assert (shown.answers, shown.outcome) == ("", view.INVITATION)
        assert "data:image/png" in shown.face


def test_without_a_result_another_picture_or_no_kind_a_sentence_says_so(
    handlers: DefencesHandlers, astronaut: Picture, study: Study
) -> None:
    assert view.NOTHING in handlers.open(KINDS, False, None, None).problem
    for picture, kinds, on_show, sentence in (
        (astronaut, KINDS, None, view.NOTHING),
        (None, KINDS, study, view.NOTHING),
        (np.ascontiguousarray(astronaut[:, ::-1]), KINDS, study, view.CHANGED),
        (astronaut, [], study, view.UNTICKED),
    ):
        (shown,) = handlers.run(picture, kinds, False, on_show, None, Visitor())
        assert sentence in shown.problem and shown.kept == SKIPPED


def test_a_refused_network_is_said_and_the_others_are_shown(
    defended_models: ModelFolders, astronaut: Picture, study: Study, tmp_path: Path
) -> None:
    missing = {"small_residual": tmp_path / "none"}
    zoo = Zoo("cpu", folder=defended_models.weights, cards=defended_models.cards, given=missing)
    handlers = DefencesHandlers(Toolbox(zoo, FaceDetector()), Runs(), tmp_path)
    asking = handlers.run(astronaut, ["small network"], False, study, None, Visitor())
    last = list(asking)[-1]
    assert 'class="problem"' in last.problem and "small_residual" in last.problem
    assert str(tmp_path) not in last.problem
    assert len(cells(last.answers)) == 2


def test_leaving_or_stopping_ends_the_asking(
    handlers: DefencesHandlers, astronaut: Picture, study: Study
) -> None:
    run = handlers.run(astronaut, KINDS, False, study, None, Visitor())
    next(run)
    run.close()
    assert len(handlers.runs) == 0
    run = handlers.run(astronaut, KINDS, False, study, None, Visitor())
    next(run)
    handlers.halt(Visitor())
    assert list(run)[-1] == Shown(progress="")


@pytest.mark.parametrize(
    ("plain", "defended", "flag", "said"),
    [
        (score(0.8, 0.2), score(0.7, 0.6), "kept", "Keeps the verdict that the plain one changed"),
        (score(0.8, 0.2), score(0.7, 0.4), "flipped", "Does not keep"),
        (score(0.8, 0.7), score(0.7, 0.4), "flipped", "Flips where the plain one does not"),
        (score(0.8, 0.7), score(0.7, 0.6), "same", "Neither flips"),
    ],
)
def test_a_kept_verdict_is_flagged(
    plain: DetectorScore, defended: DetectorScore, flag: str, said: str
) -> None:
    html = view.answers([DefendedScore(KNOWN[0], defended, plain)], {})
    assert f'<tr class="{flag}">' in html and said in html


def test_the_outcome_counts_the_verdicts_kept() -> None:
    kept = DefendedScore(KNOWN[0], score(0.7, 0.6), score(0.8, 0.2))
    lost = replace(kept, score=score(0.7, 0.2))
    alone = replace(kept, plain=None)
    assert (
        "3 defences asked: the plain detector's verdict changed beside 2 of them, and 1 kept it"
        in view.outcome([kept, lost, alone])
    )
    assert "1 of 3 changed their own verdict" in view.outcome([kept, lost, alone])
    assert "1 defence asked: no plain detector beside them changed" in view.outcome([alone])


def test_the_chosen_actions_and_the_cards_auc_with_its_price_are_shown(toolbox: Toolbox) -> None:
    (robust, policy, ensemble) = find_defences(
        ["resnet50_robust", "policy_mask_resnet50", ENSEMBLE], toolbox.zoo
    )
    one = DefendedScore(policy, score(0.7, 0.6), score(0.8, 0.2), ("leave", "mask"))
    assert "Action: leave clean, mask attacked" in view.answers([one], {})
    own, plain = (Figure("AUC", value, 0.7, 0.9, "", "crops", "clean") for value in (0.78, 0.8))
    html = view.answers([replace(one, defence=robust)], {robust.name: (own, plain)})
    assert "0.780 (0.700 to 0.900)" in html and "Price: −0.020 (plain 0.800)" in html
    found = clean_auc(robust, toolbox.zoo)
    assert found is not None and found[1] is not None and found[0].name == "AUC"
    assert clean_auc(policy, toolbox.zoo) is clean_auc(ensemble, toolbox.zoo) is None


def test_what_an_auc_was_measured_on_is_said_once_or_in_each_row() -> None:
    rows = [DefendedScore(one, score(0.7, 0.6), None) for one in KNOWN[:2]]
    (first, second) = (Figure("AUC", 0.78, 0.7, 0.9, "", of, "clean") for of in ("here", "<there>"))
    same = view.answers(rows, {row.defence.name: (first, None) for row in rows})
    assert same.count("here") == same.count("Clean AUC: here.") == 1
    figures = zip((row.defence.name for row in rows), ((first, None), (second, None)), strict=True)
    html = view.answers(rows, dict(figures))
    assert "<small>here</small>" in html and "<small>&lt;there&gt;</small>" in html
    assert "Clean AUC: " not in html


def test_a_network_without_a_gradient_is_not_called_robust() -> None:
    still = GradientScore(score(0.7, 0.7), math.inf, 41.0)
    assert not still.found
    one = DefendedScore(KNOWN[0], score(0.7, 0.6), None, gradient=still)
    assert "nothing to follow, which proves nothing" in view.answers([one], {})
    assert "0 of 1 did; 1 had no gradient to follow." in view.outcome([one])
    turned = replace(one, gradient=GradientScore(score(0.7, 0.1), 41.0, 41.0))
    html = view.answers([turned], {})
    assert "<td>0.100 <small>Flipped: fake → real" in html and "nothing to follow" not in html


def test_a_name_from_outside_is_escaped() -> None:
    evil = DefendedScore(KNOWN[0], score(0.7, 0.6), score(0.8, 0.2, title="<b>&\"'"))
    assert "<b>&" not in view.answers([evil], {})


def test_the_bundled_study_is_shown_as_it_was_written(
    handlers: DefencesHandlers, tmp_path: Path
) -> None:
    assert handlers.studied() == ""
    columns = (Column("Detector"), Column("FNR", "%"))
    rows = (("a|b", Estimate(0.1, 0.05, 0.2)), ("c", None))
    folder = tmp_path / "dfdc" / "tables"
    folder.mkdir(parents=True)
    for name in ("defences_bar", "defences"):
        made = Table(name, f"Title of {name}.", columns, rows, ("A <note>.",))
        (folder / f"{name}.md").write_text(markdown(made), encoding="utf-8")
    (folder / "defences_none.md").write_text("No table.\n")
    first, second = read_defence_tables(tmp_path)
    assert (first.title, second.title) == ("Title of defences.", "Title of defences_bar.")
    assert first.head == ("Detector", "FNR (%)")
    assert first.rows == (("a|b", "10.0 (5.0 to 20.0)"), ("c", "–"))
    html = handlers.studied()
    assert '<p class="caption">Title of defences. <small>' in html and "A &lt;note&gt;." in html
    assert html.count("<details>") == 1
    assert "<details><summary>Title of defences_bar.</summary>" in html
    assert read_table("") is None


def test_kinds_are_counted(toolbox: Toolbox) -> None:
    shipped = defences(toolbox.zoo)
    assert view.kind_words("small network", shipped) == "Small network (3)"
    assert view.kind_words("input policy", shipped) == "Input policy (2)"
