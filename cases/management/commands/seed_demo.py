"""`manage.py seed_demo`: a demonstration laboratory with two cases.  Run again, it adds only what is missing."""

from __future__ import annotations

import datetime
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from cases.actions.add_metaphases import add_metaphases
from cases.actions.create_case import create_case
from cases.actions.create_patient import create_patient
from cases.demo.laboratory import CASES, CELLS, LABORATORY, PEOPLE, DemoCase
from cases.models import Case, Patient
from karyosite.accounts.models import Laboratory, Membership, User


class Command(BaseCommand):
    help = "Creates the demonstration laboratory, its people, two cases and their real cells; does no harm twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people-only", action="store_true", help="No patients, no cases.")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            laboratory, _ = Laboratory.objects.get_or_create(name=LABORATORY)
            for person in PEOPLE:
                user, made = User.objects.get_or_create(
                    username=person.username, defaults={"printed_name": person.printed_name}
                )
                if made:
                    user.set_password(person.password)
                    user.save()
                Membership.objects.get_or_create(user=user, laboratory=laboratory, defaults={"role": person.role})
        technologist = User.objects.get(username=PEOPLE[0].username)
        for wanted in () if options["people_only"] else CASES:
            self._case(laboratory, technologist, wanted)
        self.stdout.write("People of the demonstration laboratory:")
        for person in PEOPLE:
            self.stdout.write(f"  {person.role:<14} sign in as {person.username:<6} password {person.password}")

    def _case(self, laboratory: Laboratory, technologist: User, wanted: DemoCase) -> None:
        if Case.objects.filter(laboratory=laboratory, accession_number=wanted.accession_number).exists():
            case = Case.objects.get(laboratory=laboratory, accession_number=wanted.accession_number)
        else:
            patient = Patient.objects.filter(laboratory=laboratory, identifier=wanted.identifier).first()
            patient = patient or create_patient(
                user=technologist, identifier=wanted.identifier, family_name=wanted.family_name,
                given_name=wanted.given_name, birth_date=wanted.birth_date, sex=wanted.sex,
            )  # fmt: skip
            today = datetime.date.today()
            case = create_case(
                user=technologist, patient_id=patient.pk, accession_number=wanted.accession_number,
                specimen=wanted.specimen, indication=wanted.indication, received_on=today - datetime.timedelta(days=4),
                due_on=today + datetime.timedelta(days=10), assignee_id=technologist.pk,
            )  # fmt: skip
        if not case.editable:
            return
        have = set(case.metaphases.values_list("original_name", flat=True))
        for name in wanted.cells:
            if name not in have:
                with (CELLS / name).open("rb") as file:
                    add_metaphases(user=technologist, case_id=case.pk, upload=File(file, name=name), name=name)
