"""Writing and checking the audit log."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from karyosite.accounts.models import Laboratory, User
from karyosite.audit.models import AuditEntry

_VERBS: dict[str, str] = {}


def register(verb: str, sentence: str) -> str:
    """Make a verb known.  An unregistered verb is refused, so that the log's vocabulary stays a list."""
    _VERBS[verb] = sentence
    return verb


def verbs() -> dict[str, str]:
    return dict(_VERBS)


def _digest(entry: AuditEntry) -> str:
    content = {
        "laboratory": str(entry.laboratory_id),
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.actor_name,
        "verb": entry.verb,
        "case": str(entry.case_id or ""),
        "object": [entry.object_type, entry.object_id],
        "summary": entry.summary,
        "old": entry.old,
        "new": entry.new,
        "reason": entry.reason,
        "previous": entry.previous_hash,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _settled(value: Any) -> Any:
    """The value as every database gives it back: JSON types only, and no negative zero (PostgreSQL drops the sign)."""
    if value is None:
        return None
    return json.loads(json.dumps(value, allow_nan=False), parse_float=lambda text: float(text) or 0.0)


def record(
    *,
    laboratory: Laboratory,
    actor: User | None,
    verb: str,
    about: Any,
    summary: str,
    case_id: uuid.UUID | None = None,
    old: Any = None,
    new: Any = None,
    reason: str = "",
    at: datetime | None = None,
) -> AuditEntry:
    """Append one entry.  Must run in the transaction of the change that it tells of.

    The laboratory's row is locked for the append: two writers get consecutive numbers.  NO KEY UPDATE: a plain
    lock would also hold up everybody whose new rows merely point at the laboratory.
    """
    if verb not in _VERBS:
        raise LookupError(f"audit verb {verb!r} is not registered")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an audit entry belongs in the transaction of its change")
    Laboratory.objects.select_for_update(no_key=True).get(pk=laboratory.pk)
    last = AuditEntry.objects.filter(laboratory=laboratory).order_by("-number").first()
    entry = AuditEntry(
        laboratory=laboratory,
        number=(last.number if last else 0) + 1,
        at=(at or timezone.now()).astimezone(UTC),
        actor=actor,
        actor_name=f"{actor} ({actor.username})" if actor else "Karyosite",
        verb=verb,
        case_id=case_id,
        object_type=about._meta.model_name,
        object_id=str(about.pk),
        summary=summary,
        old=_settled(old),
        new=_settled(new),
        reason=reason,
        previous_hash=last.hash if last else "",
    )
    entry.hash = _digest(entry)
    entry.save(force_insert=True)
    return entry


def broken_links(laboratory: Laboratory) -> list[str]:
    """Sentences on every entry that was changed, taken out or put in; empty when the chain holds."""
    findings, previous, expected = [], "", 1
    for entry in AuditEntry.objects.filter(laboratory=laboratory).order_by("number").iterator():
        if entry.number != expected:
            findings.append(f"Entry {expected} is missing before entry {entry.number}.")
        if entry.previous_hash != previous:
            findings.append(f"Entry {entry.number} does not follow the entry before it.")
        if entry.hash != _digest(entry):
            findings.append(f"Entry {entry.number} was changed after it was written.")
        previous, expected = entry.hash, entry.number + 1
    return findings
