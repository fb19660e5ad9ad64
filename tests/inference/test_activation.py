"""Which version a laboratory works with: chosen by its administrator, kept to, refused when it is not whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from inference import cards, registry, selectors
from inference.actions import activate_model
from inference.backends import weights
from inference.models import ActiveModel
from inference.protocols import AnalysisError
from karyosite.audit.models import AuditEntry
from karyosite.env import environment
from karyosite.errors import Conflict, Invalid, NotFound
from tests.conftest import PASSWORD


@pytest.fixture
def two_detectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shipped models, and the detector a second time as version 9; returns the folder of the weights."""
    manifest = json.loads(weights.MANIFEST.read_text())
    for entry in manifest["weights"]:
        for listed in entry["files"].values():
            shutil.copy(weights.FOLDER / listed["file"], tmp_path / listed["file"])
    shipped = next(entry for entry in manifest["weights"] if entry["role"] == "detector")
    newer = json.loads(json.dumps(shipped)) | {"version": "9"}
    for listed in newer["files"].values():
        name = f"nine-{listed['file']}"
        shutil.copy(tmp_path / listed["file"], tmp_path / name)
        listed["file"] = name
    manifest["weights"].append(newer)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    registry.forget()
    yield tmp_path
    registry.forget()


def nine(user: Any, reason: str = "validated on 20 cells", **changes: Any) -> ActiveModel:
    name = weights.entries("detector")[0]["name"]
    return activate_model(user=user, **({"role": "detector", "name": name, "version": "9", "reason": reason} | changes))


def in_use(laboratory: Any, role: str = "detector") -> Any:
    return registry.entry(role, registry.activated(environment, selectors.active_models(laboratory.pk)))


def test_the_next_job_takes_the_activated_version(
    two_detectors: Path, administrator: Any, supervisor: Any, lab: Any, other_lab: Any
) -> None:
    before = in_use(lab)["version"]
    assert before != "9"
    configuration = registry.activated(environment, selectors.active_models(lab.pk))
    assert registry.detector(configuration).info.version == before
    nine(administrator)
    # The same process, no restart: what a worker does at its next job.
    configuration = registry.activated(environment, selectors.active_models(lab.pk))
    assert registry.detector(configuration).info.version == "9"
    assert in_use(other_lab)["version"] == before  # each laboratory decides for itself
    shown = {card.version: card for card in selectors.model_cards(supervisor) if card.role == "detector"}
    assert shown["9"].active and not shown[before].active and shown["9"].faults == []
    entry = AuditEntry.objects.get(verb="model.activated")
    assert entry.actor == administrator and entry.reason == "validated on 20 cells" and entry.laboratory == lab
    assert entry.old["version"] == before and entry.new["version"] == "9"
    assert entry.new["sha256"] == shown["9"].files


def test_what_cannot_be_activated_is_refused_and_nothing_changes(
    two_detectors: Path, administrator: Any, lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Invalid, match="validation"):
        nine(administrator, reason="  ")
    with pytest.raises(NotFound, match="not installed"):
        nine(administrator, version="10")
    with pytest.raises(NotFound):
        nine(administrator, role="oracle")
    damaged = two_detectors / weights.entries("detector")[-1]["files"]["torch"]["file"]
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1] + b"x")
    with pytest.raises(Conflict, match="fingerprint"):
        nine(administrator)
    damaged.write_bytes(whole)
    with monkeypatch.context() as patch:
        patch.setattr(environment, "detector_weights", "/somewhere/own.pt")
        with pytest.raises(Conflict, match="own.pt"):
            nine(administrator)
    assert not ActiveModel.objects.exists() and not AuditEntry.objects.filter(verb="model.activated").exists()
    nine(administrator)
    with pytest.raises(Conflict, match="already"):
        nine(administrator)


def test_an_activated_version_that_changed_or_went_is_not_loaded(
    two_detectors: Path, administrator: Any, lab: Any
) -> None:
    nine(administrator)
    manifest = json.loads(weights.MANIFEST.read_text())
    manifest["weights"][-1]["files"]["torch"]["sha256"] = "ab" * 32
    weights.MANIFEST.write_text(json.dumps(manifest))
    with pytest.raises(AnalysisError, match="fingerprint in the manifest has changed"):
        in_use(lab)
    assert next(card for card in cards.cards(lab.pk) if card.version == "9").changed
    weights.MANIFEST.write_text(json.dumps(manifest | {"weights": manifest["weights"][:-1]}))
    with pytest.raises(AnalysisError, match="no longer installed"):
        in_use(lab)


def test_a_file_changed_after_the_activation_is_not_loaded(two_detectors: Path, administrator: Any, lab: Any) -> None:
    nine(administrator)
    file = two_detectors / weights.entries("detector")[-1]["files"]["torch"]["file"]
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(AnalysisError, match="was not loaded"):
        registry.detector(registry.activated(environment, selectors.active_models(lab.pk)))


def test_the_page_says_whether_the_judge_goes_with_what_is_in_use(
    two_detectors: Path, administrator: Any, lab: Any
) -> None:
    client = Client()
    client.force_login(administrator)
    judge = weights.entries("judge")[0]
    page = client.get(reverse("models")).content.decode()
    assert f"<dd>{judge['name']} {judge['version']}</dd>" in page and "It is not asked" not in page
    nine(administrator)
    page = client.get(reverse("models")).content.decode()
    assert "none for these" in page and "It is not asked" in page
    configuration = registry.activated(environment, selectors.active_models(lab.pk))
    parts = registry.detector(configuration), registry.segmenter(configuration), registry.classifier(configuration)
    assert registry.judge(configuration, *parts) is None


def test_page_and_api_activate_alike(
    two_detectors: Path, administrator: Any, supervisor: Any, technologist: Any, lab: Any
) -> None:
    name = weights.entries("detector")[0]["name"]
    wanted = {"role": "detector", "name": name, "version": "9"}
    client = Client()
    assert client.login(username="ada", password=PASSWORD)
    page = client.get(reverse("models")).content.decode()
    assert f"Activate {name} 9" in page and f"Keep to {name}" in page
    refused = client.post(reverse("model-activate"), wanted | {"reason": " "})
    assert refused.status_code == 422 and "name the validation" in refused.content.decode()
    done = client.post(reverse("model-activate"), wanted | {"reason": "validated"}, follow=True)
    assert "in use from the next analysis on" in done.content.decode() and in_use(lab)["version"] == "9"
    back = {"version": weights.entries("detector")[0]["version"], "reason": "back"}
    answer = client.post("/api/v1/models/", wanted | back, content_type="application/json")
    assert answer.status_code == 200 and answer.json()["active"] is True and answer.json()["whole"] is True
    listed = client.get("/api/v1/models/").json()
    assert [card["active"] for card in listed if card["role"] == "detector"] == [True, False]
    assert all(card["research_use_only"] for card in listed)
    for person, may_see in ((supervisor, True), (technologist, False)):
        other = Client()
        other.force_login(person)
        assert other.get("/api/v1/models/").status_code == (200 if may_see else 403)
        assert other.get(reverse("models")).status_code == (200 if may_see else 403)
        for address in ("/api/v1/models/", reverse("model-activate")):
            sent = other.post(address, wanted | {"reason": "mine"}, content_type="application/json")
            assert sent.status_code == 403, address
    assert in_use(lab)["version"] != "9"
