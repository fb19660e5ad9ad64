"""How pages look to one person: kept on the server, checked, and nobody else's business."""

from __future__ import annotations

from typing import Any

import pytest

from karyosite.accounts.preferences import change_preferences, preferences, usual
from karyosite.audit.models import AuditEntry
from karyosite.errors import Invalid

pytestmark = pytest.mark.django_db


def test_what_is_chosen_is_kept_and_what_is_not_stays_usual(technologist: Any, colleague: Any) -> None:
    assert preferences(technologist) == usual()
    change_preferences(user=technologist, changes={"theme": "dark", "view": {"contrast": 180}})
    change_preferences(user=technologist, changes={"view": {"invert": True}, "bands": 850})
    technologist.refresh_from_db()
    chosen = preferences(technologist)
    assert (chosen["theme"], chosen["bands"], chosen["outlines"]) == ("dark", 850, True)
    assert chosen["view"] == usual()["view"] | {"contrast": 180, "invert": True}
    change_preferences(user=technologist, changes={"theme": "system", "bands": 550, "view": usual()["view"]})
    technologist.refresh_from_db()
    assert technologist.preferences == {}
    assert preferences(colleague) == usual()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"theme": "blue"}, "theme"),
        ({"bands": 600}, "bands"),
        ({"bands": True}, "bands"),
        ({"outlines": "yes"}, "outlines"),
        ({"drawer": "x" * 41}, "drawer"),
        ({"colour": "red"}, "colour"),
        ({"view": []}, "view"),
        ({"view": {"contrast": 1000}}, "view.contrast"),
        ({"view": {"gamma": float("nan")}}, "view.gamma"),
        ({"view": {"invert": 1}}, "view.invert"),
        ({"view": {"hue": 1}}, "view.hue"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_kept(technologist: Any, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        change_preferences(user=technologist, changes={"key_hints": False} | changes)
    assert list(refused.value.fields) == [field]
    technologist.refresh_from_db()
    assert technologist.preferences == {}


def test_a_value_kept_by_an_older_program_does_no_harm(technologist: Any) -> None:
    technologist.preferences = {"gone": 1, "view": {"hue": 3, "gamma": 1.5}, "theme": "light"}
    assert preferences(technologist) == usual() | {"theme": "light", "view": usual()["view"] | {"gamma": 1.5}}
