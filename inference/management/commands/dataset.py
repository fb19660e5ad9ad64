"""Annotated cells in, as a YOLO dataset; signed cells out, for retraining."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.corrections import export
from inference.datasets.cells import DatasetRefused
from inference.datasets.importing import LAYOUTS, import_folder
from inference.datasets.split import SPLITS

_SHOWN = 20  # problems on the screen; report.json has all
_THINGS = {"cell": "cell(s)", "box": "box(es)", "name": "entry(ies) of a list"}


class Command(BaseCommand):
    help = "Import annotated cells (VOC, COCO, YOLO) as a YOLO dataset, or export signed cells for retraining."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        importing = verbs.add_parser("import", help="read DIR, write a YOLO dataset of links; DIR stays as it is")
        importing.add_argument("folder", type=Path, metavar="DIR")
        importing.add_argument("--out", type=Path, help="default: training-runs/datasets/NAME-OF-DIR")
        importing.add_argument("--layout", choices=LAYOUTS, default="auto")
        importing.add_argument(
            "--split",
            choices=SPLITS,
            default="case",
            help="case: no case on both sides, 85 to 15; paper: the official train list, 85 to 15 at random, and the "
            "official test list; official: the folder's own lists as they stand",
        )
        importing.add_argument("--seed", type=int, default=0)
        importing.add_argument(
            "--whole-cells", action="store_true", help="leave out every cell that has a box which cannot be used"
        )
        exporting = verbs.add_parser(
            "export-corrections", help="write the cells of signed cases as YOLO and COCO, without names and dates"
        )
        exporting.add_argument("--out", type=Path, required=True)
        exporting.add_argument("--since", type=date.fromisoformat, help="signed on this day or later, as 2026-11-22")
        exporting.add_argument("--laboratory", help="by its name; otherwise all")
        exporting.add_argument(
            "--margin",
            type=int,
            metavar="PIXELS",
            help="cut the pictures to this much around the chromosomes: takes off text that a camera wrote beside them",
        )
        exporting.add_argument(
            "--unknown",
            choices=("leave-out", "class"),
            default="leave-out",
            help="cells with a chromosome that nobody named: not in the YOLO lists, or with a 25th class “unknown”",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["verb"] == "import":
                self._import(options)
            else:
                self._export(options)
        except DatasetRefused as refused:
            raise CommandError(str(refused)) from refused
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            raise CommandError(f"{what}{error.strerror or error}. The dataset is not complete.") from error

    def _bar(self, options: dict[str, Any]) -> Any:
        from tqdm import tqdm

        return partial(tqdm, unit="cell", file=sys.stderr, disable=options["verbosity"] == 0, mininterval=0.5)

    def _import(self, options: dict[str, Any]) -> None:
        folder: Path = options["folder"]
        out: Path = options["out"] or Path("training-runs") / "datasets" / folder.resolve().name
        imported = import_folder(
            folder,
            out,
            layout=options["layout"],
            kind=options["split"],
            seed=options["seed"],
            whole_cells=options["whole_cells"],
            shown=self._bar(options),
        )
        report = imported.report
        problems = sorted(imported.problems, key=lambda problem: not problem.left_out)  # the worst first
        lists = ", ".join(f"{which} {count}" for which, count in report["lists"].items() if count)
        self.stdout.write(f"{report['cells']} of {report['found']} cells, {report['chromosomes']} chromosomes: {lists}")
        if report["split"]["note"]:
            self.stdout.write(report["split"]["note"])
        for problem in problems[:_SHOWN]:
            self.stdout.write(f"  {problem.file}: {problem.sentence}")
        if len(problems) > _SHOWN:
            self.stdout.write(f"  … and {len(problems) - _SHOWN} more.")
        self.stdout.write(f"The dataset is in {out}, every problem in {out / 'report.json'}.")
        if imported.left_out:
            raise CommandError(
                "Left out: "
                + ", ".join(f"{count} {_THINGS[thing]}" for thing, count in sorted(imported.left_out.items()))
                + ". The rest was imported and can be used."
            )

    def _export(self, options: dict[str, Any]) -> None:
        out: Path = options["out"]
        report = export(
            out,
            laboratory=options["laboratory"],
            since=options["since"],
            margin=options["margin"],
            unknown_class=options["unknown"] == "class",
            shown=self._bar(options),
        )
        lists = ", ".join(f"{which} {count}" for which, count in report["lists"].items() if count) or "none"
        self.stdout.write(f"{report['cells']} cells, {report['chromosomes']} chromosomes, in {out}. Lists: {lists}.")
        if report["only_in_coco"]:
            self.stdout.write(
                f"{len(report['only_in_coco'])} cell(s) with a chromosome that nobody named are in coco.json only "
                "(--unknown class puts them into the YOLO lists)."
            )
        for problem in report["problems"]:
            self.stdout.write(f"  {problem['file']}: {problem['sentence']}")
        if report["problems"]:
            raise CommandError(f"{len(report['problems'])} signed cell(s) could not be exported; the others were.")
