"""`make bench`: how fast it is here.  Medians and 95th percentiles over the real program; nothing is asserted.

Figures depend on the machine and on what else it is doing: run it on a quiet one, and compare runs of one machine.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from cases.demo.laboratory import CELLS
from tests.bench_editor import editor_figures
from tests.program import Client, Program, running, token_for

ROUNDS = 3


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def resident(program: Program) -> dict[str, float]:
    """MB by kind of process: the largest process of each."""
    found: dict[str, float] = {}
    for process in psutil.Process(program.process.pid).children(recursive=True):
        try:
            line, size = " ".join(process.cmdline()), process.memory_info().rss / 1e6
        except psutil.Error:
            continue
        kind = (
            "web" if "gunicorn" in line else "worker, inference" if "--queues inference" in line
            else "worker, default and prompts" if "--queues" in line else "beat" if "celery" in line
            else "broker" if "redis" in line or "valkey" in line else ""
        )  # fmt: skip
        if kind:
            found[kind] = round(max(found.get(kind, 0), size), 1)
    return found


def new_case(client: Client, number: int) -> str:
    patient = client.call("POST", "patients/", {"identifier": f"BENCH-{number}", "family_name": "Bench"})
    order = {"patient_id": patient["id"], "accession_number": f"BENCH-{number}", "specimen": "blood"}
    case = client.call("POST", "cases/", order | {"received_on": "2026-11-22"})
    return str(case["id"])


def finished(client: Client, job_url: str) -> dict[str, Any]:
    while True:
        job = client.call("GET", job_url if "://" in job_url else client.base.split("/api/")[0] + job_url)
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.02)


def upload_to_karyogram(client: Client) -> dict[str, Any]:
    """Every demonstration cell three times, in a new case each round; the first cell warms the worker up."""
    seconds, stages, last = [], [], ""
    for number in range(ROUNDS):
        case = new_case(client, number)
        for image in sorted(CELLS.glob("*.jpg")):
            started = time.perf_counter()
            added = client.upload(case, image)
            job = finished(client, added["job_urls"][0])
            assert job["state"] == "succeeded", job["error"]
            if number:
                seconds.append(time.perf_counter() - started)
                stages.append(job["timings_s"])
            last = added["metaphases"][0]["id"]
    names = stages[0]
    return {
        "cells": len(seconds),
        "upload_to_karyogram_s": {"median": statistics.median(seconds), "p95": percentile(seconds, 0.95)},
        "stages_s_median": {name: statistics.median(stage.get(name, 0) for stage in stages) for name in names},
        "metaphase": last,
    }


def edit_acknowledged(client: Client, metaphase: str) -> dict[str, float]:
    where = f"metaphases/{metaphase}/karyogram/"
    karyogram = client.call("GET", where)
    identifier, version = karyogram["document"]["chromosomes"][0]["id"], karyogram["version"]
    seconds = []
    for number in range(200):
        edit = {"op": "rotate", "id": identifier, "angle": float(number)}
        started = time.perf_counter()
        version = client.call("POST", where + "edits/", {"base_version": version, "edit": edit})["version"]
        seconds.append(time.perf_counter() - started)
    return {"median": statistics.median(seconds), "p95": percentile(seconds, 0.95)}


def click_to_mask(client: Client, metaphase: str) -> dict[str, float]:
    """One click in the middle of a chromosome's box, by the API: web process, broker, worker, and back.  The first
    two warm the worker and the embedding."""
    boxes = [
        entry["box"] for entry in client.call("GET", f"metaphases/{metaphase}/karyogram/")["document"]["chromosomes"]
    ]
    seconds = []
    for number in range(42):
        x1, y1, x2, y2 = boxes[number % len(boxes)]
        started = time.perf_counter()
        prompt = {"box": [x1, y1, x2, y2], "points": [], "rings": None}
        client.call("POST", f"metaphases/{metaphase}/cut/", prompt)
        seconds.append(time.perf_counter() - started)
    return {"median": statistics.median(seconds[2:]), "p95": percentile(seconds[2:], 0.95)}


def main() -> None:
    with running(prepare=("seed_demo --people-only",)) as program:
        client = Client(program, token_for(program, "tess"))
        cells = upload_to_karyogram(client)
        metaphase = cells.pop("metaphase")
        edits = edit_acknowledged(client, metaphase)
        clicks = click_to_mask(client, metaphase)
        memory = resident(program)
        editor = editor_figures(program, client, new_case(client, ROUNDS))
    cutting = json.loads(
        subprocess.run([sys.executable, "-m", "tests.bench_cutting"], capture_output=True, check=True).stdout
    )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    figures = {
        "commit": commit, "cores": os.cpu_count(), "machine": platform.processor() or platform.machine(),
        **cells, "edit_acknowledged_s": edits, "editor": editor, "click_to_mask_s": clicks, "cutting": cutting,
        "resident_mb": memory,
    }  # fmt: skip
    print(json.dumps(json.loads(json.dumps(figures), parse_float=lambda text: round(float(text), 4)), indent=1))
    Path("var").mkdir(exist_ok=True)
    Path("var/bench.json").write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
