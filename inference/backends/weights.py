"""The shipped weights and their manifest: what each file is, what it was trained on, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from inference.protocols import AnalysisError

FOLDER = Path(__file__).resolve().parent.parent / "weights"
MANIFEST = FOLDER / "manifest.json"


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entries(role: str | None = None, manifest: Path | None = None) -> list[dict[str, Any]]:
    """Entries of the manifest; the first of a role is the one used unless another is configured."""
    listed: list[dict[str, Any]] = json.loads((manifest or MANIFEST).read_text())["weights"]
    return [entry for entry in listed if role in (None, entry["role"])]


def files(entry: dict[str, Any], folder: Path | None = None) -> list[tuple[Path, str]]:
    """Each file of an entry with the SHA-256 it must have."""
    return [((folder or FOLDER) / listed["file"], listed["sha256"]) for listed in entry["files"].values()]


def fault(path: Path, sha256: str) -> str:
    """Why this file cannot be used, as a sentence; empty when it is whole."""
    if not path.is_file():
        return f"The model file {path.name} is missing. Install the program again, or set another file."
    if fingerprint(path) != sha256:
        return (
            f"The model file {path.name} is damaged or was changed: its fingerprint (SHA-256) is not the one in the "
            "manifest. It was not loaded. Install the program again to bring it back."
        )
    return ""


def checked(entry: dict[str, Any], kind: str, folder: Path | None = None) -> tuple[Path, str]:
    """Path and SHA-256 of an entry's file ("torch" or "onnx"), verified.  Raises AnalysisError."""
    listed = entry["files"][kind]
    path = (folder or FOLDER) / listed["file"]
    if sentence := fault(path, listed["sha256"]):
        raise AnalysisError(sentence)
    return path, listed["sha256"]
