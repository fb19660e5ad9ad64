"""What a `karyosite.karyogram/1` document must be before it is stored (docs/karyogram-document.md)."""

from __future__ import annotations

import math
from typing import Any

SCHEMA = "karyosite.karyogram/1"
AUTOSOMES: tuple[str, ...] = tuple(str(number) for number in range(1, 23))
UNKNOWN = "unknown"
CLASSES: tuple[str, ...] = (*AUTOSOMES, "X", "Y")
LABELS: tuple[str, ...] = (*CLASSES, UNKNOWN)
ROLES: tuple[str, ...] = ("marker", "derivative")
MAX_CHROMOSOMES = 400  # tetraploid cells have 92; anything near this is not one cell
MAX_LOST = 4
MAX_AXIS = 64

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
# Absent means the default: not one of these, bent as it lies, no axis known.
_OPTIONAL = {"role", "straight", "axis", "centromere"}


class EditRefused(ValueError):
    """A change that a karyogram cannot take.  `sentence` is for the person who made it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def slot_of(chromosome: dict[str, Any]) -> str:
    """Its label while present, and `debris` while debris."""
    slot: str = chromosome["label"] if chromosome["state"] == "present" else "debris"
    return slot


def slots(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Slot name (1 … 22, X, Y, unknown, debris) → its chromosomes from the left.  Every slot is there, empty or not."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*LABELS, "debris")}
    for chromosome in document["chromosomes"]:
        found[slot_of(chromosome)].append(chromosome)
    for members in found.values():
        members.sort(key=lambda chromosome: chromosome["order"])
    return found


def check(document: Any) -> None:
    """Raises EditRefused, naming the first fault, unless the document is complete and consistent."""
    _need(isinstance(document, dict) and set(document) - {"lost"} == _DOCUMENT, "its parts are not the agreed ones")
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
    lost = document.get("lost", {})
    _need(
        isinstance(lost, dict)
        and all(key in CLASSES and _whole(number, 1) and number <= MAX_LOST for key, number in lost.items()),
        "what it counts as lost is not a class with a number",
    )
    chromosomes = document["chromosomes"]
    _need(isinstance(chromosomes, list), "its chromosomes are not a list")
    _need(len(chromosomes) <= MAX_CHROMOSOMES, f"it holds more than {MAX_CHROMOSOMES} chromosomes")
    places: dict[str, list[int]] = {}
    identifiers: set[str] = set()
    for chromosome in chromosomes:
        fault = chromosome_fault(chromosome)
        _need(not fault, fault)
        _need(chromosome["id"] not in identifiers, f"{chromosome['id']} is there twice")
        identifiers.add(chromosome["id"])
        places.setdefault(slot_of(chromosome), []).append(chromosome["order"])
    for slot, orders in places.items():
        _need(sorted(orders) == list(range(len(orders))), f"the places under {slot} have gaps")


def chromosome_fault(chromosome: Any) -> str:
    """What is wrong with one entry of a document, as half a sentence; empty where nothing is."""
    if not isinstance(chromosome, dict) or set(chromosome) - _OPTIONAL != _CHROMOSOME:
        return "not every part of a chromosome is there"
    name = chromosome["id"]
    if not isinstance(name, str) or not 0 < len(name) <= 32:
        return "a chromosome has no usable id"
    probabilities, flags = chromosome["probabilities"], chromosome["flags"]
    right = {
        "has no known label": isinstance(chromosome["label"], str) and chromosome["label"] in LABELS,
        "is neither present nor debris": chromosome["state"] in ("present", "debris"),
        "has no place": _whole(chromosome["order"], 0),
        "has no usable angle": _number(chromosome["angle"]) and 0 <= chromosome["angle"] < 360,
        "is neither flipped nor not": isinstance(chromosome["flip"], bool),
        "has no usable detection score": _share(chromosome["detection_score"]),
        "has no usable score": _share(chromosome["score"]),
        "has no usable probabilities": isinstance(probabilities, dict)
        and all(key in LABELS and _share(value) for key, value in probabilities.items()),
        "has unreadable flags": isinstance(flags, list) and all(isinstance(flag, str) for flag in flags),
        "is neither looked at nor not": isinstance(chromosome["reviewed"], bool),
        "has no source": chromosome["source"] in ("machine", "person"),
        "has no known role": chromosome.get("role", ROLES[0]) in ROLES,
        "is neither straightened nor not": chromosome.get("straight", True) is True,
    }
    for fault, fine in right.items():
        if not fine:
            return f"{name} {fault}"
    if "axis" in chromosome and chromosome["axis"] is None:
        return f"{name} has no usable axis"
    if "centromere" in chromosome and chromosome["centromere"] is None:
        return f"{name} has no usable centromere"
    shape = shape_fault(chromosome)
    return shape and f"{name} {shape}"


def shape_fault(shape: dict[str, Any]) -> str:
    """What is wrong with rings, box, axis and centromere of a chromosome, as half a sentence; axis and centromere may
    be absent or None.  Empty where nothing is."""
    rings = shape["rings"]
    if not isinstance(rings, list):
        return "has no outline"
    for ring in rings:
        if not isinstance(ring, list) or len(ring) < 3:
            return "has an outline of fewer than three points"
        if not all(_numbers(point, 2) for point in ring):
            return "has an outline that is not made of points"
    if not _numbers(shape["box"], 4):
        return "has no box"
    axis, centromere = shape.get("axis"), shape.get("centromere")
    if axis is not None and not (
        isinstance(axis, list) and 2 <= len(axis) <= MAX_AXIS and all(_numbers(point, 2) for point in axis)
    ):
        return "has no usable axis"
    if centromere is not None and not _share(centromere):
        return "has no usable centromere"
    return ""


def _need(true: bool, fault: str) -> None:
    if not true:
        raise EditRefused(f"The proposed karyogram cannot be used: {fault}.")


def _number(value: Any) -> bool:
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _share(value: Any) -> bool:
    return _number(value) and 0 <= value <= 1


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
