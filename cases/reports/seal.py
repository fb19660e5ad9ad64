"""The seal of a signature: it binds one person, one meaning and one time to one snapshot."""

from __future__ import annotations

from datetime import UTC

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from cases.models import Signature
from cases.reports import snapshot

_SALT = "cases.reports.seal"


def seal(signature: Signature, *, secret: str | bytes | None = None) -> str:
    """HMAC-SHA-256 under the site's secret key, in hex."""
    message = snapshot.canonical(
        {
            "report": str(signature.report_id),
            "snapshot_sha256": signature.snapshot_sha256,
            "signer": signature.signer_id,
            "printed_name": signature.printed_name,
            "meaning": signature.meaning,
            "signed_at": signature.signed_at.astimezone(UTC).isoformat(),
        }
    )
    return salted_hmac(_SALT, message, secret=secret, algorithm="sha256").hexdigest()


def verify(signature: Signature) -> list[str]:
    """Sentences on what does not hold; empty when the signature is whole.

    Looks at the snapshot as stored, at the report's own text, and at the seal (under the present secret key, then
    under SECRET_KEY_FALLBACKS).
    """
    report, findings = signature.report, []
    if snapshot.sha256(report.snapshot) != signature.snapshot_sha256:
        findings.append("The report was changed after it was signed.")
    if report.snapshot_sha256 != signature.snapshot_sha256:
        findings.append("The report's checksum is not the one that was signed.")
    said = report.snapshot if isinstance(report.snapshot, dict) else {}
    if (said.get("result"), said.get("comment")) != (report.result, report.comment):
        findings.append("The result or comment beside the report is not the one that was signed.")
    if said.get("report", {}).get("id") != str(report.pk):
        findings.append("The signed report is another one than this.")
    secrets = [None, *settings.SECRET_KEY_FALLBACKS]
    if not any(constant_time_compare(seal(signature, secret=secret), signature.seal) for secret in secrets):
        findings.append("The seal does not fit: signer, name, meaning, time or report were changed.")
    return findings
