"""Karyograms of picture files, without server or database."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases.domain.likely import expected_corrections
from cases.reports.sheet import render_sheet
from inference import registry
from inference.pipeline import analyse
from inference.protocols import AnalysisError, Mask, Proposal
from karyosite.env import environment
from karyosite.imaging import ImageRefused, inspect, read_grey

SCHEMA = "karyosite.karyotype"
VERSIONS = (1, 2)


class Command(BaseCommand):
    help = "Write <stem>.json and <stem>.karyogram.png for each picture. Needs no server and no database."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if it is not there")
        parser.add_argument(
            "--schema", type=int, choices=VERSIONS, default=1,
            help="version of the JSON: 2 has the note about the picture, what was left out, and all models (default 1)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        from tqdm import tqdm

        images: list[Path] = options["images"]
        out: Path = options["out"]
        try:
            out.mkdir(parents=True, exist_ok=True)
            detector, classifier = registry.detector(environment), registry.classifier(environment)
            segmenter = registry.segmenter(environment)
            run = partial(
                analyse,
                detector=detector,
                segmenter=segmenter,
                classifier=classifier,
                judge=registry.judge(environment, detector, segmenter, classifier),
                calibration=registry.calibration(detector, classifier, segmenter),
            )
        except OSError as error:
            raise CommandError(f"The folder {out} cannot be made: {error.strerror}.") from error
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        failed = 0
        taken: set[str] = set()
        progress = tqdm(images, unit="image", file=sys.stderr, disable=options["verbosity"] == 0)
        for image in progress:
            progress.set_postfix_str(image.name[-40:])
            try:
                notes = _karyotype(image, out, taken, run, options["schema"])
            except (ImageRefused, AnalysisError) as error:
                sentence = str(error)
            except OSError as error:
                sentence = f"{error.strerror or error}."
            else:
                if options["verbosity"]:
                    for note in notes:
                        tqdm.write(f"{image}: {note}", file=sys.stderr)
                continue
            failed += 1
            tqdm.write(f"{image}: {sentence}", file=sys.stderr)
        if failed:
            raise CommandError(f"{failed} of {len(images)} image(s) could not be done; the others are in {out}.")


def _karyotype(image: Path, out: Path, taken: set[str], run: Callable[..., Proposal], version: int) -> list[str]:
    """All pages of one file; gives what is to be said of its pictures.  Raises ImageRefused, AnalysisError, OSError."""
    notes = []
    sha256 = _fingerprint(image)
    facts = inspect(
        image,
        max_pixels=environment.image_max_pixels,
        min_side=environment.image_min_side,
        max_pages=environment.image_max_pages,
    )
    for page in range(len(facts.pages)):
        started = time.perf_counter()
        pixels = read_grey(image, page, max_pixels=environment.image_max_pixels)
        reading = time.perf_counter() - started
        height, width = pixels.shape
        proposal = run(pixels, image_facts={"sha256": sha256, "page": page, "width": width, "height": height})
        proposal.timings_s["load"] = round(proposal.timings_s["load"] + reading, 4)
        proposal.timings_s["total"] = round(proposal.timings_s["total"] + reading, 4)
        stem = _free_stem(image.stem if page == 0 else f"{image.stem}-page{page + 1}", taken)
        caption = image.name if len(facts.pages) == 1 else f"{image.name}, page {page + 1}"
        render_sheet(pixels, proposal.document, caption=caption).save(out / f"{stem}.karyogram.png")
        (out / f"{stem}.json").write_text(
            json.dumps(contract(image.name, proposal, version), ensure_ascii=False) + "\n"
        )
        if proposal.document["note"]:
            notes.append(proposal.document["note"])
    return notes


def _fingerprint(image: Path) -> str:
    with image.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _free_stem(stem: str, taken: set[str]) -> str:
    """The stem, or stem-2, stem-3 … where this run has written it already; case counts for nothing."""
    free, number = stem, 1
    while free.casefold() in taken:
        number += 1
        free = f"{stem}-{number}"
    taken.add(free.casefold())
    return free


_PERHAPS = 0.3  # chance from which what was left out is told of: what is shown is asked about below 0.7

# Roles that version 1 of the file names; readers may refuse any other.  A judge goes with just these three.
_PROMISED = ("detector", "segmenter", "classifier")


def contract(name: str, proposal: Proposal, version: int = 1) -> dict[str, Any]:
    """`karyosite.karyotype/1` or `/2`, kept stable: docs/headless.md, tests/contracts/karyotype-*.schema.json."""
    image = proposal.document["image"]
    entries = proposal.document["chromosomes"]
    further = _reasons_to_count_again(entries) if version == 1 else {}
    present: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for entry, mask in zip(entries, proposal.masks, strict=True):
        told = _told(entry, mask, image["height"], image["width"])
        told["flags"] += further.get(entry["id"], [])
        (present if entry["state"] == "present" else left_out).append(told)
    later: dict[str, Any] = {}
    if version > 1:
        later = {
            "expected_corrections": expected_corrections(proposal.document),
            "note": proposal.document["note"],
            "left_out": left_out,
        }
    return {
        "schema": f"{SCHEMA}/{version}",
        "image": {"name": name, "sha256": image["sha256"], "width": image["width"], "height": image["height"]},
        "models": [asdict(model) for model in proposal.models if version > 1 or model.role in _PROMISED],
        "chromosomes": present,
        "count": len(present),
        **later,
        "timings_s": proposal.timings_s,
    }


def _told(entry: dict[str, Any], mask: Mask, height: int, width: int) -> dict[str, Any]:
    from pycocotools import mask as coco

    encoded = coco.encode(mask.full(height, width).astype("uint8", order="F"))
    return (
        {key: entry[key] for key in ("id", "label", "box")}
        | {"mask": {"size": [height, width], "counts": encoded["counts"].decode("ascii")}}
        | {key: entry[key] for key in ("detection_score", "score")}
        | {"flags": list(entry["flags"])}
    )


def _reasons_to_count_again(entries: list[dict[str, Any]]) -> dict[str, list[str]]:
    """By id of the chromosome that lies nearest: what was left out and may be one after all.  The editor shows that as
    debris to look at; in version 1 of the file it is no chromosome and has no place of its own."""
    present = [entry for entry in entries if entry["state"] == "present"]
    found: dict[str, list[str]] = {}
    for entry in entries:
        if entry["state"] != "present" and entry["detection_score"] >= _PERHAPS and present:
            nearest = min(present, key=lambda one: math.dist(_middle(one["box"]), _middle(entry["box"])))
            found.setdefault(nearest["id"], []).extend(f"beside it one was {reason}" for reason in entry["flags"])
    return found


def _middle(box: list[float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
