"""The log: appended in the change's own transaction, and every tampering shows."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from cases.actions import verbs
from karyosite.audit import record as module
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import broken_links, record


@pytest.fixture
def written(lab: Any, technologist: Any, patient: Any) -> list[AuditEntry]:
    return [
        record(laboratory=lab, actor=technologist, verb=verbs.PATIENT_CHANGED, about=patient, summary=f"Step {step}.",
               old={"angle": -0.0, "n": step}, new={"angle": 1e-7, "text": "ü\u2028"})
        for step in range(4)
    ]  # fmt: skip


def test_entries_follow_one_another_by_laboratory(
    written: list[AuditEntry], lab: Any, other_lab: Any, patient: Any
) -> None:
    assert [entry.number for entry in written] == [1, 2, 3, 4]
    assert [entry.previous_hash for entry in written[1:]] == [entry.hash for entry in written[:-1]]
    other = record(laboratory=other_lab, actor=None, verb=verbs.PATIENT_CHANGED, about=patient, summary="Theirs.")
    assert (other.number, other.previous_hash, other.actor_name) == (1, "", "Karyosite")
    assert broken_links(lab) == broken_links(other_lab) == []
    assert written[0].actor_name == "Tess Okafor (tess)"


TAMPERS: dict[str, Any] = {
    "summary": lambda rows: rows.filter(number=2).update(summary="Nothing happened."),
    "who": lambda rows: rows.filter(number=2).update(actor_name="Somebody Else"),
    "when": lambda rows: rows.filter(number=2).update(at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
    "old value": lambda rows: rows.filter(number=2).update(old={"angle": 1}),
    "new value": lambda rows: rows.filter(number=2).update(new=None),
    "reason": lambda rows: rows.filter(number=2).update(reason="because"),
    "taken out": lambda rows: rows.filter(number=2).delete(),
    "first taken out": lambda rows: rows.filter(number=1).delete(),
    "other verb": lambda rows: rows.filter(number=3).update(verb="patient.created"),
    "other object": lambda rows: rows.filter(number=3).update(object_id="0"),
    "own hash renewed": lambda rows: [
        setattr(entry, "summary", "x") or setattr(entry, "hash", module._digest(entry)) or entry.save()
        for entry in rows.filter(number=2)
    ],
}


@pytest.mark.parametrize("name", TAMPERS)
def test_every_tampering_shows(written: list[AuditEntry], lab: Any, name: str) -> None:
    assert broken_links(lab) == []
    TAMPERS[name](AuditEntry.objects.filter(laboratory=lab))
    findings = broken_links(lab)
    assert findings
    assert all(finding.endswith(".") for finding in findings)


def test_the_log_outlives_the_people_it_names(written: list[AuditEntry], lab: Any, technologist: Any) -> None:
    technologist.delete()
    assert AuditEntry.objects.first().actor is None
    assert broken_links(lab) == []


def test_an_unknown_verb_is_refused(lab: Any, patient: Any) -> None:
    with pytest.raises(LookupError):
        record(laboratory=lab, actor=None, verb="patient.vanished", about=patient, summary="Gone.")
    assert not AuditEntry.objects.exists()


def test_every_verb_has_a_sentence() -> None:
    known = module.verbs()
    named = {value for key, value in vars(verbs).items() if key.isupper()}
    assert named <= set(known)
    assert all(sentence and sentence[0].isupper() for sentence in known.values())


# Naming the apps lets the emptying of tables cascade: knox leaves a table of its own that no model stands for.
@pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)
def test_an_entry_belongs_in_the_transaction_of_its_change() -> None:
    from karyosite.accounts.models import Laboratory

    laboratory = Laboratory.objects.create(name="Alone")
    facts = {"laboratory": laboratory, "actor": None, "verb": verbs.PATIENT_CHANGED, "about": laboratory}
    with pytest.raises(RuntimeError):
        record(**facts, summary="No transaction.")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(**facts, summary="Taken back.")
        _ = 1 / 0
    assert not AuditEntry.objects.exists()
