"""An operator names data in one word, and hears what is wrong with it."""

from pathlib import Path

import pytest

from demo.core.errors import SettingsError
from demo.study.opening import open_named


def test_the_kind_says_what_the_folder_holds(faces_folder: Path) -> None:
    crops, pictures = open_named(f"crops={faces_folder}"), open_named(f"folder={faces_folder}")
    assert crops.samples == pictures.samples
    assert len(crops.samples) == 20
    assert (crops.crops, pictures.crops) == (True, False)


def test_a_split_of_dfdc_is_its_kind(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text(
        "name,label,original,split,native_width,native_height,shard\n"
        "one,real,one,test,90,90,test-00.tar\ntwo,fake,one,val,90,90,val-00.tar\n"
    )
    assert [one.name for one in open_named(f"dfdc-test={tmp_path}").samples] == ["one"]
    assert [one.name for one in open_named(f"dfdc-val={tmp_path}").samples] == ["two"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "dfdc=/data",
            "one of the kinds crops, folder, dfdc-train, dfdc-val, dfdc-test, but the kind 'dfdc'",
        ),
        ("crops", "'crops' without a folder"),
        ("crops=", "'crops' without a folder"),
        ("", "named KIND=FOLDER"),
        ("crops=/nowhere", "none in real/"),
        ("dfdc-test=/nowhere", "DFDC face crops was expected"),
    ],
)
def test_what_is_no_data_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as refused:
        open_named(text)
    assert "/nowhere" not in str(refused.value)
