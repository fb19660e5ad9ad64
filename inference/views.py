"""Which models this installation ships, read from the manifest; no model is loaded to show it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cases import policies
from karyosite.env import environment
from karyosite.pages import page, person

MANIFEST = Path(__file__).resolve().parent / "weights" / "manifest.json"
_METRICS = {
    "map50": "mAP50",
    "map50_95": "mAP50:95",
    "on": "Measured on",
}


@page
def models(request: HttpRequest) -> HttpResponse:
    policies.require(person(request), "view_models")
    listed = _manifest(MANIFEST)
    context = {
        "models": [_shown(entry) for entry in listed or []],
        "unreadable": listed is None,
        "settings": {
            "device": environment.device,
            "detector": Path(environment.detector_weights).name or "as shipped",
            "classifier": "as shipped" if environment.classifier == "shipped" else environment.classifier,
            "segmenter": environment.segmenter,
            "sam": Path(environment.sam_checkpoint).name if environment.segmenter == "sam" else "",
        },
    }
    return render(request, "inference/models.html", context)


def _manifest(path: Path) -> list[dict[str, Any]] | None:
    """The manifest's entries; None where the file is missing or is not what it should be."""
    try:
        listed = json.loads(path.read_text())["weights"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else None


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    """Only what a reader needs, in words; a weights file of its own and files under kinds read alike."""
    files = entry.get("files") or {"weights": {"file": entry.get("file", ""), "sha256": entry.get("sha256", "")}}
    metrics = entry.get("metrics") if isinstance(entry.get("metrics"), dict) else {}
    return {
        "name": entry.get("name", ""),
        "role": entry.get("role", ""),
        "version": entry.get("version", ""),
        "architecture": entry.get("architecture", ""),
        "training_data": entry.get("training_data", ""),
        "licence": entry.get("licence", ""),
        "files": [{"kind": kind, **listed} for kind, listed in files.items() if isinstance(listed, dict)],
        "metrics": [(_METRICS.get(name, name.replace("_", " ")), value) for name, value in (metrics or {}).items()],
    }
