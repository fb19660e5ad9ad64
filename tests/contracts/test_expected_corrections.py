"""What a cell is likely to need is counted twice: for the laboratory's lists, and where the models are judged."""

from __future__ import annotations

from cases.domain.likely import expected_corrections
from inference.evaluation import cells
from tests.conftest import chromosome, karyogram_document


def test_the_evaluation_counts_as_the_list_does() -> None:
    document = karyogram_document()
    document["chromosomes"] += [
        chromosome("c06", "21", 0, state="debris", detection_score=0.16, score=0.4),
        chromosome("c07", "X", 1, detection_score=0.99, score=0.31),
    ]
    assert cells.expected_corrections(document) == expected_corrections(document) > 1
