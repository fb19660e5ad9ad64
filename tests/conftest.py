"""The people and records that tests speak of.

`lab` is theirs, `other_lab` the stranger's.  Records are made straight in the database, so that a test of one
action does not lean on another.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

pytest_plugins = ["tests.browser"]

ROOT = Path(__file__).resolve().parent.parent
CIL = ROOT.parent / "shared" / "data" / "cil54816"
PASSWORD = "correct horse battery"


@pytest.fixture
def lab(db: Any) -> Any:
    from karyosite.accounts.models import Laboratory

    return Laboratory.objects.create(name="Harbour Cytogenetics")


@pytest.fixture
def other_lab(db: Any) -> Any:
    from karyosite.accounts.models import Laboratory

    return Laboratory.objects.create(name="Hillside Genetics")


def make_person(laboratory: Any, role: str, username: str, printed_name: str) -> Any:
    from karyosite.accounts.models import Membership, User

    user = User.objects.create_user(username=username, password=PASSWORD, printed_name=printed_name)
    Membership.objects.create(user=user, laboratory=laboratory, role=role)
    return user


@pytest.fixture
def technologist(lab: Any) -> Any:
    return make_person(lab, "technologist", "tess", "Tess Okafor")


@pytest.fixture
def colleague(lab: Any) -> Any:
    return make_person(lab, "technologist", "cole", "Cole Lindqvist")


@pytest.fixture
def supervisor(lab: Any) -> Any:
    return make_person(lab, "supervisor", "sunil", "Sunil Rao")


@pytest.fixture
def administrator(lab: Any) -> Any:
    return make_person(lab, "administrator", "ada", "Ada Brandt")


@pytest.fixture
def integration(lab: Any) -> Any:
    return make_person(lab, "integration", "lis", "Hospital LIS")


@pytest.fixture
def stranger(other_lab: Any) -> Any:
    """A supervisor, with every right, of another laboratory."""
    return make_person(other_lab, "supervisor", "stella", "Stella Voss")


@pytest.fixture
def patient(lab: Any) -> Any:
    from cases.models import Patient

    return Patient.objects.create(laboratory=lab, identifier="MRN-004417", family_name="Lindqvist", given_name="Anna")


@pytest.fixture
def case(lab: Any, patient: Any, technologist: Any) -> Any:
    from cases.models import Case

    return Case.objects.create(
        laboratory=lab,
        patient=patient,
        accession_number="26-01842",
        specimen="amniotic-flask",
        indication="advanced maternal age",
        received_on=datetime.date(2026, 11, 18),
        due_on=datetime.date(2026, 12, 2),
        created_by=technologist,
        assignee=technologist,
    )


def png_bytes(width: int = 320, height: int = 240, seed: int = 0) -> bytes:
    """A small drawn field: a few dark bars on a light ground."""
    import io

    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(seed)
    field = np.full((height, width), 230, np.uint8)
    for _ in range(6):
        x, y = int(rng.integers(10, width - 30)), int(rng.integers(10, height - 60))
        field[y : y + 48, x : x + 14] = 70
    out = io.BytesIO()
    Image.fromarray(field).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def metaphase(case: Any, technologist: Any) -> Any:
    """One stored cell, not analysed."""
    from cases.models import Metaphase, StoredImage

    content = png_bytes()
    digest = hashlib.sha256(content).hexdigest()
    image = StoredImage(
        laboratory=case.laboratory, sha256=digest, byte_size=len(content), media_type="image/png", pages=1
    )
    image.file.save(f"originals/{case.laboratory_id}/{digest[:2]}/{digest}", ContentFile(content))
    return Metaphase.objects.create(
        case=case, image=image, ordinal=1, original_name="cell-1.png", width=320, height=240, added_by=technologist
    )


def chromosome(identifier: str, label: str, order: int, **changes: Any) -> dict[str, Any]:
    number = int(identifier[1:])
    x, y = 10.0 + 24 * (number % 12), 10.0 + 70 * (number // 12)
    return {
        "id": identifier,
        "label": label,
        "state": "present",
        "order": order,
        "rings": [[[x, y], [x + 14, y], [x + 14, y + 48], [x, y + 48]]],
        "box": [x, y, x + 14, y + 48],
        "angle": 0.0,
        "flip": False,
        "detection_score": 0.9,
        "score": 0.8,
        "probabilities": {label: 0.8},
        "flags": [],
        "reviewed": False,
        "source": "machine",
    } | changes


def karyogram_document(sha256: str = "0" * 64) -> dict[str, Any]:
    """Five chromosomes: two 1s, one 8 in doubt, one X, one unknown."""
    return {
        "schema": "karyosite.karyogram/1",
        "image": {"sha256": sha256, "page": 0, "width": 320, "height": 240},
        "models": [
            {"role": "detector", "name": "yolov10n-cil", "version": "0", "sha256": "a" * 64},
            {"role": "segmenter", "name": "threshold", "version": "1", "sha256": ""},
        ],
        "note": "",
        "chromosomes": [
            chromosome("c01", "1", 0),
            chromosome("c02", "1", 1),
            chromosome("c03", "8", 0, flags=["between 8 (71 %) and X (26 %)"], probabilities={"8": 0.71, "X": 0.26}),
            chromosome("c04", "X", 0),
            chromosome("c05", "unknown", 0),
        ],
    }


@pytest.fixture
def karyogram(metaphase: Any) -> Any:
    from cases.models import AnalysisState, EditKind, Karyogram, KaryogramEdit

    document = karyogram_document(metaphase.image.sha256)
    made = Karyogram.objects.create(
        metaphase=metaphase, version=1, document=document, proposal=copy.deepcopy(document), count=5, doubts=1
    )
    KaryogramEdit.objects.create(
        karyogram=made, version=1, kind=EditKind.PROPOSAL, edit={"op": "replace"}, inverse={}, author_name="Karyosite"
    )
    metaphase.analysis_state = AnalysisState.SUCCEEDED
    metaphase.save()
    return made
