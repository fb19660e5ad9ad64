"""The demonstration laboratory: invented people and patients, real cells (cells/README.md)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

CELLS = Path(__file__).resolve().parent / "cells"
LABORATORY = "Demonstration laboratory"


@dataclass(frozen=True)
class DemoPerson:
    username: str
    printed_name: str
    role: str
    password: str


@dataclass(frozen=True)
class DemoCase:
    accession_number: str
    identifier: str
    family_name: str
    given_name: str
    sex: str
    birth_date: datetime.date
    specimen: str
    indication: str
    cells: tuple[str, ...]


PEOPLE = (
    DemoPerson("tess", "Tess Okafor", "technologist", "metaphase-demo"),
    DemoPerson("sunil", "Sunil Rao", "supervisor", "karyogram-demo"),
    DemoPerson("ada", "Ada Brandt", "administrator", "laboratory-demo"),
)
CASES = (
    DemoCase(
        "26-01842", "MRN-004417", "Lindqvist", "Anna", "female", datetime.date(1985, 4, 2), "amniotic-flask",
        "Advanced maternal age", ("1055731.jpg", "1055732.jpg", "1055733.jpg", "1055734.jpg"),
    ),
    DemoCase(
        "26-01857", "MRN-005120", "Moreau", "Claire", "female", datetime.date(1991, 11, 23), "amniotic-flask",
        "Increased nuchal translucency on ultrasound", ("1101021.jpg", "1101022.jpg"),
    ),
)  # fmt: skip
