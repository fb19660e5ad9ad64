"""Datasets of a few real cells, whole and broken, in every layout that is read."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from inference.datasets.cells import class_of
from inference.datasets.split import case_of, split
from inference.labels import CIL_NAMES
from inference.training.cil import read_split
from tests.conftest import CIL

NAMES = ("1053931", "1056063", "1056891", "1070723", "1091162", "1091163")


@pytest.fixture(scope="session")
def annotations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("xml")
    with tarfile.open(CIL / "annotations.tar.gz") as archive:
        wanted = [member for member in archive.getmembers() if Path(member.name).stem in NAMES]
        archive.extractall(folder, wanted, filter="data")
    found = {path.stem: path for path in folder.rglob("*.xml")}
    assert len(found) >= 5
    return found


@pytest.fixture
def cil(tmp_path: Path, annotations: dict[str, Path]) -> Path:
    """The public layout with a few cells of at least five cases."""
    home = tmp_path / "cil" / "24_chromosomes_object"
    for folder in ("JEPG", "annotations"):
        (home / folder).mkdir(parents=True)
    for name, path in annotations.items():
        shutil.copy(CIL / "JEPG" / f"{name}.jpg", home / "JEPG")
        shutil.copy(path, home / "annotations")
    return home.parent


def state_of(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def imported(root: Path, out: Path, *more: str) -> dict[str, Any]:
    try:
        call_command("dataset", "import", str(root), "--out", str(out), *more, verbosity=0)
    finally:
        report = json.loads((out / "report.json").read_text()) if out.exists() else {}
    return report


def truth(annotation: Path) -> tuple[list[str], np.ndarray]:
    """Names and boxes, read apart from the program's own reader."""
    text = annotation.read_text()
    names = re.findall(r"<object>\s*<name>(\w+)</name>", text)
    corners = [
        [float(v) for v in re.findall(rf"<{key}>(-?\d+)</{key}>", text)] for key in ("xmin", "ymin", "xmax", "ymax")
    ]
    return names, np.array(corners).T


def test_the_public_layout_becomes_a_dataset_and_stays_as_it_was(cil: Path, tmp_path: Path, annotations: Any) -> None:
    before = state_of(cil)
    report = imported(cil, tmp_path / "out")
    assert state_of(cil) == before
    assert report["problems"] == [] and report["cells"] == len(annotations)
    seen = {}
    for which in ("train", "val"):
        for cell in read_split(tmp_path / "out", which):
            seen[cell.name] = which
            assert cell.image.is_symlink()
            names, boxes = truth(annotations[cell.name])
            assert [CIL_NAMES[index] for index in cell.classes] == names
            np.testing.assert_allclose(cell.boxes, boxes, atol=0.01)
    assert seen.keys() == annotations.keys() and set(seen.values()) == {"train", "val"}
    sides = {}
    for name, which in seen.items():
        assert sides.setdefault(case_of(name), which) == which
    again = imported(cil, tmp_path / "out")
    assert again == report


def test_ultralytics_reads_what_was_written(cil: Path, tmp_path: Path, annotations: Any) -> None:
    imported(cil, tmp_path / "out")
    from ultralytics.data.utils import check_det_dataset, img2label_paths

    data = check_det_dataset(str(tmp_path / "out" / "data.yaml"))
    assert tuple(data["names"].values()) == CIL_NAMES
    listed = [line.replace("./", f"{tmp_path}/out/") for line in Path(data["train"]).read_text().split()]
    assert listed and all(Path(path).exists() for path in [*listed, *img2label_paths(listed)])


def break_it(cil: Path) -> None:
    home = cil / "24_chromosomes_object"
    names = sorted(path.stem for path in (home / "annotations").glob("*.xml"))
    (home / "annotations" / f"{names[0]}.xml").unlink()
    picture = home / "JEPG" / f"{names[1]}.jpg"
    picture.write_bytes(picture.read_bytes()[:4000])
    text = (home / "annotations" / f"{names[2]}.xml").read_text()
    text = text.replace("<name>A1</name>", "<name>Z9</name>", 1)
    text = re.sub(r"(<name>A2</name>.*?<xmin>)\d+(</xmin>.*?<xmax>)\d+", r"\g<1>50\g<2>50", text, count=1, flags=re.S)
    text = re.sub(r"(<name>A3</name>.*?<xmax>)\d+", r"\g<1>99999", text, count=1, flags=re.S)
    text = re.sub(
        r"(<name>B4</name>.*?<xmin>)\d+(</xmin>.*?<xmax>)\d+", r"\g<1>8000\g<2>8100", text, count=1, flags=re.S
    )
    (home / "annotations" / f"{names[2]}.xml").write_text(text)
    (home / "annotations" / "9999991.xml").write_text("<annotation></annotation>")
    (home / "annotations" / f"{names[3]}.xml").write_text("<annotation><object>")
    (cil / "train.txt").write_text("\n".join([*names, "8888881"]))


def test_every_broken_thing_is_listed_with_its_file_and_the_rest_is_imported(
    cil: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], annotations: Any
) -> None:
    names = sorted(annotations)
    break_it(cil)
    out = tmp_path / "out"
    with pytest.raises(CommandError) as stopped:
        call_command("dataset", "import", str(cil), "--out", str(out), verbosity=0)
    assert stopped.value.returncode == 1 and "Left out: 3 box(es), 4 cell(s), 1 entry(ies)" in str(stopped.value)
    report = json.loads((out / "report.json").read_text())
    told = [(Path(problem["file"]).name, problem["left_out"]) for problem in report["problems"]]
    assert sorted(told) == sorted([
        (f"{names[0]}.jpg", "cell"), (f"{names[1]}.jpg", "cell"), ("9999991.xml", "cell"), (f"{names[3]}.xml", "cell"),
        *[(f"{names[2]}.xml", kind) for kind in ("box", "box", "box", "")], ("train.txt", "name"),
    ])  # fmt: skip
    shown = capsys.readouterr().out
    assert all(problem["file"] in shown and problem["sentence"] in shown for problem in report["problems"])
    left = {cell.name: cell for which in ("train", "val") for cell in read_split(out, which)}
    assert left.keys() == {*names[2:3], *names[4:]}
    cell, (wanted, boxes) = left[names[2]], truth(annotations[names[2]])
    assert len(cell.boxes) == len(wanted) - 3
    third = wanted.index("A3")
    assert cell.boxes[:, 2].max() < 2000
    assert cell.boxes[list(cell.classes).index(2), 0] == pytest.approx(boxes[third, 0], abs=0.01)
    strict = tmp_path / "strict"
    with pytest.raises(CommandError):
        call_command("dataset", "import", str(cil), "--out", str(strict), "--whole-cells", verbosity=0)
    assert not (strict / "labels" / f"{names[2]}.txt").exists()


def test_coco_and_yolo_give_the_same_cells(cil: Path, tmp_path: Path) -> None:
    imported(cil, tmp_path / "out")
    cells = {cell.name: cell for which in ("train", "val") for cell in read_split(tmp_path / "out", which)}
    again = imported(tmp_path / "out", tmp_path / "yolo", "--split", "official")
    assert again["layout"] == "yolo" and again["problems"] == []
    coco = tmp_path / "coco"
    shutil.copytree(cil / "24_chromosomes_object" / "JEPG", coco / "images")
    categories = [{"id": 3 * index + 1, "name": name.lstrip("ABCDEFG")} for index, name in enumerate(CIL_NAMES)]
    content: dict[str, Any] = {"images": [], "annotations": [], "categories": categories}
    for number, cell in enumerate(cells.values()):
        content["images"].append({"id": number, "file_name": f"{cell.name}.jpg"})
        for box, which in zip(cell.boxes.tolist(), cell.classes.tolist(), strict=True):
            corner = {"bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]], "category_id": 3 * which + 1}
            content["annotations"].append({"id": len(content["annotations"]), "image_id": number} | corner)
    content["annotations"].append({"id": 9999, "image_id": 777, "bbox": [0, 0, 5, 5], "category_id": 1})
    (coco / "instances.json").write_text(json.dumps(content))
    with pytest.raises(CommandError, match=r"Left out: 1 box\(es\)"):
        imported(coco, tmp_path / "from-coco")
    for out in ("yolo", "from-coco"):
        found = {cell.name: cell for which in ("train", "val") for cell in read_split(tmp_path / out, which)}
        assert found.keys() == cells.keys()
        for name, cell in found.items():
            assert cell.classes.tolist() == cells[name].classes.tolist()
            np.testing.assert_allclose(cell.boxes, cells[name].boxes, atol=0.02)


def test_a_folder_that_is_no_dataset_or_is_taken_is_refused(cil: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="none of the layouts"):
        imported(tmp_path / "empty", tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("three years")
    with pytest.raises(CommandError, match="not empty"):
        call_command("dataset", "import", str(cil), "--out", str(tmp_path / "mine"), verbosity=0)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "three years"
    with pytest.raises(CommandError, match="within the folder"):
        call_command("dataset", "import", str(cil), "--out", str(cil / "yolo"), verbosity=0)
    with pytest.raises(CommandError, match=r"train\.txt, which is missing"):
        call_command("dataset", "import", str(cil), "--out", str(tmp_path / "p"), "--split", "paper", verbosity=0)


def test_splits() -> None:
    names = [f"{case}{cell}" for case in range(100, 200) for cell in range(1, 6)]
    test = [name for name in names if name.endswith("1") and int(name) < 1200]
    by_case = split("case", names, {"test": test}, 0)
    train, val = ({case_of(name) for name in side} for side in (by_case.train, by_case.val))
    tested = {case_of(name) for name in test}
    assert not train & val and not (train | val) & tested and by_case.test == test
    assert len(by_case.aside) == 4 * len(test) and 0.75 < len(by_case.train) / (len(names) - 100) < 0.95
    more = split("case", [*names, "9991"], {"test": test}, 0)
    assert {*by_case.train} <= {*more.train} and {*by_case.val} <= {*more.val}
    lists = {"train": [name for name in names if name not in test], "test": test}
    paper = split("paper", names, lists, 0)
    assert paper.test == test and len(paper.train) == round(0.85 * len(lists["train"]))
    assert (
        sorted(paper.train + paper.val) == sorted(lists["train"])
        and paper.train != split("paper", names, lists, 1).train
    )
    given = split("official", names, {"train": names[:9] + ["gone"], "val": names[9:20]}, 0)
    assert given.train == names[:9] and given.val == names[9:20] and "case" in given.note


@pytest.mark.parametrize(
    ("name", "label"),
    [("A1", "A1"), ("1", "A1"), ("chr22", "G22"), ("Chromosome X", "X"), ("chr_7", "C7"), ("y", "Y"), ("01", "A1"),
     ("B1", None), ("23", None), ("", None), ("0", None), ("marker", None)],
)  # fmt: skip
def test_class_names(name: str, label: str | None) -> None:
    which = class_of(name)
    assert (None if which is None else CIL_NAMES[which]) == label
