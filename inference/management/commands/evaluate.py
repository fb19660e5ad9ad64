"""Figures of the configured models on annotated cells."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference import registry
from inference.backends.crop_classifier import CropClassifier
from inference.backends.yolov10 import Yolov10Detector
from inference.evaluation import pooling
from inference.evaluation.cells import evaluate, evenly
from inference.evaluation.threshold import choose
from inference.pipeline import analyse
from inference.protocols import AnalysisError, Proposal
from inference.training.cil import AnnotatedCell, read_split
from karyosite.env import environment
from karyosite.imaging import read_grey


class Command(BaseCommand):
    help = "Run the configured models over annotated cells (the CIL:54816 layout) and write metrics.json."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder with val.txt and 24_chromosomes_object/")
        parser.add_argument("--split", default="val")
        parser.add_argument("--limit", type=int, default=0, help="this many cells, evenly spread; 0 for all")
        parser.add_argument("--out", type=Path, default=Path("metrics.json"))
        parser.add_argument(
            "--choose-threshold",
            action="store_true",
            help="instead, find the detector's threshold and merging that give the most exact counts",
        )

        parser.add_argument(
            "--choose-pooling",
            action="store_true",
            help="instead, find how far to trust the detector beside the crop classifier",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tqdm import tqdm

        try:
            cells = evenly(read_split(options["data"], options["split"]), options["limit"])
            detector, segmenter = registry.detector(environment), registry.segmenter(environment)
            classifier = registry.classifier(environment)
        except FileNotFoundError as error:
            raise CommandError(f"There is no {error.filename}. Set --data to the folder that holds it.") from error
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        if not cells:
            raise CommandError(f"No annotated cell of {options['split']} is in {options['data']}.")
        shown = tqdm(cells, unit="cell", file=sys.stderr, disable=options["verbosity"] == 0)
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
                looked.append(pooling.see(cell, pixels, found, segmenter.segment(pixels, found.boxes), classifier))
            self.stdout.write(json.dumps(pooling.choose(looked), indent=2))
            return

        def analyse_cell(cell: AnnotatedCell) -> Proposal:
            pixels = read_grey(cell.image)
            digest = hashlib.sha256(cell.image.read_bytes()).hexdigest()
            facts = {"sha256": digest, "page": 0, "width": pixels.shape[1], "height": pixels.shape[0]}
            return analyse(pixels, detector=detector, segmenter=segmenter, classifier=classifier, image_facts=facts)

        metrics = evaluate(shown, analyse_cell).metrics()
        metrics["models"] = [asdict(model.info) for model in (detector, segmenter, classifier) if model]
        metrics["split"], metrics["limit"] = options["split"], options["limit"]
        text = json.dumps(metrics, indent=2)
        options["out"].write_text(text + "\n")
        self.stdout.write(text)
