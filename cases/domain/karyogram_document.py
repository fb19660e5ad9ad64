"""What a `karyosite.karyogram/1` document must be before it is stored (docs/karyogram-document.md)."""

from __future__ import annotations

import math
from typing import Any

SCHEMA = "karyosite.karyogram/1"
AUTOSOMES: tuple[str, ...] = tuple(str(number) for number in range(1, 23))
UNKNOWN = "unknown"
LABELS: tuple[str, ...] = (*AUTOSOMES, "X", "Y", UNKNOWN)
MAX_CHROMOSOMES = 400  # tetraploid cells have 92; anything near this is not one cell

_DOCUMENT = {"schema", "image", "models", "note", "chromosomes"}
_IMAGE = {"sha256", "page", "width", "height"}
_MODEL = {"role", "name", "version", "sha256"}
_CHROMOSOME = {
    "id",
    "label",
    "state",
    "order",
    "rings",
    "box",
    "angle",
    "flip",
    "detection_score",
    "score",
    "probabilities",
    "flags",
    "reviewed",
    "source",
}


class EditRefused(ValueError):
    """A change that a karyogram cannot take.  `sentence` is for the person who made it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def slot_of(chromosome: dict[str, Any]) -> str:
    """Its label while present, and `debris` while debris."""
    slot: str = chromosome["label"] if chromosome["state"] == "present" else "debris"
    return slot


def check(document: Any) -> None:
    """Raises EditRefused, naming the first fault, unless the document is complete and consistent."""
    _need(isinstance(document, dict) and set(document) == _DOCUMENT, "its parts are not the agreed ones")
    _need(document["schema"] == SCHEMA, "its schema is not " + SCHEMA)
    _need(isinstance(document["note"], str), "its note is not text")
    image = document["image"]
    _need(isinstance(image, dict) and set(image) == _IMAGE, "it does not name its image")
    _need(isinstance(image["sha256"], str) and len(image["sha256"]) == 64, "its image has no SHA-256")
    _need(_whole(image["page"], 0) and _whole(image["width"], 1) and _whole(image["height"], 1), "its image size")
    _need(isinstance(document["models"], list), "its models are not a list")
    for model in document["models"]:
        _need(isinstance(model, dict) and set(model) == _MODEL, "a model of it is not fully named")
        _need(all(isinstance(text, str) for text in model.values()), "a model of it is not fully named")
    chromosomes = document["chromosomes"]
    _need(isinstance(chromosomes, list), "its chromosomes are not a list")
    _need(len(chromosomes) <= MAX_CHROMOSOMES, f"it holds more than {MAX_CHROMOSOMES} chromosomes")
    places: dict[str, list[int]] = {}
    identifiers: set[str] = set()
    for chromosome in chromosomes:
        _check_chromosome(chromosome)
        _need(chromosome["id"] not in identifiers, f"{chromosome['id']} is there twice")
        identifiers.add(chromosome["id"])
        places.setdefault(slot_of(chromosome), []).append(chromosome["order"])
    for slot, orders in places.items():
        _need(sorted(orders) == list(range(len(orders))), f"the places under {slot} have gaps")


def _check_chromosome(chromosome: Any) -> None:
    _need(isinstance(chromosome, dict) and set(chromosome) == _CHROMOSOME, "a chromosome of it is not complete")
    name = chromosome["id"]
    _need(isinstance(name, str) and 0 < len(name) <= 32, "a chromosome of it has no usable id")
    _need(isinstance(chromosome["label"], str) and chromosome["label"] in LABELS, f"{name} has no known label")
    _need(chromosome["state"] in ("present", "debris"), f"{name} is neither present nor debris")
    _need(_whole(chromosome["order"], 0), f"{name} has no place")
    _need(isinstance(chromosome["rings"], list), f"{name} has no outline")
    for ring in chromosome["rings"]:
        _need(isinstance(ring, list) and len(ring) >= 3, f"an outline of {name} has fewer than three points")
        _need(all(_numbers(point, 2) for point in ring), f"an outline of {name} is not made of points")
    _need(_numbers(chromosome["box"], 4), f"{name} has no box")
    _need(_number(chromosome["angle"]) and 0 <= chromosome["angle"] < 360, f"{name} has no usable angle")
    _need(isinstance(chromosome["flip"], bool), f"{name} is neither flipped nor not")
    for key in ("detection_score", "score"):
        _need(_number(chromosome[key]) and 0 <= chromosome[key] <= 1, f"{name} has no usable {key.replace('_', ' ')}")
    probabilities = chromosome["probabilities"]
    _need(isinstance(probabilities, dict), f"{name} has no probabilities")
    _need(
        all(key in LABELS and _number(value) and 0 <= value <= 1 for key, value in probabilities.items()),
        f"{name} has probabilities out of range",
    )
    flags = chromosome["flags"]
    _need(isinstance(flags, list) and all(isinstance(flag, str) for flag in flags), f"{name} has unreadable flags")
    _need(isinstance(chromosome["reviewed"], bool), f"{name} is neither looked at nor not")
    _need(chromosome["source"] in ("machine", "person"), f"{name} has no source")


def _need(true: bool, fault: str) -> None:
    if not true:
        raise EditRefused(f"The proposed karyogram cannot be used: {fault}.")


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _whole(value: Any, least: int) -> bool:
    return type(value) is int and value >= least


def _numbers(values: Any, length: int) -> bool:
    return isinstance(values, list) and len(values) == length and all(_number(value) for value in values)


def settled(document: dict[str, Any]) -> dict[str, Any]:
    """The document with angles in hundredths, as every later change leaves them, so that undo gives back exactly
    what was there.  Raises EditRefused where the document is not valid."""
    check(document)
    chromosomes = [
        chromosome | {"angle": round(float(chromosome["angle"]), 2) % 360.0} for chromosome in document["chromosomes"]
    ]
    return document | {"chromosomes": chromosomes}
