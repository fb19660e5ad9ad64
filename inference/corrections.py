"""The cells of signed cases as a dataset for retraining: `manage.py dataset export-corrections`."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cases.actions.export_signed_cells import export_signed_cells
from cases.reports.geometry import ring_mask
from cases.signed_cells import CellUnusable, signed_cells
from inference.datasets.cells import DatasetRefused, Problem
from inference.datasets.corrections import Writer
from inference.datasets.split import split
from inference.datasets.write import make_room, write_lists, write_report
from karyosite.accounts.models import Laboratory


def export(
    out: Path,
    *,
    laboratory: str | None = None,
    since: datetime.date | None = None,
    margin: int | None = None,
    unknown_class: bool = False,
    shown: Callable[[list[Any]], Iterable[Any]] = iter,
) -> dict[str, Any]:
    """Writes `out` and gives what its report.json says.  Raises DatasetRefused, OSError.

    laboratory: a name; None for all.  margin: cut pictures to this many pixels around the chromosomes.
    """
    laboratories = list(Laboratory.objects.order_by("name"))
    if laboratory is not None:
        laboratories = [lab for lab in laboratories if lab.name == laboratory]
        if not laboratories:
            raise DatasetRefused(f"There is no laboratory called “{laboratory}”. Nothing was written.")
    found = {lab: list(signed_cells(lab, since)) for lab in laboratories}
    # By name, which is chance: the order in the files tells nothing of when a cell came.
    cells = sorted((cell for several in found.values() for cell in several), key=lambda cell: cell.name)
    if not cells:
        raise DatasetRefused("No cell of a signed case fits. Nothing was written.")
    make_room(out)
    write_report(out, {"finished": False})
    for lab, several in found.items():
        if several:
            export_signed_cells(laboratory=lab, cells=several)
    writer, problems = Writer(out, ring_mask, margin=margin, unknown_class=unknown_class), []
    for cell in shown(cells):
        try:
            writer.add(cell.name, cell.pixels(), cell.document)
        except CellUnusable as unusable:
            problems.append(Problem(cell.name, str(unusable), "cell"))
    writer.finish()
    chosen = split("case", sorted(writer.places), {}, 0)
    write_lists(out, chosen, writer.places, writer.names)
    report = {
        "finished": True,
        "cells": len(cells) - len(problems),
        "chromosomes": writer.chromosomes,
        "only_in_coco": writer.unnamed,
        "lists": {which: len(members) for which, members in chosen.lists().items()},
        "problems": [asdict(problem) for problem in problems],
    }
    write_report(out, report)
    return report
