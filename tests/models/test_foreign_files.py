import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from models.errors import WeightsError
from models.foreign_files import MAX_BYTES, named_file, read_foreign_file, some_keys


@pytest.fixture
def tensors() -> dict[str, Tensor]:
    return {
        "conv.weight": torch.arange(12.0).reshape(3, 4),
        "norm.num_batches_tracked": torch.tensor(7),
    }


def saved(path: Path, checkpoint: Any, **options: Any) -> Path:
    torch.save(checkpoint, path, **options)
    return path


def refused(path: Path) -> str:
    """The sentence with which a file is refused; it never tells where the file lies."""
    with pytest.raises(WeightsError) as refusal:
        read_foreign_file(path, "custom")
    sentence = str(refusal.value)
    assert sentence.startswith("The checkpoint custom is refused: expected ")
    assert sentence.endswith("; give another file, or leave it out.")
    assert str(path.parent) not in sentence
    return sentence


def equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(
        torch.equal(found[key], tensor) for key, tensor in expected.items()
    )


# What is read


@pytest.mark.parametrize("wrapper", ["params_ema", "params", "state_dict", "model", "net"])
def test_the_weights_are_found_under_the_usual_keys(
    tmp_path: Path, tensors: dict[str, Tensor], wrapper: str
) -> None:
    path = saved(tmp_path / "a.pth", {"epoch": 3, wrapper: OrderedDict(tensors)})
    assert equal(read_foreign_file(path, "custom").tensors, tensors)


def test_averaged_weights_go_before_the_others(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    other = {key: tensor + 1 for key, tensor in tensors.items()}
    path = saved(tmp_path / "a.pth", {"params": other, "params_ema": tensors})
    assert equal(read_foreign_file(path, "custom").tensors, tensors)


def test_the_format_is_seen_in_the_file_and_not_in_its_name(
    tmp_path: Path, tensors: dict[str, Tensor]
) -> None:
    path = tmp_path / "weights.ckpt"
    path.write_bytes(safetensors.torch.save(tensors))
    assert equal(read_foreign_file(path, "custom").tensors, tensors)


def test_a_pickle_from_before_the_zip_format_is_read(
    tmp_path: Path, tensors: dict[str, Tensor]
) -> None:
    path = saved(tmp_path / "a.p", tensors, _use_new_zipfile_serialization=False)
    assert equal(read_foreign_file(path, "custom").tensors, tensors)


def test_a_leading_module_is_stripped_and_half_precision_widened(
    tmp_path: Path, tensors: dict[str, Tensor]
) -> None:
    wrapped = {f"module.{key}": tensor for key, tensor in tensors.items()}
    wrapped["module.conv.weight"] = tensors["conv.weight"].half()
    assert equal(read_foreign_file(saved(tmp_path / "a.pth", wrapped), "custom").tensors, tensors)


# What is refused


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"PK\x03\x04" + bytes(100),
        bytes(7) + b"\x7f{" + bytes(30),
        pickle.dumps([1, 2, 3]),
        pickle.dumps({"conv.weight": [1.0]}),
        b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
    ],
)
def test_a_file_that_is_no_checkpoint_gets_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    assert "found another or a damaged one" in refused(path)


def test_no_cut_of_a_checkpoint_escapes_with_another_error(
    tmp_path: Path, tensors: dict[str, Tensor]
) -> None:
    for new in (True, False):
        whole = saved(tmp_path / "a.pth", tensors, _use_new_zipfile_serialization=new).read_bytes()
        for length in range(0, len(whole) - 8, max(1, len(whole) // 60)):
            (tmp_path / "cut.pth").write_bytes(whole[:length])
            refused(tmp_path / "cut.pth")


def test_a_pickle_that_would_run_something_is_refused_without_running_it(tmp_path: Path) -> None:
    class Command:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    refused(saved(tmp_path / "a.pth", {"conv.weight": Command()}))
    assert not (tmp_path / "ran").exists()


def test_a_zip_that_inflates_is_refused_before_it_does(
    tmp_path: Path, tensors: dict[str, Tensor]
) -> None:
    source = zipfile.ZipFile(io.BytesIO(saved(tmp_path / "a.pth", tensors).read_bytes()))
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, source.read(entry))
    refused(bomb)


def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    huge = torch.zeros(1).expand(10**12)
    refused(saved(tmp_path / "a.pth", {"conv.weight": huge}))


def test_a_file_beyond_the_bound_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "at most 2.1 GB, found 2.1 GB" in refused(path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert "a file that can be read, found none" in refused(tmp_path)
    assert "a file that can be read, found none" in refused(tmp_path / "missing.pth")


def test_a_checkpoint_without_tensors_is_refused(tmp_path: Path) -> None:
    assert "named tensors, found none" in refused(saved(tmp_path / "a.pth", {"state_dict": {}}))


def test_a_number_that_is_not_finite_is_refused_by_its_key(
    tmp_path: Path, tensors: dict[str, Tensor]
) -> None:
    tensors["conv.weight"][1, 2] = float("nan")
    assert "NaN or infinity in conv.weight" in refused(saved(tmp_path / "a.pth", tensors))


# Names


@pytest.mark.parametrize(
    ("text", "name", "file"),
    [
        ("mine=weights/a.pth", "mine", "weights/a.pth"),
        ("weights/FF++ c23.pth", "ff_c23", "weights/FF++ c23.pth"),
        ("ff-c23=a.pth", "ff-c23", "a.pth"),
    ],
)
def test_a_file_is_named_by_the_operator_or_by_itself(text: str, name: str, file: str) -> None:
    assert named_file(text) == (name, Path(file))


@pytest.mark.parametrize("text", ["", "mine=", "My Net=a.pth", "../a=a.pth", "=a.pth", "++.pth"])
def test_a_name_or_file_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(WeightsError, match="expected"):
        named_file(text)


def test_a_few_keys_stand_for_many() -> None:
    assert some_keys(["b", "a"]) == "a, b"
    assert some_keys("edcba") == "a, b, c and 2 more"
