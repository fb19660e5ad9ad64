"""`manage.py karyotype`: the JSON contract on a real cell, several files, bad files, and no database."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import tifffile
from django.core.management import CommandError, call_command
from PIL import Image
from pycocotools import mask as coco

from inference.training.cil import AnnotatedCell
from karyosite.imaging import read_grey

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "tests" / "contracts" / "karyotype-1.schema.json").read_text())
pytestmark = pytest.mark.models


SECOND = json.loads((ROOT / "tests" / "contracts" / "karyotype-2.schema.json").read_text())


def run(*images: Path, out: Path, **options: Any) -> None:
    call_command("karyotype", *map(str, images), "--out", str(out), **{"verbosity": 0} | options)


def contract(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(path.read_text())
    jsonschema.validate(result, SCHEMA)
    return result


def test_a_real_cell_keeps_the_contract(held_out: list[AnnotatedCell], tmp_path: Path) -> None:
    cell = held_out[0]
    run(cell.image, out=tmp_path / "new" / "out")
    result = contract(tmp_path / "new" / "out" / f"{cell.name}.json")
    pixels = read_grey(cell.image)
    height, width = pixels.shape
    assert result["image"] == {
        "name": cell.image.name,
        "sha256": hashlib.sha256(cell.image.read_bytes()).hexdigest(),
        "width": width,
        "height": height,
    }
    assert result["count"] == len(result["chromosomes"]) > 35
    ground = np.median(pixels)
    for entry in result["chromosomes"]:
        mask = coco.decode(entry["mask"]).astype(bool)
        assert mask.shape == (height, width) and mask.any()
        x1, y1, x2, y2 = entry["box"]
        rows, columns = np.nonzero(mask)
        assert x1 - 4 <= columns.mean() <= x2 + 4 and y1 - 4 <= rows.mean() <= y2 + 4
        assert pixels[mask].mean() < ground
    timings = result["timings_s"]
    assert timings["total"] >= timings["load"] + timings["detect"] + timings["segment"]
    sheet = Image.open(tmp_path / "new" / "out" / f"{cell.name}.karyogram.png")
    assert sheet.format == "PNG" and min(sheet.size) > 600


def test_the_second_version_says_what_the_first_cannot(
    held_out: list[AnnotatedCell], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import ImageFilter

    blurred = tmp_path / "blurred.png"
    Image.open(held_out[0].image).convert("L").filter(ImageFilter.GaussianBlur(4)).save(blurred)
    run(blurred, out=tmp_path / "one")
    assert capsys.readouterr().err == ""
    run(blurred, out=tmp_path / "two", schema=2, verbosity=1)
    told = capsys.readouterr().err
    first = contract(tmp_path / "one" / "blurred.json")
    second = json.loads((tmp_path / "two" / "blurred.json").read_text())
    jsonschema.validate(second, SECOND)
    assert second["note"] and f"{blurred}: {second['note']}" in told
    assert "note" not in first and first["count"] == second["count"]
    assert second["expected_corrections"] > 1, "a blurred cell is nothing to be sure of"
    unasked = [one | {"flags": []} for one in first["chromosomes"]]
    assert [one | {"flags": []} for one in second["chromosomes"]] == unasked
    roles = [model["role"] for model in second["models"]]
    assert roles[:3] == [model["role"] for model in first["models"]] and "judge" in roles
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("karyotype", str(blurred), "--out", str(tmp_path / "three"), "--schema", "3")


def test_same_stems_and_pages_do_not_overwrite_each_other(held_out: list[AnnotatedCell], tmp_path: Path) -> None:
    first, second, pages = tmp_path / "a" / "cell.jpg", tmp_path / "b" / "cell.jpg", tmp_path / "cell.tif"
    for path, cell in ((first, held_out[0]), (second, held_out[1])):
        path.parent.mkdir()
        shutil.copy(cell.image, path)
    with tifffile.TiffWriter(pages) as writer:
        for cell in held_out[2:4]:
            writer.write(read_grey(cell.image), metadata=None)
    out = tmp_path / "out"
    run(first, second, pages, out=out)
    written = sorted(path.name for path in out.glob("*.json"))
    assert written == ["cell-2.json", "cell-3.json", "cell-page2.json", "cell.json"]
    assert {path.name[: -len(".karyogram.png")] for path in out.glob("*.png")} == {name[:-5] for name in written}
    hashes = [contract(out / name)["image"]["sha256"] for name in ("cell.json", "cell-2.json", "cell-3.json")]
    assert len(set(hashes)) == 3


def test_bad_files_are_named_on_a_line_each_and_the_others_go_on(
    held_out: list[AnnotatedCell], tmp_path: Path, capsys: Any
) -> None:
    empty, program, folder = tmp_path / "empty.png", tmp_path / "program.tif", tmp_path / "folder.png"
    empty.write_bytes(b"")
    program.write_bytes(b"MZ" + bytes(100))
    folder.mkdir()
    blank = tmp_path / "blank.png"
    Image.new("L", (200, 200), 255).save(blank)
    out = tmp_path / "out"
    with pytest.raises(CommandError, match="4 of 6 image"):
        run(empty, program, folder, tmp_path / "gone.png", blank, held_out[0].image, out=out)
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 4
    for line, (name, words) in zip(
        lines,
        [
            ("empty.png", "empty"),
            ("program.tif", "a program"),
            ("folder.png", "directory"),
            ("gone.png", "No such file"),
        ],
        strict=True,
    ):
        assert name in line and words in line and line.endswith(".")
    assert sorted(path.name for path in out.glob("*.json")) == sorted(["blank.json", f"{held_out[0].name}.json"])
    nothing = contract(out / "blank.json")
    assert nothing["count"] == 0 and nothing["chromosomes"] == []


def test_it_needs_no_database_and_its_exit_status_tells(held_out: list[AnnotatedCell], tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "KARYOSITE_REDIS_URL": "redis://127.0.0.1:9/0",
        "KARYOSITE_DATA_DIR": str(tmp_path / "data"),
        "KARYOSITE_WORKER_THREADS": "1",
        "DJANGO_SETTINGS_MODULE": "karyosite.settings",
    }
    command = [sys.executable, "manage.py", "karyotype", str(held_out[0].image), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stderr
    contract(tmp_path / "out" / f"{held_out[0].name}.json")
    wrong = subprocess.run(
        [*command[:3], str(tmp_path / "gone.png"), *command[4:]],
        cwd=ROOT,
        env=environment | {"KARYOSITE_DETECTOR_WEIGHTS": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert wrong.returncode == 1 and "gone.png" in wrong.stderr and "Traceback" not in wrong.stderr
