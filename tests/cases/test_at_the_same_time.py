"""Several people at one moment, on a database that lets them: real threads, real transactions.

SQLite lets one writer in at a time by its own lock, and its in-memory test database cannot be shared by threads; the
suite runs this room a second time on PostgreSQL, where these tests exist.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections

from cases import events
from cases.actions.add_metaphases import add_metaphases
from cases.actions.create_patient import create_patient
from cases.actions.edit_karyogram import edit_karyogram
from cases.actions.sign_case import TooManyAttempts, sign_case
from cases.models import Karyogram, Metaphase, Patient, StoredImage
from karyosite.accounts.models import User
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import broken_links
from karyosite.errors import Conflict, Forbidden, Invalid
from tests.conftest import PASSWORD, png_bytes

FLIP = {"op": "flip", "id": "c01"}


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call gave back or raised; all begin together, each on a connection of its own."""
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        gate.wait()
        try:
            results[index] = calls[index]()
        except Exception as error:  # noqa: BLE001
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[index]) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "deadlock"
    return results


def fresh(user: Any) -> User:
    return User.objects.get(pk=user.pk)


if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # Naming the apps lets the emptying of tables cascade: knox leaves a table of its own that no model stands for.
    pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)

    @pytest.fixture(autouse=True)
    def _no_bell(monkeypatch: Any) -> None:
        monkeypatch.setattr(events.metaphase_added, "_handlers", [])

    def test_uploads_into_one_case_get_consecutive_numbers(technologist: Any, colleague: Any, case: Any) -> None:
        import io

        def add(user: Any, seed: int) -> Callable[[], Any]:
            return lambda: add_metaphases(
                user=fresh(user), case_id=case.pk, upload=io.BytesIO(png_bytes(seed=seed)), name=f"{seed}.png"
            )

        # Eight different files, and four times one and the same.
        results = at_once(*[add([technologist, colleague][seed % 2], seed) for seed in [*range(8), 99, 99, 99, 99]])
        assert [result for result in results if isinstance(result, Exception)] == []
        assert sorted(Metaphase.objects.values_list("ordinal", flat=True)) == list(range(1, 10))
        assert StoredImage.objects.count() == 9
        assert sum(len(result.duplicates) for result in results) == 3
        for image in StoredImage.objects.all():
            with image.file.open("rb") as file:
                assert file.read()
        assert AuditEntry.objects.count() == 9
        assert broken_links(case.laboratory) == []

    def test_of_two_edits_on_one_base_one_counts(technologist: Any, colleague: Any, karyogram: Any) -> None:
        results = at_once(
            *[
                lambda user=user: edit_karyogram(
                    user=fresh(user), metaphase_id=karyogram.metaphase_id, base_version=1, edit=FLIP
                )
                for user in [technologist, colleague] * 4
            ]
        )
        refused = [result for result in results if isinstance(result, Exception)]
        assert len(refused) == 7
        assert {type(error) for error in refused} == {Conflict}
        assert {error.code for error in refused} == {"stale-version"}
        assert Karyogram.objects.get(pk=karyogram.pk).version == 2

    def test_an_edit_sent_again_while_the_first_is_under_way_counts_once(technologist: Any, karyogram: Any) -> None:
        results = at_once(
            *[
                lambda: edit_karyogram(
                    user=fresh(technologist), metaphase_id=karyogram.metaphase_id, base_version=1, edit=FLIP,
                    client_key="k",
                )
            ]
            * 6
        )  # fmt: skip
        assert sorted(result.repeated for result in results) == [False, True, True, True, True, True]
        assert Karyogram.objects.get(pk=karyogram.pk).version == 2

    def test_writers_of_one_laboratory_do_not_lock_each_other_out(technologist: Any, lab: Any) -> None:
        """Each new row points at the laboratory, whose row the audit log locks to number its entries."""

        def add(thread: int) -> Callable[[], Any]:
            user = fresh(technologist)
            return lambda: [create_patient(user=user, identifier=f"{thread}-{number}") for number in range(10)]

        results = at_once(*[add(thread) for thread in range(6)])
        assert [result for result in results if isinstance(result, Exception)] == []
        assert Patient.objects.count() == AuditEntry.objects.count() == 60
        assert broken_links(lab) == []

    def test_an_identifier_entered_twice_at_once_is_refused_once(technologist: Any) -> None:
        results = at_once(*[lambda: create_patient(user=fresh(technologist), identifier="SAME")] * 6)
        refused = [result for result in results if isinstance(result, Exception)]
        assert {type(error) for error in refused} == {Invalid}
        assert len(refused) == 5
        assert Patient.objects.count() == 1
        assert connection.vendor == "postgresql"

    def test_many_guesses_at_once_are_counted(submitted: Any, case: Any, supervisor: Any) -> None:
        guesses = ["wrong"] * 9
        results = at_once(
            *[
                lambda guess=guess: sign_case(user=fresh(supervisor), case_id=case.pk, password=guess)
                for guess in guesses
            ]
        )
        assert sum(isinstance(result, Forbidden) for result in results) == 5
        assert sum(isinstance(result, TooManyAttempts) for result in results) == 4
        with pytest.raises(TooManyAttempts):
            sign_case(user=fresh(supervisor), case_id=case.pk, password=PASSWORD)

    def test_of_two_supervisors_one_signs(submitted: Any, case: Any, supervisor: Any, lab: Any) -> None:
        from tests.conftest import make_person

        second = make_person(lab, "supervisor", "sven", "Sven Amundsen")
        results = at_once(
            *[
                lambda user=user: sign_case(user=fresh(user), case_id=case.pk, password=PASSWORD)
                for user in [supervisor, second]
            ]
        )
        assert sum(isinstance(result, Conflict) for result in results) == 1
        assert submitted.signatures.count() == 1
