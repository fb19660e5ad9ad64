"""The shipped band tables are the public ones, complete, and say where each chromosome's centromere lies.

`python -m tests.domain.test_bands` writes the shipped file anew from the tables.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from cases.domain import bands

TABLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "bands"
CREDIT = "NCBI ideogram tables of GCF_000001305.14, as shipped in the npm package ideogram (public domain, CC0)"


def rows(level: int) -> list[dict[str, str]]:
    with (TABLES / f"ideogram_9606_GCF_000001305.14_{level}_V1.tsv").open(newline="") as table:
        return list(csv.DictReader(table, delimiter="\t"))


def converted() -> dict[str, Any]:
    """What the shipped file must hold: credit, and level → chromosome → [arm, band, ISCN stop, stain] from p to q."""
    found: dict[str, Any] = {}
    for level in bands.LEVELS:
        chromosomes: dict[str, list[Any]] = {}
        for row in rows(level):
            stain = row["stain"] + row["density"] if row["stain"] == "gpos" else row["stain"]
            entry = [row["arm"], row["band"], int(row["iscn_stop"]), stain]
            chromosomes.setdefault(row["#chromosome"], []).append(entry)
        found[str(level)] = chromosomes
    return {"credit": CREDIT, "levels": found}


def test_the_shipped_bands_are_those_of_the_public_tables() -> None:
    assert json.loads(bands.FILE.read_text()) == converted()


def test_bands_follow_each_other_without_gaps() -> None:
    """The 550 table leaves eight short stretches to no band: the next band then begins where the one before ends."""
    gaps = set()
    for level in bands.LEVELS:
        for label in bands.LABELS:
            found = bands.bands(label, level)
            table = [row for row in rows(level) if row["#chromosome"] == label]
            assert [(one.arm, one.name, one.stop) for one in found] == [
                (row["arm"], row["band"], int(row["iscn_stop"])) for row in table
            ]
            assert all(before.stop == after.start for before, after in zip(found, found[1:], strict=False))
            gaps |= {
                (level, label, one.arm + one.name)
                for one, row in zip(found, table, strict=True)
                if one.start != int(row["iscn_start"])
            }
    assert gaps == {
        (550, "7", "q11.21"), (550, "8", "q11.21"), (550, "11", "p11.12"), (550, "12", "q24.31"),
        (550, "18", "p11.2"), (550, "X", "p11.23"), (550, "X", "p11.1"), (550, "Y", "q11.21"),
    }  # fmt: skip


def test_centromeres_lie_where_the_textbooks_draw_them() -> None:
    """Metacentric 1, 3, 19, 20; submetacentric 4, 5; acrocentric 13, 14, 15."""
    assert all(0.4 < bands.centromere(label) < 0.52 for label in ("1", "3", "19", "20"))
    assert all(0.2 < bands.centromere(label) < 0.36 for label in ("4", "5"))
    assert all(bands.centromere(label) < 0.22 for label in ("13", "14", "15"))


def test_what_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        bands.bands("23", 550)
    with pytest.raises(KeyError):
        bands.bands("1", 600)


if __name__ == "__main__":
    lines = json.dumps(converted(), separators=(",", ":"))
    bands.FILE.write_text(lines.replace('"levels":{', '"levels":{\n').replace("]],", "]],\n") + "\n")
