"""The Compare tab shows what the core found: a row a picture, whatever became of the others."""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.compare import Row
from demo.core.faces import FaceDetector
from demo.core.images import Picture, encode_png
from demo.ui.compare_handlers import ANALYSE, GONE, MOST, CompareHandlers, Shown
from demo.ui.compare_view import Entry, comparison
from demo.ui.keeping import Keeping
from demo.ui.panel import SKIP
from demo.ui.pictures_input import Upload
from demo.ui.running import Runs
from models.zoo import Zoo
from tests.ui.test_handlers import Visitor

CHOSEN = (2.0, "lanczos", "area", "face")
SETTINGS = Settings(k=2.0, method="lanczos")


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def handlers(toolbox: Toolbox, tmp_path: Path) -> CompareHandlers:
    return CompareHandlers(toolbox, Keeping(tmp_path), Runs())


def sent(folder: Path, name: str, content: Picture | bytes) -> Upload:
    path = folder / f"sent-{name}"
    path.write_bytes(content if isinstance(content, bytes) else encode_png(content, {}))
    return Upload(name, path)


@pytest.fixture
def face(tmp_path: Path, astronaut: Picture) -> Upload:
    return sent(tmp_path, "face.png", astronaut)


def faceless() -> Picture:
    return np.full((200, 300, 3), 128, np.uint8)


def last(changes: Sequence[Shown]) -> Shown:
    """The tab after all changes, the latest value of each output."""
    whole = Shown()
    for one in changes:
        news = {
            name: value
            for name, value in one._asdict().items()
            if not (isinstance(value, dict) and value == SKIP)
        }
        whole = whole._replace(**news)
    return whole


def lines_of(shown: Shown) -> list[dict[str, str]]:
    with Path(shown.csv["value"]).open(newline="") as file:
        return list(csv.DictReader(file))


def click(row: object) -> gr.EventData:
    return gr.EventData(None, {"row": row})


def test_table_crops_and_csv_tell_one_analysis(
    handlers: CompareHandlers, toolbox: Toolbox, astronaut: Picture, face: Upload
) -> None:
    shown = last(list(handlers.run((face,), *CHOSEN, (), Visitor())))
    result = analyse(astronaut, SETTINGS, toolbox).results[0]
    (line,) = lines_of(shown)
    assert float(line["ssim"]) == result.quality.ssim
    assert f'data-key="{result.quality.ssim}">{result.quality.ssim:.4f}<' in shown.view
    assert f'data-key="{result.quality.psnr_db}">{result.quality.psnr_db:.2f}<' in shown.view
    for score in result.scores:
        assert float(line[f"{score.detector}_attacked"]) == score.attacked
        assert f'data-key="{score.clean}">{score.clean:.3f}<' in shown.view
        assert f'data-key="{score.attacked}">{score.attacked:.3f}<' in shown.view
    flips = sum(score.flipped for score in result.scores)
    assert f"{flips} of 3 verdicts flipped" in shown.outcome
    assert shown.view.count("Flipped: ") == flips
    crops = re.findall(r'src="gradio_api/file=([^"]+)"', shown.view)
    assert np.array_equal(np.asarray(Image.open(crops[0])), result.clean)
    after = Image.open(crops[1])
    assert np.array_equal(np.asarray(after), result.attacked)
    assert "round trip" in after.info["Description"]


@pytest.mark.parametrize(
    ("sides", "drawn", "said"),
    [
        ((50, 40), (150, 120), "50 × 40 px, every pixel drawn 3 × 3."),
        ((93, 93), (93, 93), "93 × 93 px, drawn pixel by pixel."),
        ((160, 90), (160, 90), "160 × 90 px, drawn pixel by pixel."),
        ((320, 640), (80, 160), "320 × 640 px, shrunk here to 160 px."),
    ],
)
def test_crops_are_drawn_by_a_whole_factor_or_said_to_be_shrunk(
    handlers: CompareHandlers,
    face: Upload,
    sides: tuple[int, int],
    drawn: tuple[int, int],
    said: str,
) -> None:
    (entry,) = last(list(handlers.run((face,), *CHOSEN, (), Visitor()))).kept
    reading = replace(entry.row.reading, box=(5, 5, 5 + sides[0], 5 + sides[1]))
    view = comparison((replace(entry, row=replace(entry.row, reading=reading)),), (), "")
    assert view.count(f'width="{drawn[0]}" height="{drawn[1]}"') == 2
    assert f">{said}<" in view
    assert view.count("crop pixels") == (0 if "shrunk" in said else 2)


def test_what_is_refused_gets_its_sentence_and_the_others_are_done(
    handlers: CompareHandlers, face: Upload, tmp_path: Path
) -> None:
    uploads = (
        sent(tmp_path, "hills.png", faceless()),
        sent(tmp_path, "notes.png", b"no picture"),
        Upload("gone.png", None, "It is gone."),
        face,
    )
    shown = last(list(handlers.run(uploads, *CHOSEN, (), Visitor())))
    lines = lines_of(shown)
    assert [line["picture"] for line in lines] == ["hills.png", "notes.png", "gone.png", "face.png"]
    assert "No face was found" in lines[0]["refusal"]
    assert "JPEG, PNG, WebP or BMP" in lines[1]["refusal"]
    assert lines[2]["refusal"] == "It is gone."
    assert lines[3]["refusal"] == "" and lines[3]["ssim"]
    for line in lines[:3]:
        assert line["refusal"] in shown.view
    assert "1 of 4 pictures compared" in shown.outcome
    # A picture without a face can be opened, to draw a box; what is no picture cannot.
    assert re.findall(r'data-open="(\d)"', shown.view) == ["0", "3"]


def test_a_seventh_picture_is_refused_and_six_are_done(
    handlers: CompareHandlers, tmp_path: Path
) -> None:
    uploads = tuple(sent(tmp_path, f"{number}.png", b"") for number in range(MOST + 1))
    shown = last(list(handlers.run(uploads, *CHOSEN, (), Visitor())))
    assert "At most 6 pictures are compared, but 7 came" in shown.problem
    assert "6.png" in shown.problem
    assert [line["picture"] for line in lines_of(shown)] == [f"{n}.png" for n in range(MOST)]


def test_too_large_a_picture_is_refused_like_everywhere(
    handlers: CompareHandlers, tmp_path: Path
) -> None:
    file = tmp_path / "large.png"
    Image.new("L", (5001, 5000)).save(file)
    shown = last(list(handlers.run((Upload("large.png", file),), *CHOSEN, (), Visitor())))
    assert "25 megapixels" in shown.view


def test_progress_names_each_picture_and_rows_come_one_by_one(
    handlers: CompareHandlers, face: Upload
) -> None:
    other = replace(face, name="again.png")
    changes = list(handlers.run((face, other), *CHOSEN, (), Visitor()))
    told = "".join(one.progress for one in changes if isinstance(one.progress, str))
    assert "Picture 1 of 2, face.png" in told
    assert "Picture 2 of 2, again.png" in told
    views = [one.view for one in changes if isinstance(one.view, str)]
    assert [view.count("Waiting for its turn") for view in views][:2] == [2, 1]
    assert "Waiting" not in views[-1]
    assert changes[-1].progress == ""


def test_names_from_outside_are_escaped(handlers: CompareHandlers, face: Upload) -> None:
    evil = replace(face, name="<img src=x onerror=alert(1)>\"'.png")
    uploads = (evil, replace(evil, path=None, refusal="<b>."))
    shown = last(list(handlers.run(uploads * 4, *CHOSEN, (), Visitor())))
    for html in (shown.view, shown.problem, shown.outcome):
        assert "<img src=x" not in html
        assert "<b>." not in html
        assert "\"'.png" not in html


def test_what_is_known_is_not_done_again_and_new_settings_do_all_anew(
    handlers: CompareHandlers, face: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = last(list(handlers.run((face,), *CHOSEN, (), Visitor()))).kept
    changed = last(list(handlers.run((face,), 3.0, *CHOSEN[1:], kept, Visitor()))).kept
    assert changed[0].row.settings.k == 3.0
    assert changed[0].row.reading != kept[0].row.reading
    monkeypatch.setattr("demo.ui.compare_handlers.analyse", None)
    assert last(list(handlers.run((face,), *CHOSEN, kept, Visitor()))).kept == kept


def test_swept_crops_are_made_again(handlers: CompareHandlers, face: Upload) -> None:
    kept = last(list(handlers.run((face,), *CHOSEN, (), Visitor()))).kept
    Path(kept[0].crops[0]).unlink()
    again = last(list(handlers.run((face,), *CHOSEN, kept, Visitor()))).kept
    assert Path(again[0].crops[0]).is_file()
    assert again[0].row == kept[0].row


def test_taking_all_away_clears_the_tab(handlers: CompareHandlers) -> None:
    shown = last(list(handlers.run((), *CHOSEN, (), Visitor())))
    assert shown.view == shown.outcome == shown.problem == ""
    assert shown.kept == ()
    assert shown.csv["visible"] is False


def test_wrong_settings_get_their_sentence(handlers: CompareHandlers, face: Upload) -> None:
    shown = last(list(handlers.run((face,), 9.0, *CHOSEN[1:], (), Visitor())))
    assert "K must be one of" in shown.problem


def test_leaving_ends_the_work(handlers: CompareHandlers, face: Upload) -> None:
    run = handlers.run((face, face), *CHOSEN, (), Visitor())
    next(run)
    run.close()
    assert len(handlers.runs) == 0


def test_a_newer_comparison_ends_the_older_which_says_nothing_more(
    handlers: CompareHandlers, face: Upload
) -> None:
    older = handlers.run((face,), *CHOSEN, (), Visitor())
    next(older)
    newer = last(list(handlers.run((face,), 3.0, *CHOSEN[1:], (), Visitor())))
    assert "K = 3" in newer.outcome
    assert all(one == Shown(progress="") for one in list(older)[-1:])
    assert len(handlers.runs) == 0


def test_stop_keeps_what_is_done_and_offers_it(handlers: CompareHandlers, face: Upload) -> None:
    second = replace(face, name="second.png")
    run = handlers.run((face, second), *CHOSEN, (), Visitor())
    kept: tuple[Entry, ...] = ()
    while not kept:
        kept = last([next(run)])._asdict()["kept"]
        kept = kept if isinstance(kept, tuple) else ()
    shown = handlers.settle((face, second), kept, Visitor())
    assert list(run)[-1] == Shown(progress="")
    assert [line["picture"] for line in lines_of(shown)] == ["face.png"]
    assert "Stopped before its turn" in shown.view
    assert handlers.settle((face,), (), Visitor()) == Shown(progress="")


def test_a_fault_of_the_server_is_told_without_a_trace(
    handlers: CompareHandlers, face: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.ui.compare_handlers.analyse", None)
    shown = last(list(handlers.run((face,), *CHOSEN, (), Visitor())))
    assert "Something went wrong on the server" in shown.problem
    assert "NoneType" not in shown.problem


def test_a_row_opens_its_own_picture_under_its_own_settings(
    handlers: CompareHandlers, face: Upload, tmp_path: Path
) -> None:
    entries = (
        Entry(face, Row("face.png", Settings(), None, "x"), None, True),
        Entry(
            sent(tmp_path, "hills.png", faceless()),
            Row("hills.png", Settings(4.0, "bicubic", "bicubic", "frame"), None, "x"),
            None,
            True,
        ),
    )
    opened = handlers.open(entries, click(1))
    assert np.array_equal(np.asarray(Image.open(opened.picture)), faceless())
    assert opened[2:] == (4.0, "bicubic", "bicubic", "frame")
    assert opened.pages.selected == ANALYSE
    # Another file each time: the same picture opened twice is new on the page twice.
    assert handlers.open(entries, click(1)).picture != opened.picture


@pytest.mark.parametrize("row", [None, "0", -1, 1, 0.5, True])
def test_a_row_that_is_none_opens_nothing(
    handlers: CompareHandlers, face: Upload, row: object
) -> None:
    entry = Entry(face, Row("face.png", SETTINGS, None, "x"), None, True)
    with pytest.raises(gr.Error, match=re.escape(GONE)):
        handlers.open((entry,), click(row))


def test_a_picture_that_was_swept_away_says_so(handlers: CompareHandlers, face: Upload) -> None:
    assert face.path is not None
    face.path.unlink()
    entry = Entry(face, Row("face.png", SETTINGS, None, "x"), None, True)
    with pytest.raises(gr.Error, match=re.escape(GONE)):
        handlers.open((entry,), click(0))
