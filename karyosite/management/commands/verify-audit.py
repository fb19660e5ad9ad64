"""`manage.py verify-audit`: is every laboratory's audit log whole and unchanged?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from karyosite.accounts.models import Laboratory
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import broken_links


class Command(BaseCommand):
    help = "Checks every laboratory's audit log: an entry changed, taken out or put in is named, and the exit is 1."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for laboratory in Laboratory.objects.order_by("name"):
            findings = broken_links(laboratory)
            broken += len(findings)
            entries = AuditEntry.objects.filter(laboratory=laboratory).count()
            self.stdout.write(f"{laboratory.name}: {entries} entries, {'whole' if not findings else 'NOT WHOLE'}")
            for finding in findings:
                self.stdout.write(f"  {finding}")
        if broken:
            raise CommandError(
                f"The audit log was changed outside Karyosite in {broken} places. "
                "Keep a copy of the database as it is, and compare it with the backups."
            )
