"""ultralytics' own trainer, with checkpoints that are whole or not there, and a stop that signals understand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from inference.training import interrupts
from inference.training.recipes import RecipeRefused


def checkpoint(out: Path) -> Path:
    return out / "weights" / "last.pt"


def finished(out: Path) -> bool:
    """Whether the last checkpoint is one that ultralytics has stripped of what resuming needs."""
    import torch

    found: dict[str, Any] = torch.load(checkpoint(out), map_location="cpu", weights_only=False)
    return found.get("optimizer") is None


def train(*, data: Path, start: str, out: Path, seed: int, device: str, numbers: dict[str, Any]) -> None:
    """Train a YOLO model, or go on from out/weights/last.pt where that is there.

    data: a folder with data.yaml.  start: pretrained weights, "" for random ones.  numbers: ultralytics' own settings.
    Raises RecipeRefused for a setting that ultralytics does not know, interrupts.Stopped.
    """
    # ultralytics looks for the internet and for packages to install unless it is told not to.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.utils.checks import check_yaml

    settings = {"plots": False} | numbers
    model = str(settings.pop("model", ""))
    try:
        settings["model"] = check_yaml(model) if model.endswith((".yaml", ".yml")) else model
    except FileNotFoundError:
        raise RecipeRefused(f"ultralytics knows no model “{model}”.") from None
    settings |= {"data": str((data / "data.yaml").resolve()), "seed": seed, "device": device or None}
    settings |= {
        "save_dir": str(out.resolve()),
        "project": str(out.resolve().parent),
        "name": out.name,
        "exist_ok": True,
    }
    settings["pretrained"] = start or False
    last = checkpoint(out)
    if last.exists():
        settings |= {"resume": str(last.resolve()), "model": str(last.resolve())}
    try:
        trainer: Any = DetectionTrainer(overrides=settings)
    except (SyntaxError, TypeError, ValueError) as error:
        raise RecipeRefused(f"ultralytics refuses a setting of this recipe: {error}") from error
    trainer.last, trainer.best = interrupts.WholePath(trainer.last), interrupts.WholePath(trainer.best)

    def between_batches(_: Any) -> None:
        interrupts.pause_point()

    trainer.add_callback("on_train_batch_end", between_batches)
    trainer.train()
