"""The public CIL:54816 layout: Pascal VOC XML beside pictures; other VOC folders are read alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from inference.datasets.cells import DatasetRefused, RawCell, Reading, pictures, read_lists, report_names_without_cell

_HOMES = ("24_chromosomes_object", ".")
_PICTURES = ("JEPG", "JPEGImages", "JPEG", "images", ".")  # the public download spells it JEPG
_ANNOTATIONS = ("annotations", "Annotations")
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def folders(root: Path) -> tuple[Path, Path] | None:
    """Where the pictures and the annotations lie, or None where this is no such layout."""
    for home in (root / name for name in _HOMES):
        for described in (home / name for name in _ANNOTATIONS):
            if described.is_dir() and (home != root or any(described.glob("*.xml"))):
                found = next((home / name for name in _PICTURES if (home / name).is_dir()), home)
                return found, described
    return None


def read(root: Path) -> Reading:
    """Raises DatasetRefused where the folder has no annotations."""
    found = folders(root)
    if found is None:
        raise DatasetRefused(
            f"{root} has no folder of VOC annotations (24_chromosomes_object/annotations with .xml files)."
        )
    shown, described = pictures(found[0]), {path.stem: path for path in sorted(found[1].glob("*.xml"))}
    reading = Reading("cil")
    for name in sorted(shown.keys() | described.keys()):
        if name not in described:
            reading.problem(shown[name], root, "There is no annotation (XML) for this picture.", "cell")
        elif name not in shown:
            reading.problem(described[name], root, "The picture of this annotation is missing.", "cell")
        else:
            _read_cell(name, shown[name], described[name], root, reading)
    read_lists(root, reading)
    report_names_without_cell(root, reading)
    return reading


def _read_cell(name: str, image: Path, annotation: Path, root: Path, reading: Reading) -> None:
    try:
        objects = list(ElementTree.parse(annotation).getroot().iter("object"))
    except (OSError, ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        reading.problem(annotation, root, f"This annotation cannot be read as XML: {error}.", "cell")
        return
    boxes, names = [], []
    for number, annotated in enumerate(objects, 1):
        corner = annotated.find("bndbox")
        label = (annotated.findtext("name") or "").strip()
        try:
            boxes.append([float(corner.findtext(key) or "") for key in _CORNERS])  # type: ignore[union-attr]
        except (AttributeError, ValueError):
            sentence = f"Object {number} ({label or 'without a name'}) has no box of four numbers."
            reading.problem(annotation, root, sentence, "box")
            continue
        names.append(label)
    source = annotation.relative_to(root).as_posix()
    reading.add(RawCell(name, image, source, np.array(boxes, np.float64).reshape(-1, 4), tuple(names)))
