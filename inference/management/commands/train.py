"""Train a detector, a crop classifier, a segmenter or a judge after a recipe, resumably."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference.datasets.cells import DatasetRefused
from inference.protocols import AnalysisError
from inference.training import interrupts, recipes
from inference.training.runs import Request, RunRefused, last_checkpoint, run


class Command(BaseCommand):
    help = "Train after a recipe. Stop it with Ctrl-C; the same command goes on from the last checkpoint."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("role", choices=recipes.ROLES)
        parser.add_argument("--recipe", metavar="NAME", help="; ".join(_listed()) + "; or the path of a .toml file")
        parser.add_argument("--data", type=Path, help="a dataset that `dataset import` wrote, or the public layout")
        parser.add_argument("--out", type=Path, help="default: training-runs/ROLE-RECIPE")
        parser.add_argument("--start", default="", metavar="WEIGHTS", help="weights to begin with")
        parser.add_argument(
            "--crops",
            type=Path,
            help="where the classifier's crops, the segmenter's scenes, the judge's candidates are or are to be made",
        )
        parser.add_argument("--drawn", type=Path, help="segmenter: cells with drawn masks, dapi/ and labels/")
        parser.add_argument(
            "--device", default="", help="cpu or cuda, for ultralytics' trainer cpu, 0, 0,1 …; the best by itself"
        )
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", dest="changes", help="change one number"
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--resume", action="store_const", const="resume", dest="mode", help="only if there is a run")
        how.add_argument("--fresh", action="store_const", const="fresh", dest="mode", help="put an earlier run aside")

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"]
        if not options["recipe"]:
            raise CommandError("Name a --recipe:\n" + "\n".join(f"  {line}" for line in _listed(role)))
        try:
            recipe = recipes.load(role, options["recipe"]).with_changes(options["changes"])
            out: Path = options["out"] or Path("training-runs") / f"{role}-{recipe.name}"
            request = Request(
                recipe,
                options["data"],
                out,
                options["start"],
                options["crops"],
                options["mode"] or "auto",
                options["device"],
                options["drawn"],
                shown=options["verbosity"] > 0,
            )
            card = run(request)
        except (recipes.RecipeRefused, RunRefused, DatasetRefused, AnalysisError) as refused:
            raise CommandError(str(refused)) from refused
        except interrupts.Stopped as stopped:
            where = self._where(out, recipe)
            kept = "Everything up to now is kept" if stopped.kept and where else "The last checkpoint stands"
            sentence = f"{kept} in {where}; the same command goes on" if where else "There was no checkpoint yet"
            raise CommandError(f"Stopped by {stopped}. {sentence}.", returncode=stopped.status) from stopped
        except interrupts.DiskFull as full:
            where = self._where(out, recipe)
            sentence = f"The last good checkpoint is kept in {where}" if where else "There was no checkpoint yet"
            raise CommandError(f"The disk is full. {sentence}. Make room, then run the same command again.") from full
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            raise CommandError(f"{what}{error.strerror or error}. The last checkpoint stands.") from error
        self.stdout.write(f"Finished. {out / 'run-card.md'} tells what was done:")
        for name, value in card.get("results", {}).get("last", {}).items():
            self.stdout.write(f"  {name} {value:g}")

    @staticmethod
    def _where(out: Path, recipe: recipes.Recipe) -> Path | None:
        path = last_checkpoint(out, recipe)
        return path if path.exists() else None


def _listed(only: str = "") -> list[str]:
    found = []
    for role in recipes.ROLES:
        for name in recipes.names(role) if only in ("", role) else ():
            found.append(f"{role} {name} ({recipes.load(role, name).about})".replace("%", "%%" if not only else "%"))
    return found
