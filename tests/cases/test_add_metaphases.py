"""Uploads: what is kept, what is refused, and that nothing is half-stored."""

from __future__ import annotations

import hashlib
import io
import resource
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from cases import events, storage
from cases.actions import add_metaphases as module
from cases.actions.add_culture import add_culture
from cases.actions.add_metaphases import add_metaphases
from cases.models import Case, Metaphase, StoredImage
from inference.models import InferenceJob
from karyosite.audit.models import AuditEntry
from karyosite.errors import Conflict, Invalid, NotFound, TooLarge
from tests.conftest import CIL, png_bytes


def files() -> list[str]:
    """Everything on disk below MEDIA_ROOT but the locks."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name != ".lock")


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


def upload(content: bytes, name: str = "cell.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def add(user: Any, case: Any, content: bytes, name: str = "cell.png", **more: Any) -> Any:
    return add_metaphases(user=user, case_id=case.pk, upload=upload(content), name=name, **more)


def tiff_pages(number: int) -> bytes:
    out = io.BytesIO()
    pages = np.stack([np.full((64, 80), 40 + 20 * page, np.uint8) for page in range(number)])
    tifffile.imwrite(out, pages, photometric="minisblack")
    return out.getvalue()


def test_a_file_is_kept_byte_for_byte_under_its_hash(technologist: Any, case: Any, lab: Any) -> None:
    content = png_bytes(seed=4)
    digest = hashlib.sha256(content).hexdigest()
    added = add(technologist, case, content)
    (metaphase,) = added.metaphases
    assert added.duplicates == []
    assert files() == [f"originals/{lab.pk}/{digest[:2]}/{digest}"]
    path = Path(metaphase.image.file.path)
    assert path.read_bytes() == content
    assert not path.stat().st_mode & 0o222, "evidence is not writable"
    assert (metaphase.image.sha256, metaphase.image.byte_size, metaphase.image.media_type) == (
        digest, len(content), "image/png",
    )  # fmt: skip
    assert (metaphase.ordinal, metaphase.width, metaphase.height, metaphase.bit_depth) == (1, 320, 240, 8)
    assert metaphase.added_by == technologist
    entry = AuditEntry.objects.get(verb="metaphase.added")
    assert (entry.case_id, entry.new["sha256"]) == (case.pk, digest)


def test_each_new_cell_is_announced_and_gets_its_job(technologist: Any, case: Any) -> None:
    added = add(technologist, case, tiff_pages(3), "three.tif")
    assert [cell.page for cell in added.metaphases] == [0, 1, 2]
    assert InferenceJob.objects.count() == 3
    assert set(Metaphase.objects.values_list("analysis_state", flat=True)) == {"queued"}


def test_the_same_file_again_is_recognised(technologist: Any, case: Any) -> None:
    first = add(technologist, case, tiff_pages(2), "a.tif")
    again = add(technologist, case, tiff_pages(2), "renamed.tif")
    assert again.metaphases == []
    assert again.duplicates == first.metaphases
    assert Metaphase.objects.count() == 2
    assert len(files()) == 1


def test_another_case_shares_the_file(technologist: Any, case: Any, patient: Any) -> None:
    other = Case.objects.create(
        laboratory=case.laboratory, patient=patient, accession_number="26-2", received_on=case.received_on
    )
    one = add(technologist, case, png_bytes()).metaphases[0]
    two = add(technologist, other, png_bytes()).metaphases[0]
    assert one.image == two.image
    assert two.ordinal == 1
    assert len(files()) == 1


def test_another_laboratory_does_not_learn_that_we_have_it(
    technologist: Any, stranger: Any, other_lab: Any, case: Any
) -> None:
    from cases.models import Patient

    add(technologist, case, png_bytes())
    theirs = Case.objects.create(
        laboratory=other_lab, patient=Patient.objects.create(laboratory=other_lab, identifier="1"),
        accession_number="1", received_on=case.received_on,
    )  # fmt: skip
    added = add(stranger, theirs, png_bytes())
    assert (len(added.metaphases), added.duplicates) == (1, [])
    assert StoredImage.objects.count() == 2
    assert len(files()) == 2


def test_ordinals_follow_on(technologist: Any, case: Any) -> None:
    for seed in range(3):
        add(technologist, case, png_bytes(seed=seed))
    add(technologist, case, tiff_pages(2), "more.tif")
    assert list(Metaphase.objects.values_list("ordinal", flat=True)) == [1, 2, 3, 4, 5]


def test_a_cell_belongs_to_a_culture_of_its_own_case(technologist: Any, case: Any, patient: Any) -> None:
    culture = add_culture(user=technologist, case_id=case.pk, label="A")
    assert add(technologist, case, png_bytes(), culture_id=str(culture.pk)).metaphases[0].culture == culture
    other = Case.objects.create(
        laboratory=case.laboratory, patient=patient, accession_number="26-2", received_on=case.received_on
    )
    before = files()
    for wrong in (add_culture(user=technologist, case_id=other.pk, label="B").pk, "nonsense"):
        with pytest.raises(Invalid) as refused:
            add(technologist, case, png_bytes(seed=9), culture_id=wrong)
        assert list(refused.value.fields) == ["culture"]
    assert files() == before


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("L", (200, 100), 200).save(out, "JPEG")
    return out.getvalue()


def _tiny() -> bytes:
    out = io.BytesIO()
    Image.new("L", (1, 1)).save(out, "PNG")
    return out.getvalue()


BAD = {
    "zero bytes": b"",
    "a program": b"MZ" + bytes(2000),
    "text": b"not a picture at all",
    "a truncated PNG": png_bytes()[:600],
    "a truncated JPEG": _jpeg()[:300],
    "a truncated TIFF": tiff_pages(3)[:-5000],
    "one pixel": _tiny(),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_leave_nothing_behind(technologist: Any, case: Any, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(technologist, case, BAD[name])
    assert refused.value.sentence.endswith(".")
    assert refused.value.code == "image-refused"
    assert files() == []
    assert not StoredImage.objects.exists()
    assert not Metaphase.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_file_past_the_limit_is_not_read_on(technologist: Any, case: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(module.environment, "upload_max_bytes", 2**20)
    read = []

    class Endless:
        def read(self, size: int) -> bytes:
            read.append(size)
            return bytes(size)

    with pytest.raises(TooLarge):
        add_metaphases(user=technologist, case_id=case.pk, upload=Endless(), name="endless.tif")
    assert len(read) <= 3
    assert files() == []


def test_pixel_limits_come_from_the_settings(technologist: Any, case: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(module.environment, "image_max_pixels", 1000)
    with pytest.raises(Invalid):
        add(technologist, case, png_bytes())
    assert files() == []


def test_an_upload_that_did_not_arrive_whole_is_refused(technologist: Any, case: Any) -> None:
    cut = upload(png_bytes())
    cut.size = len(png_bytes()) + 1
    with pytest.raises(Invalid) as refused:
        add_metaphases(user=technologist, case_id=case.pk, upload=cut, name="cell.png")
    assert refused.value.code == "upload-cut-off"
    assert files() == []


def test_no_room_on_the_disk_is_said_plainly(technologist: Any, case: Any) -> None:
    """The kernel itself refuses to write on: the process may not make a file larger than 64 kB."""
    content = np.random.default_rng(0).integers(0, 255, 200_000, np.uint8).tobytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    try:
        with pytest.raises(storage.StorageFull) as refused:
            add(technologist, case, content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert refused.value.status_code == 507
    assert "no room" in refused.value.sentence
    assert files() == []


def test_when_the_transaction_fails_the_file_goes_too(technologist: Any, case: Any, monkeypatch: Any) -> None:
    def burst(**_: Any) -> None:
        raise RuntimeError("a listener failed")

    monkeypatch.setattr(events.metaphase_added, "_handlers", [burst])
    with pytest.raises(RuntimeError):
        add(technologist, case, png_bytes())
    assert files() == []
    assert not Metaphase.objects.exists()
    assert not StoredImage.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_failed_upload_does_not_take_away_what_another_cell_stands_on(
    technologist: Any, case: Any, patient: Any, monkeypatch: Any
) -> None:
    add(technologist, case, png_bytes())
    other = Case.objects.create(
        laboratory=case.laboratory, patient=patient, accession_number="26-2", received_on=case.received_on
    )

    def burst(**_: Any) -> None:
        raise RuntimeError("a listener failed")

    monkeypatch.setattr(events.metaphase_added, "_handlers", [burst])
    with pytest.raises(RuntimeError):
        add(technologist, other, png_bytes())
    assert len(files()) == 1


def test_an_upload_brings_a_lost_file_back(technologist: Any, case: Any, patient: Any) -> None:
    lost = Path(add(technologist, case, png_bytes()).metaphases[0].image.file.path)
    lost.unlink()
    assert add(technologist, case, png_bytes()).duplicates
    assert lost.read_bytes() == png_bytes()


@pytest.mark.parametrize("state", ["submitted", "signed"])
def test_a_locked_case_takes_no_cell_and_reads_no_byte(technologist: Any, case: Any, state: str) -> None:
    Case.objects.filter(pk=case.pk).update(state=state)

    class Unread:
        def read(self, size: int) -> bytes:
            raise AssertionError("the file was read although the case is locked")

    with pytest.raises(Conflict):
        add_metaphases(user=technologist, case_id=case.pk, upload=Unread(), name="cell.png")
    assert files() == []


def test_a_stranger_is_refused_before_a_byte_is_read(stranger: Any, case: Any) -> None:
    class Unread:
        def read(self, size: int) -> bytes:
            raise AssertionError("a stranger's file was read")

    for case_id in (case.pk, "7d0b0dd0-0000-4000-8000-000000000000", "nonsense"):
        with pytest.raises(NotFound):
            add_metaphases(user=stranger, case_id=case_id, upload=Unread(), name="cell.png")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("cell 1.tif", "cell 1.tif"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Pictures\\Zelle 7.TIF", "Zelle 7.TIF"),
        ("a\x00b\nc\x1b[31m.png", "abc[31m.png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("Zelle\u00a0\u2003 ü\u0308.png", "Zelle ü\u0308.png"),
        ("", "unnamed"),
        (None, "unnamed"),
        ("..", "unnamed"),
        ("////", "unnamed"),
        ("\ud800x.png", "x.png"),
    ],
)
def test_names_are_shown_without_paths_or_tricks(given: Any, shown: str) -> None:
    assert storage.display_name(given) == shown


def test_long_names_keep_their_ending() -> None:
    for name in ("x" * 400 + ".tiff", "x" * 400, "x." + "y" * 400, "." * 300 + "a"):
        shown = storage.display_name(name)
        assert len(shown) <= 255
        assert shown == shown.strip()
    assert storage.display_name("x" * 400 + ".tiff").endswith(".tiff")


def test_the_name_is_never_a_path(technologist: Any, case: Any, tmp_path: Path) -> None:
    metaphase = add(technologist, case, png_bytes(), name="../../../escape.png").metaphases[0]
    assert metaphase.original_name == "escape.png"
    assert not list(tmp_path.rglob("escape*"))


def test_a_real_cell(technologist: Any, case: Any) -> None:
    # The public set spells its folder so.
    picture = sorted((CIL / "JEPG").glob("*.jpg"))[0]
    with picture.open("rb") as file:
        metaphase = add_metaphases(user=technologist, case_id=case.pk, upload=file, name=picture.name).metaphases[0]
    assert metaphase.image.sha256 == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert (metaphase.width, metaphase.height) == Image.open(picture).size
