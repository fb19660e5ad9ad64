"""A case on its way: cells accepted, submitted, signed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.conftest import PASSWORD, karyogram_document


@pytest.fixture
def accepted(karyogram: Any, technologist: Any) -> Any:
    """The case's one cell, accepted."""
    from django.utils import timezone

    metaphase = karyogram.metaphase
    metaphase.accepted_by, metaphase.accepted_at = technologist, timezone.now()
    metaphase.save()
    return metaphase


@pytest.fixture
def submitted(accepted: Any, case: Any, technologist: Any) -> Any:
    from cases.actions.submit_case import submit_case

    return submit_case(user=technologist, case_id=case.pk, result="46,XX[20]", comment="Twenty cells.")


@pytest.fixture
def signed(submitted: Any, case: Any, supervisor: Any) -> Any:
    from cases.actions.sign_case import sign_case

    return sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)


def add_cell(case: Any, image: Any, page: int, **changes: Any) -> Any:
    """Another page of a stored image as another cell, with a karyogram."""
    from cases.models import Karyogram, Metaphase

    ordinal = Metaphase.objects.filter(case=case).count() + 1
    metaphase = Metaphase.objects.create(
        case=case, image=image, page=page, ordinal=ordinal, original_name=f"cell-{ordinal}.png", width=320, height=240,
        **changes,
    )  # fmt: skip
    document = karyogram_document(image.sha256)
    document["image"]["page"] = page
    Karyogram.objects.create(
        metaphase=metaphase, document=document, proposal=copy.deepcopy(document), count=5, doubts=1
    )
    return metaphase
