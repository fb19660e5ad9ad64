"""Cutting on demand by API.  The worker's part runs in this process; tests/jobs/test_cut.py has a real one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from rest_framework.test import APIClient

from inference import prompts
from karyosite import questions
from tests.api.conftest import Clients, problem
from tests.conftest import karyogram_document, png_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def ask(task: str, question: dict[str, Any]) -> dict[str, Any]:
        assert task == "inference.tasks.cut"
        seen.append(question)
        return prompts.cut(question)

    monkeypatch.setattr(questions, "ask", ask)
    return seen


@pytest.fixture
def cell(tess: APIClient, case: Any) -> Any:
    """A cell with drawn chromosomes, its original stored as an upload is."""
    import io

    from PIL import Image

    from tests.api.conftest import upload
    from tests.inference.conftest import drawn_cell

    pixels, boxes, _ = drawn_cell()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    response = tess.post(
        f"/api/v1/cases/{case.pk}/metaphases/", {"file": upload("drawn.png", file.getvalue())}, format="multipart"
    )
    assert response.status_code == 202, response.content
    from cases.models import Metaphase

    metaphase = Metaphase.objects.get(original_name="drawn.png")
    metaphase.drawn_boxes = boxes.tolist()
    return metaphase


@pytest.fixture
def karyogram_beside(cell: Any) -> Any:
    """What the cell's karyogram shows lies elsewhere than what is cut."""
    from cases.models import Karyogram

    document = karyogram_document(cell.image.sha256)
    return Karyogram.objects.create(
        metaphase=cell, version=1, document=document, proposal=copy.deepcopy(document), count=5, doubts=1
    )


def cut(client: APIClient, cell: Any, **body: Any) -> Any:
    return client.post(f"/api/v1/metaphases/{cell.pk}/cut/", body, format="json")


def test_a_box_gives_an_outline_with_all_that_an_edit_needs(tess: APIClient, cell: Any, asked: Any) -> None:
    box = cell.drawn_boxes[0]
    response = cut(tess, cell, box=box)
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == {
        "research_use_only", "rings", "box", "angle", "axis", "centromere", "score", "label", "probabilities",
        "segmenter",
    }  # fmt: skip
    assert body["segmenter"]["name"] == "kary-sam"
    assert all(abs(one - other) < 6 for one, other in zip(body["box"], box, strict=True))
    assert 2 <= len(body["axis"]) <= 64 and 0 <= body["angle"] < 360 and 0 <= body["score"] <= 1
    assert body["label"] in body["probabilities"]
    from cases.domain.karyogram_document import shape_fault

    assert not shape_fault({key: body[key] for key in ("rings", "box", "axis", "centromere")})


def test_a_click_finds_it_and_clicks_on_the_outline_refine_it(tess: APIClient, cell: Any, asked: Any) -> None:
    x1, y1, x2, y2 = cell.drawn_boxes[2]
    click = [(x1 + x2) / 2, (y1 + y2) / 2, 1]
    first = cut(tess, cell, points=[click]).json()
    assert abs(first["box"][0] - x1) < 6
    x1, y1, x2, y2 = cell.drawn_boxes[3]
    both = cut(tess, cell, rings=first["rings"], points=[[(x1 + x2) / 2, (y1 + y2) / 2, 1]]).json()
    assert both["box"][2] > first["box"][2] and len(both["rings"]) == 2
    one = cut(tess, cell, rings=both["rings"], points=[[(x1 + x2) / 2, (y1 + y2) / 2, 0], click]).json()
    assert one["box"][2] < x1 + 10
    # The second and third question found the picture's embedding at hand.
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"points": [[10, 10, 0]]}, 422),
        ({"points": [[-1, 10, 1]]}, 422),
        ({"points": [[10, 1e9, 1]]}, 422),
        ({"points": [[10, 10, 2]]}, 422),
        ({"points": [[10, 10]]}, 400),
        ({"points": [[1, 1, 1]] * 65}, 400),
        ({"points": "here"}, 400),
        ({"box": [10, 10, 10, 50]}, 422),
        ({"box": [50, 50, 10, 10]}, 422),
        ({"box": [5000, 10, 6000, 40]}, 422),
        ({"box": [1, 2, 3]}, 400),
        ({"box": [1, 2, None, 4]}, 400),
        ({"rings": [[[1, 1], [5, 5]]], "points": [[10, 10, 1]]}, 400),
        ({"rings": [[[1, 1], [5, 5], [9e9, 1]]], "points": [[10, 10, 1]]}, 422),
        ({"rings": [[[1, 1], [5, 5], [1, 5]]] * 65}, 400),
        ({"mask": "x"}, 400),
        ({"box": [0, 0, 30, 30]}, 422),
        ({"points": [[3, 3, 1]]}, 422),
    ],
)
def test_what_cannot_be_cut_is_told_and_kills_nothing(
    tess: APIClient, cell: Any, asked: Any, body: dict[str, Any], status: int
) -> None:
    problem(cut(tess, cell, **body), status)


def test_it_is_cut_beside_what_the_karyogram_shows(
    tess: APIClient, cell: Any, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cases.models import Karyogram
    from inference.backends.compact_sam import CompactSam

    seen: list[list[list[int]]] = []
    cut_out = CompactSam.cut

    def watched(*args: Any) -> Any:
        seen.append([[mask.left, mask.top, *mask.bits.shape[::-1]] for mask in args[6]])
        return cut_out(*args)

    monkeypatch.setattr(CompactSam, "cut", watched)
    document = karyogram_document(cell.image.sha256)
    shown = document["chromosomes"]
    shown[0] |= {"state": "excluded", "label": "debris"}
    shown[1]["rings"] = []
    reaching_out = [[-5.0, 20.0], [9.0, 20.0], [9.0, 30.0], [-5.0, 30.0]]
    shown[2]["rings"] = [reaching_out]
    shown[3]["rings"] = [
        [[40.2, 50.2], [60.7, 50.2], [60.7, 90.7], [40.2, 90.7]],
        [[45, 60], [50, 60], [50, 70], [45, 70]],
    ]
    shown[4]["rings"] = [[[-90, -90], [-50, -90], [-50, -50]]]
    box = cell.drawn_boxes[0]
    alone = cut(tess, cell, box=box)
    Karyogram.objects.create(
        metaphase=cell, version=1, document=document, proposal=copy.deepcopy(document), count=5, doubts=1
    )
    beside = cut(tess, cell, box=box)
    assert alone.status_code == beside.status_code == 200
    assert seen == [[], [[0, 20, 9, 10], [40, 50, 21, 41]]], "nothing that was put aside, and nothing without a pixel"


def test_an_outline_alone_is_refined_and_one_without_a_pixel_is_refused(
    tess: APIClient, cell: Any, karyogram_beside: Any, asked: Any
) -> None:
    x1, y1, x2, y2 = cell.drawn_boxes[0]
    assert cut(tess, cell, rings=[[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]]).status_code == 200
    thin = [[[x1, y1], [x1 + 0.1, y1], [x1 + 0.1, y1 + 0.1]]]
    problem(cut(tess, cell, rings=thin), 422, "nothing-there")
    problem(cut(tess, cell, rings=thin, points=[[x1, y1, 0]]), 422, "nothing-there")


def test_a_missing_or_changed_original_is_told(tess: APIClient, cell: Any, asked: Any) -> None:
    from pathlib import Path

    path = Path(cell.image.file.path)
    path.chmod(0o640)
    path.write_bytes(png_bytes(seed=9))
    prompts._at_hand.clear()
    body = problem(cut(tess, cell, box=cell.drawn_boxes[0]), 400, "cannot-cut")
    assert "fingerprint" in body["detail"]


def test_strangers_and_colleagues_without_the_right_are_not_served(
    stella: APIClient, program: Clients, administrator: Any, integration: Any, cell: Any, asked: Any
) -> None:
    problem(cut(stella, cell, box=cell.drawn_boxes[0]), 404)
    for user in (administrator, integration):
        problem(cut(program(user), cell, box=cell.drawn_boxes[0]), 403)
    problem(cut(APIClient(), cell, box=cell.drawn_boxes[0]), 401)
    assert asked == []


def test_without_a_broker_the_answer_is_a_plain_503(tess: APIClient, cell: Any) -> None:
    body = problem(cut(tess, cell, box=cell.drawn_boxes[0]), 503, "no-worker")
    assert "try again" in body["detail"]
