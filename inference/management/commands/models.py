"""The shipped models: list them, check them, export one for the CPU."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.backends import weights
from inference.protocols import AnalysisError


class Command(BaseCommand):
    help = "List or verify the shipped models, or export a detector checkpoint to ONNX for the CPU."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="name, version, role and fingerprints")
        verbs.add_parser("verify", help="compare every file with its fingerprint; exit status 1 if one differs")
        export = verbs.add_parser("export", help="write CHECKPOINT as ONNX")
        export.add_argument("checkpoint", type=Path)
        export.add_argument("target", type=Path)
        export.add_argument("--side", type=int, default=640, help="side of the detector's square in pixels")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "list":
            self._list()
        elif options["verb"] == "verify":
            self._verify()
        else:
            self._export(options["checkpoint"], options["target"], options["side"])

    def _list(self) -> None:
        for entry in weights.entries():
            self.stdout.write(f"{entry['name']} {entry['version']} · {entry['role']} · {entry['licence']}")
            for kind, listed in entry["files"].items():
                self.stdout.write(f"  {kind}: {listed['file']} sha256 {listed['sha256']}")
            self.stdout.write(f"  trained on: {entry['training_data']}")
            self.stdout.write("  " + ", ".join(f"{name} {value}" for name, value in entry["metrics"].items()))

    def _verify(self) -> None:
        faults = []
        for entry in weights.entries():
            for path, sha256 in weights.files(entry):
                sentence = weights.fault(path, sha256)
                self.stdout.write(f"{path.name}: {sentence or 'whole'}")
                faults += [sentence] if sentence else []
        if faults:
            raise CommandError(f"{len(faults)} model file(s) cannot be used.")

    def _export(self, checkpoint: Path, target: Path, side: int) -> None:
        from inference.backends.export import export_onnx

        try:
            export_onnx(checkpoint, target, side)
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{target} sha256 {weights.fingerprint(target)}")
