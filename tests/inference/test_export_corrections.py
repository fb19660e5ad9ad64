"""Signed cells as training data: what leaves, what must not, and that it is written down."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from karyosite.audit.models import AuditEntry
from tests.cases.conftest import accepted, add_cell, signed, submitted  # noqa: F401  (fixtures)
from tests.conftest import PASSWORD, chromosome

LEFT = [[20.0, 20.0], [60.0, 20.0], [60.0, 100.0], [20.0, 100.0]]
HOLE = [[30.0, 40.0], [50.0, 40.0], [50.0, 60.0], [30.0, 60.0]]


@pytest.fixture
def karyogram(karyogram: Any) -> Any:
    """As people left it: a corrected 8 with a hole, a 1, debris, and an outline that is not the detector's box."""
    document = karyogram.document
    document["chromosomes"] = [
        chromosome("c01", "8", 0, rings=[LEFT, HOLE], box=[0.0, 0.0, 300.0, 200.0], source="person"),
        chromosome("c02", "1", 0),
        chromosome("c03", "1", 0, state="debris"),
    ]
    karyogram.count = 2
    karyogram.save()
    return karyogram


def export(out: Path, *more: str) -> dict[str, Any]:
    call_command("dataset", "export-corrections", "--out", str(out), *more, verbosity=0)
    return json.loads((out / "report.json").read_text())


@pytest.mark.usefixtures("signed")
def test_a_signed_cell_leaves_with_boxes_outlines_and_classes(tmp_path: Path, metaphase: Any) -> None:
    from pycocotools import mask as masks

    report = export(tmp_path / "out")
    assert (report["cells"], report["chromosomes"]) == (1, 2)
    coco = json.loads((tmp_path / "out" / "coco.json").read_text())
    names = {entry["id"]: entry["name"] for entry in coco["categories"]}
    assert [names[entry["category_id"]] for entry in coco["annotations"]] == ["C8", "A1"]
    eight, one = coco["annotations"]
    assert eight["bbox"] == [20, 20, 40, 80] and eight["area"] == 40 * 80 - 20 * 20
    filled = masks.decode(eight["segmentation"])
    assert filled.sum() == eight["area"] and not filled[50, 40] and filled[30, 40]
    assert eight["attributes"]["corrected"] and not one["attributes"]["corrected"]
    assert len(one["segmentation"]) == 1 and one["area"] == 14 * 48
    (image,) = coco["images"]
    written = Image.open(tmp_path / "out" / image["file_name"])
    assert not written.info and written.mode == "L"
    assert np.array_equal(np.array(written), np.array(Image.open(metaphase.image.file.path)))
    rows = np.loadtxt(tmp_path / "out" / "labels" / (Path(image["file_name"]).stem + ".txt"))
    np.testing.assert_allclose(rows[0], [7, 40 / 320, 60 / 240, 40 / 320, 80 / 240], atol=1e-6)


@pytest.mark.usefixtures("signed")
def test_nothing_in_it_says_whose_it_is(tmp_path: Path, case: Any, metaphase: Any, patient: Any, lab: Any) -> None:
    export(tmp_path / "out")
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    text = "\n".join(
        [str(path.relative_to(tmp_path)) for path in written]
        + [path.read_bytes().decode("latin-1") for path in written if path.suffix != ".png"]
        + [path.read_bytes().decode("latin-1") for path in written if path.suffix == ".png"]
    )
    for secret in (
        patient.identifier, patient.family_name, str(patient.pk), case.accession_number, case.indication, str(case.pk),
        metaphase.original_name, str(metaphase.pk), metaphase.image.sha256, lab.name, "Tess Okafor", "46,XX", "2026",
    ):  # fmt: skip
        assert secret not in text, secret
    # The laboratory can find the way back: the names stand in its audit log, which nobody else reads.
    entry = AuditEntry.objects.get(verb="case.cells-exported")
    assert entry.case_id == case.pk and entry.laboratory == lab
    assert [path.stem for path in written if path.suffix == ".png"] == entry.new["names"]
    first = sorted(path.name for path in written)
    export(tmp_path / "again")
    assert sorted(path.name for path in (tmp_path / "again").rglob("*") if path.is_file()) == first


@pytest.mark.usefixtures("submitted")
def test_what_is_not_signed_stays(tmp_path: Path, case: Any, supervisor: Any) -> None:
    from cases.actions.amend_case import amend_case
    from cases.actions.sign_case import sign_case

    def refused(*more: str) -> None:
        with pytest.raises(CommandError, match="No cell of a signed case"):
            export(tmp_path / "out", *more)
        assert not (tmp_path / "out").exists() and not AuditEntry.objects.filter(verb="case.cells-exported").exists()

    refused()
    sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    refused("--since", "2099-01-01")
    with pytest.raises(CommandError, match="no laboratory called"):
        export(tmp_path / "out", "--laboratory", "Nowhere")
    amend_case(user=supervisor, case_id=case.pk, reason="wrong")
    refused()


def test_a_chromosome_without_name_and_a_cell_nobody_accepted(
    karyogram: Any, accepted: Any, case: Any, technologist: Any, supervisor: Any, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    from cases.actions.sign_case import sign_case
    from cases.actions.submit_case import submit_case

    karyogram.document["chromosomes"][1]["label"] = "unknown"
    karyogram.save()
    add_cell(case, accepted.image, 1)
    submit_case(user=technologist, case_id=case.pk, result="47,XX,+mar")
    sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    report = export(tmp_path / "out")
    # On which list a case comes goes by its name's hash, and names by this server's key.
    assert report["cells"] == 1 and len(report["only_in_coco"]) == 1 and sum(report["lists"].values()) == 0
    assert "unknown" not in (tmp_path / "out" / "data.yaml").read_text()
    report = export(tmp_path / "out", "--unknown", "class")
    assert report["only_in_coco"] == [] and sum(report["lists"].values()) == 1
    assert "24: unknown" in (tmp_path / "out" / "data.yaml").read_text()
    (labels,) = (tmp_path / "out" / "labels").glob("*.txt")
    assert [line.split()[0] for line in labels.read_text().splitlines()] == ["7", "24"]


@pytest.mark.usefixtures("signed")
def test_a_margin_cuts_off_what_lies_beside(tmp_path: Path) -> None:
    export(tmp_path / "out", "--margin", "5")
    coco = json.loads((tmp_path / "out" / "coco.json").read_text())
    (image,) = coco["images"]
    # From the outline of the 8 at (20, 20) … (60, 100) and the debris at (82, 10) … (96, 58).
    assert (image["width"], image["height"]) == (96 + 5 - 15, 100 + 5 - 5)
    assert coco["annotations"][0]["bbox"] == [5, 15, 40, 80]


@pytest.mark.usefixtures("signed")
def test_a_record_or_picture_that_was_tampered_with_stays(tmp_path: Path, case: Any, metaphase: Any) -> None:
    path = Path(metaphase.image.file.path)
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content + b"x")
    with pytest.raises(CommandError, match="could not be exported"):
        export(tmp_path / "out")
    path.write_bytes(content)
    report = case.reports.get()
    report.snapshot = copy.deepcopy(report.snapshot)
    report.snapshot["cells"][0]["karyogram"]["document"]["chromosomes"][0]["label"] = "9"
    report.save()
    with pytest.raises(CommandError, match="could not be exported"):
        export(tmp_path / "out")
    assert not list((tmp_path / "out" / "images").iterdir())
