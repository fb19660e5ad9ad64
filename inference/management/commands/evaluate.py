"""Figures of the configured models on annotated cells."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference import registry
from inference.backends.crop_classifier import CropClassifier
from inference.backends.yolov10 import Yolov10Detector
from inference.evaluation import altered, boxes, measures, pooling, presence
from inference.evaluation.calibration import choose as choose_confidence
from inference.evaluation.cells import Table, evaluate, evenly
from inference.evaluation.looked import look
from inference.evaluation.source import SourceError, read_cells
from inference.evaluation.threshold import choose
from inference.pipeline import analyse
from inference.protocols import AnalysisError, Proposal
from inference.stages.assign import name_cell, name_each
from inference.stages.confidence import Calibration
from inference.training.cil import AnnotatedCell
from karyosite.env import environment
from karyosite.imaging import ImageRefused, read_grey

_LEFT_OUT = ("classifier", "assign")


class Command(BaseCommand):
    help = "Hold the configured models against annotated cells: metrics.json, tables, figures and the worst cells."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "dataset", type=Path, metavar="DATASET", help="folder in the public layout or a YOLO layout"
        )
        parser.add_argument("--split", default="val", metavar="FILE", help="list of names, one a line; default val.txt")
        parser.add_argument("--out", type=Path, default=Path("evaluation"), metavar="DIR", help="made if not there")
        parser.add_argument("--limit", type=int, default=0, help="this many cells, evenly spread; 0 for all")
        parser.add_argument("--worst", type=int, default=12, help="this many of the worst cells as pictures")
        parser.add_argument(
            "--without", default="", metavar="STAGES", help="leave out classifier, assign, or both (with a comma)"
        )
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--choose-threshold",
            action="store_true",
            help="instead, find the detector's threshold and merging that give the most exact counts",
        )
        instead.add_argument(
            "--choose-pooling",
            action="store_true",
            help="instead, find how far to trust the detector beside the crop classifier",
        )
        instead.add_argument(
            "--choose-confidence",
            action="store_true",
            help="instead, fit what the models' scores are worth, and below what a chromosome stays unnamed",
        )

        instead.add_argument(
            "--choose-presence",
            action="store_true",
            help="instead, fit how the detector's candidates are judged once they have been cut and looked at",
        )
        instead.add_argument(
            "--altered",
            action="store_true",
            help="instead, take a chromosome out of cells that come out right, or make one a third of its like, "
            "and say in how many that comes through",
        )
        instead.add_argument(
            "--choose-boxes",
            action="store_true",
            help="instead, fit how boxes are drawn around the cut-outs; take cells that nothing is judged by",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        left_out = {word.strip() for word in options["without"].split(",") if word.strip()}
        if left_out - set(_LEFT_OUT):
            raise CommandError(f"Only these stages can be left out: {', '.join(_LEFT_OUT)}.")
        try:
            cells, missing = read_cells(options["dataset"], options["split"])
            detector, segmenter = registry.detector(environment), registry.segmenter(environment)
            classifier = None if "classifier" in left_out else registry.classifier(environment)
            judge = registry.judge(environment, detector, segmenter, classifier)
            calibration = registry.calibration(detector, classifier, segmenter)
            if options["choose_confidence"]:
                calibration = Calibration()
        except (SourceError, AnalysisError) as error:
            raise CommandError(str(error)) from error
        if missing:
            named = ", ".join(missing[:6]) + (" …" if len(missing) > 6 else "")
            self.stderr.write(f"{len(missing)} on the list have no picture or no annotation, and are left out: {named}")
        shown = self._shown(evenly(cells, options["limit"]), options)
        if options["choose_threshold"]:
            if not isinstance(detector, Yolov10Detector):
                raise CommandError("The configured detector has no threshold to choose.")
            chosen = choose((*detector.raw(read_grey(cell.image)), len(cell.boxes)) for cell in shown)
            self.stdout.write(json.dumps(chosen, indent=2))
            return
        if options["choose_pooling"]:
            if not isinstance(classifier, CropClassifier):
                raise CommandError("No crop classifier is configured.")
            looked = []
            for cell in shown:
                pixels = read_grey(cell.image)
                found = detector.detect(pixels)
                looked.append(
                    pooling.see(cell, pixels, found, segmenter.segment(pixels, found.boxes, found.scores), classifier)
                )
            self.stdout.write(json.dumps(pooling.choose(looked), indent=2))
            return
        if options["choose_presence"]:
            looked_at = [
                presence.look(read_grey(cell.image), cell.boxes, detector, segmenter, classifier, calibration.frame)
                for cell in shown
            ]
            try:
                self.stdout.write(json.dumps(presence.choose(looked_at), indent=2))
            except ValueError as error:
                raise CommandError(str(error)) from error
            return
        if options["altered"]:
            frame, leftover = calibration.frame, judge is not None
            to_alter = (
                altered.Annotated(
                    **vars(look(read_grey(cell.image), detector, segmenter, classifier, frame, leftover=leftover)),
                    truth=cell.boxes,
                    classes=cell.classes,
                )
                for cell in shown
            )
            self.stdout.write(json.dumps(altered.measure(to_alter, judge, calibration), indent=2))
            return
        if options["choose_boxes"]:
            try:
                self.stdout.write(json.dumps(boxes.choose(shown, detector, segmenter), indent=2))
            except ValueError as error:
                raise CommandError(str(error)) from error
            return
        run = partial(
            analyse,
            detector=detector,
            segmenter=segmenter,
            classifier=classifier,
            judge=judge,
            calibration=calibration,
            namer=name_each if "assign" in left_out else name_cell,
        )
        try:
            observations = evaluate(shown, lambda cell: _analysed(cell, run))
        except (ImageRefused, AnalysisError) as error:
            raise CommandError(str(error)) from error
        if options["choose_confidence"]:
            try:
                self.stdout.write(json.dumps(choose_confidence(observations), indent=2))
            except ValueError as error:
                raise CommandError(str(error)) from error
            return
        metrics = measures.measures(observations, cells)
        metrics["models"] = [asdict(model.info) for model in (detector, segmenter, classifier, judge) if model]
        metrics |= {"split": options["split"], "limit": options["limit"], "without": sorted(left_out)}
        metrics["left_out_of_the_list"] = missing
        self._write(observations, metrics, options["out"], options["worst"])
        self.stdout.write(json.dumps(metrics, indent=2))

    def _shown(self, cells: list[AnnotatedCell], options: dict[str, Any]) -> Iterable[AnnotatedCell]:
        from tqdm import tqdm

        shown: Iterable[AnnotatedCell] = tqdm(cells, unit="cell", file=sys.stderr, disable=options["verbosity"] == 0)
        return shown

    def _write(self, observations: list[Any], metrics: dict[str, Any], out: Path, most_worst: int) -> None:
        from inference.evaluation.figures import draw_all
        from inference.evaluation.worst import write_worst

        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
            for name, table in {
                "by-class": metrics["by_class"],
                "by-group": metrics["by_group"],
                "by-stage": metrics["stages"],
                "by-threshold": measures.by_threshold(observations),
                "by-cell": measures.by_cell(observations),
            }.items():
                _csv(out / f"{name}.csv", table)
            draw_all(observations, metrics, out)
            write_worst(observations, out, most_worst)
        except OSError as error:
            raise CommandError(f"The figures cannot be written to {out}: {error.strerror or error}.") from error


def _analysed(cell: AnnotatedCell, run: Callable[..., Proposal]) -> Proposal:
    pixels = read_grey(cell.image)
    digest = hashlib.sha256(cell.image.read_bytes()).hexdigest()
    facts = {"sha256": digest, "page": 0, "width": pixels.shape[1], "height": pixels.shape[0]}
    return run(pixels, image_facts=facts)


def _csv(path: Path, table: Table) -> None:
    if not table:
        return
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
