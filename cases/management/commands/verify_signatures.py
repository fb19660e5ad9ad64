"""`manage.py verify_signatures`: checks every signature against its report and its seal."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.models import Signature
from cases.reports.seal import verify


class Command(BaseCommand):
    help = "Lists signatures that no longer fit what was signed; exit code 1 if there are any."

    def handle(self, *args: Any, **options: Any) -> None:
        checked = broken = 0
        for signature in Signature.objects.select_related("report__case__laboratory").iterator(chunk_size=50):
            checked += 1
            findings = verify(signature)
            if findings:
                broken += 1
                report = signature.report
                self.stdout.write(f"{report.case.laboratory}, {report}, {signature}: {' '.join(findings)}")
        if broken:
            raise CommandError(f"{broken} of {checked} signatures do not hold.")
        self.stdout.write(f"{checked} signatures checked, all hold.")
