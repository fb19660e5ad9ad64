"""The card of a training run: what was trained on what, by which code, where, for how long, and how it went."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from inference.training.cil import AnnotatedCell

SCHEMA = "karyosite.run/1"
_ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("torch", "ultralytics-opencv-headless", "numpy", "onnxruntime")


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def list_digest(cells: list[AnnotatedCell]) -> dict[str, Any]:
    """How many cells, and the SHA-256 of the sorted list of their pictures' and annotations' hashes."""
    lines = []
    for cell in cells:
        said = hashlib.sha256(cell.boxes.tobytes() + cell.classes.tobytes()).hexdigest()
        lines.append(f"{file_sha256(cell.image)} {said}\n")
    return {"cells": len(cells), "sha256": hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()}


def folder_digest(folder: Path) -> dict[str, Any]:
    """How many cells with drawn masks lie in a folder, and the SHA-256 of the sorted list of all pictures' hashes."""
    hashes = sorted(f"{path.relative_to(folder)} {file_sha256(path)}\n" for path in folder.rglob("*.png"))
    return {
        "cells": len(list((folder / "labels").glob("*.png"))),
        "sha256": hashlib.sha256("".join(hashes).encode()).hexdigest(),
    }


def code_version() -> dict[str, str]:
    """What git says where there is git, and in any case the hash of the code of inference."""
    files = sorted((_ROOT / "inference").rglob("*.py"))
    content = "".join(f"{path.relative_to(_ROOT)} {file_sha256(path)}\n" for path in files)
    found = {"inference_sha256": hashlib.sha256(content.encode()).hexdigest()}
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--tags"],
            cwd=_ROOT, capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        found["git"] = told.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        found["git"] = ""
    return found


def machine() -> dict[str, Any]:
    """Processor, memory, graphics card and libraries; not whose machine it is."""
    import psutil
    import torch

    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "",
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read(out: Path) -> dict[str, Any] | None:
    """The card of the run in `out`, or None.  A card that cannot be read counts as none."""
    try:
        card = json.loads((out / "run-card.json").read_text())
    except (OSError, ValueError):
        return None
    return card if isinstance(card, dict) and card.get("schema") == SCHEMA else None


def write(out: Path, card: dict[str, Any]) -> None:
    """run-card.json, run-card.md and curves.png.  Each is written beside its place and renamed."""
    card = card | {"results": results(out)}
    _put(out / "run-card.json", json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    pictured = draw(curves(out), out / "curves.png")
    _put(out / "run-card.md", as_markdown(card, pictured))


def _put(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text)
    temporary.replace(path)


def results(out: Path) -> dict[str, Any]:
    """What the run says of itself: its last line, its result, and the hashes of the files it made."""
    found: dict[str, Any] = {"files": {}}
    for name in ("detector.pt", "classifier.onnx", "field.onnx", "prompt.onnx", "judge.onnx", "weights/best.pt"):
        if (out / name).exists():
            found["files"][name] = file_sha256(out / name)
    series = curves(out)
    found["last"] = {name: points[-1][1] for name, points in series.items() if points}
    if (out / "result.json").exists():
        told = json.loads((out / "result.json").read_text())
        found["last"] |= {name: value for name, value in told.items() if isinstance(value, int | float)}
    return found


def curves(out: Path) -> dict[str, list[tuple[float, float]]]:
    """Series name → (x, value).  x: processor hours (progress.jsonl) or epochs (ultralytics' results.csv)."""
    rows: list[dict[str, Any]] = []
    if (out / "progress.jsonl").exists():
        for line in (out / "progress.jsonl").read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue  # a line that was cut off
        x_of = next((key for key in ("cpu_hours", "step") if rows and key in rows[-1]), "")
    elif (out / "results.csv").exists():
        with (out / "results.csv").open(newline="") as file:
            rows = [{key.strip(): value for key, value in row.items() if key} for row in csv.DictReader(file)]
        x_of = "epoch"
    else:
        return {}
    series: dict[str, list[tuple[float, float]]] = {}
    counted = (x_of, "step", "epochs", "seen", "crops", "time", "hours")
    for row in rows:
        for name, value in row.items():
            if name in counted or name.startswith("lr/") or x_of not in row:
                continue
            try:
                series.setdefault(name, []).append((float(row[x_of]), float(value)))
            except (TypeError, ValueError):
                continue
    return series


def draw(series: dict[str, list[tuple[float, float]]], path: Path) -> bool:
    """One small panel a series.  False where there is nothing to draw yet."""
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(3, len(series))
    lines = -(-len(series) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.7 * lines), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    epochs = (path.parent / "results.csv").exists()
    for number, (name, points) in enumerate(series.items(), 1):
        panel = figure.add_subplot(lines, columns, number)
        x, y = zip(*points, strict=True)
        panel.plot(x, y, color="#2f5d8c", linewidth=1.4)
        panel.set_title(name, loc="left", fontsize=10)
        panel.set_xlabel("epochs" if epochs else "processor hours", fontsize=8)
        panel.tick_params(labelsize=8, length=2)
        panel.grid(alpha=0.25, linewidth=0.5)
        panel.spines[["top", "right"]].set_visible(False)
    temporary = path.with_name(path.name + ".tmp")
    figure.savefig(temporary, format="png")
    temporary.replace(path)
    return True


def as_markdown(card: dict[str, Any], pictured: bool) -> str:
    recipe, code, place = card["recipe"], card["code"], card["machine"]
    rows = [
        ("state", card["state"]),
        ("recipe", f"{recipe['name']}: {recipe['about']}"),
        ("numbers", ", ".join(f"{key} {value}" for key, value in recipe["train"].items()) + f", seed {recipe['seed']}"),
        ("changed by hand", ", ".join(f"{key} {value}" for key, value in recipe["changed"].items()) or "nothing"),
        ("start", card["start"] or "nothing"),
        *((f"data, {which}", f"{said['cells']} cells, `{said['sha256']}`") for which, said in card["data"].items()),
        ("code", f"{code['git'] or 'no git'}, inference `{code['inference_sha256'][:16]}…`"),
        ("machine", f"{place['processor']}, {place['cores']} cores, {place['memory_gib']} GiB"
         + (f", {place['gpu']}" if place["gpu"] else "")),
        ("libraries", ", ".join(f"{name} {version}" for name, version in place["libraries"].items())),
        ("time", f"{card['wall_s'] / 3600:.2f} h on the wall, {card['cpu_s'] / 3600:.2f} processor hours, "
         f"{len(card['sessions'])} session(s)"),
        *((name, f"{value:g}") for name, value in card["results"]["last"].items()),
        *((f"file {name}", f"`{digest}`") for name, digest in card["results"]["files"].items()),
    ]  # fmt: skip
    text = f"# Training run: {recipe['role']}, {recipe['name']}\n\n| | |\n|---|---|\n"
    text += "".join(f"| {name} | {value} |\n" for name, value in rows)
    text += "\n## Sessions\n\n| from | to | ended |\n|---|---|---|\n"
    text += "".join(f"| {s['from']} | {s['to']} | {s['ended']} |\n" for s in card["sessions"])
    return text + ("\n![Curves](curves.png)\n" if pictured else "")
