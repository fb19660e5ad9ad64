"""How well the configured segmenter cuts, by kind, against masks that are known."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from inference import registry
from inference.backends.boxes import overlap
from inference.evaluation import pointing, segmentation, worst_cuts
from inference.evaluation.cells import evenly
from inference.evaluation.source import SourceError, read_cells
from inference.protocols import AnalysisError, Detector
from karyosite.env import environment

_SAME = 0.3  # a detector's box that shares this much with the truth's box is the chromosome's


class Command(BaseCommand):
    help = "Hold segmenters against exact masks: scenes made of held-out cut-outs, and fields with drawn masks."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--made", type=Path, metavar="DATASET", help="annotated cells to make scenes from")
        parser.add_argument("--split", default="val", metavar="FILE", help="list of names, one a line; default val.txt")
        parser.add_argument("--drawn", type=Path, metavar="DIR", help="fields with drawn masks: dapi/ and labels/")
        parser.add_argument(
            "--all-slides", action="store_true", help="of the drawn fields also those that were trained on"
        )
        parser.add_argument(
            "--segmenter", action="append", default=[], metavar="NAME", help="shipped, threshold or sam; repeatable"
        )
        parser.add_argument("--boxes", choices=("truth", "detector", "both"), default="both")
        parser.add_argument(
            "--clicks",
            action="store_true",
            help="also how well missing chromosomes are cut where a person points at them",
        )
        parser.add_argument("--limit", type=int, default=40, help="this many pictures of each source; 0 for all")
        parser.add_argument("--out", type=Path, default=Path("evaluation-segmentation"), metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["made"] and not options["drawn"]:
            raise CommandError("Set --made, --drawn, or both: there is nothing to judge by.")
        options["out"].mkdir(parents=True, exist_ok=True)
        names = options["segmenter"] or ["shipped", "threshold"] + (["sam"] if environment.sam_checkpoint else [])
        boxes = ("truth", "detector") if options["boxes"] == "both" else (options["boxes"],)
        results: list[dict[str, Any]] = []
        pointed: list[dict[str, Any]] = []
        for source in ("made", "drawn"):
            if not options[source]:
                continue
            for name in names:
                for kind in boxes:
                    results.append(self._judge(source, name, kind, options))
                if options["clicks"]:
                    pointed += self._pointed(source, name, options)
        found = {"schema": "karyosite.segmentation-evaluation/1", "results": results, "pointed": pointed}
        (options["out"] / "metrics.json").write_text(json.dumps(found, indent=2) + "\n")
        _table(results, options["out"] / "table.csv")
        for result in results:
            told = {kind: result[kind].get("mean_iou") for kind in (*segmentation.KINDS, "all", "crossing_itself")}
            told["crossing_itself_of_all_pixels"] = result["crossing_itself"]["iou_of_all_pixels"]
            self.stdout.write(f"{result['source']} {result['segmenter']} boxes from {result['boxes']}: {told}")
        for result in pointed:
            for asked in pointing.ASKED:
                told = {kind: result[asked][kind]["mean_iou"] for kind in segmentation.KINDS}
                self.stdout.write(
                    f"{result['source']} {result['segmenter']} {result['others']} outlines, {asked}: {told}"
                )
            self.stdout.write(f"{result['source']} {result['segmenter']}, clicks followed: {result['followed']}")

    def _pointed(self, source: str, name: str, options: dict[str, Any]) -> list[dict[str, Any]]:
        configuration = _configuration(name)
        try:
            segmenter = registry.prompter(configuration)
            truths = self._truths(source, options)
        except (AnalysisError, SourceError) as error:
            raise CommandError(str(error)) from error
        about = {"source": source, "segmenter": f"{segmenter.info.name} {segmenter.info.version}"}
        judged = pointing.judge(truths, segmenter)
        return [
            {**about, "others": {"beside": "beside the others'", "alone": "without the others'"}[how], **of.figures()}
            for how, of in judged.items()
        ]

    def _judge(self, source: str, name: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
        configuration = _configuration(name)
        try:
            segmenter = registry.segmenter(configuration)
            detector = registry.detector(configuration) if kind == "detector" else None
            truths = self._truths(source, options)
        except (AnalysisError, SourceError) as error:
            raise CommandError(str(error)) from error
        found_boxes = (lambda truth: _detected(truth, detector)) if detector else None
        judged = segmentation.judge(truths, segmenter.segment, found_boxes)
        stem = f"{source}-{segmenter.info.name}-{kind}"
        worst_cuts.write(judged, options["out"] / f"worst-{stem}.png")
        about = {"source": source, "segmenter": f"{segmenter.info.name} {segmenter.info.version}", "boxes": kind}
        return {**about, **judged.figures()}

    def _truths(self, source: str, options: dict[str, Any]) -> Iterator[segmentation.Truth]:
        from tqdm import tqdm

        if source == "made":
            cells, _ = read_cells(options["made"], options["split"])
            found: Any = segmentation.made_scenes(evenly(cells, options["limit"]))
        else:
            if not (options["drawn"] / "dapi").is_dir():
                raise SourceError(f"There is no folder dapi in {options['drawn']}.")
            fields = list(segmentation.drawn_fields(options["drawn"], held_out=True))
            if options["all_slides"]:
                fields += list(segmentation.drawn_fields(options["drawn"], held_out=False))
            step = max(1, len(fields) // options["limit"]) if options["limit"] else 1
            found = iter(fields[::step])
        return iter(tqdm(found, desc=source, file=sys.stderr, disable=options["verbosity"] == 0))


def _configuration(name: str) -> Any:
    given = {key: getattr(environment, key) for key in registry.Configuration.__annotations__}
    return SimpleNamespace(**(given | {"segmenter": name}))


def _detected(truth: segmentation.Truth, detector: Detector) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.optimize import linear_sum_assignment

    found = detector.detect(truth.pixels)
    boxes = found.boxes
    rows = np.full(len(truth.known), -1)
    if len(boxes) and len(truth.known):
        shared = overlap(truth.boxes[: len(truth.known)], boxes)
        for row, column in zip(*linear_sum_assignment(-shared), strict=True):
            if shared[row, column] >= _SAME:
                rows[row] = column
    return boxes, rows, found.scores


def _table(results: list[dict[str, Any]], path: Path) -> None:
    measures = ("chromosomes", "mean_iou", "at_least_0.9", "boundary_f")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "segmenter", "boxes", "kind", *measures])
        for result in results:
            for kind in (*segmentation.KINDS, "all"):
                row = [result[kind].get(measure, "") for measure in measures]
                writer.writerow([result["source"], result["segmenter"], result["boxes"], kind, *row])
            crossing = result["crossing_itself"]
            writer.writerow(
                [result["source"], result["segmenter"], result["boxes"], "crossing itself", crossing["crossings"],
                 crossing["mean_iou"], "", ""]
            )  # fmt: skip
