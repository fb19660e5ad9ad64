"""The reducer, by the table that the editor runs too, and by walks of chance."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.domain import karyogram as domain
from cases.domain.karyogram_document import ROLES, settled
from cases.domain.karyogram_edits import OPERATIONS
from tests.conftest import ROOT, chromosome, karyogram_document

TABLE = json.loads((ROOT / "tests" / "contracts" / "karyogram_edits.json").read_text())


@pytest.mark.parametrize("row", TABLE, ids=[row["name"] for row in TABLE])
def test_the_shared_table(row: dict[str, Any]) -> None:
    before = copy.deepcopy(row["document"])
    if row.get("refused"):
        with pytest.raises(domain.EditRefused) as refused:
            domain.apply(row["document"], row["edit"])
        assert refused.value.sentence.endswith(".")
    else:
        document, inverse = domain.apply(row["document"], row["edit"])
        assert document == row["result"]
        assert inverse == row["inverse"]
        assert domain.count(document) == row["count"]
        assert domain.doubts(document) == row["doubts"]
        assert domain.sex_complement(document) == row["sex_complement"]
        assert domain.apply(document, inverse).document == before
        domain.check(document)
    assert row["document"] == before, "the document that went in was changed"


def test_the_table_covers_every_operation_and_every_refusal() -> None:
    done = {row["edit"]["op"] for row in TABLE if not row.get("refused")}
    assert done == {*OPERATIONS, "replace", "batch"}
    assert sum(bool(row.get("refused")) for row in TABLE) >= 70


@pytest.mark.parametrize("angle", [math.nan, math.inf, -math.inf, 10**400, 1e300, True, None, "90", [90], 90j])
def test_what_is_no_angle_is_refused(angle: Any) -> None:
    with pytest.raises(domain.EditRefused):
        domain.apply(karyogram_document(), {"op": "rotate", "id": "c01", "angle": angle})


@pytest.mark.parametrize("value", [[], {}, None, 1, 1.0, ["1"], True])
@pytest.mark.parametrize("key", ["op", "id", "label"])
def test_unhashable_and_foreign_types_are_refused_and_not_tripped_over(key: str, value: Any) -> None:
    with pytest.raises(domain.EditRefused):
        domain.apply(karyogram_document(), {"op": "move", "id": "c01", "label": "1", "index": 0} | {key: value})


def walk_document() -> dict[str, Any]:
    document = karyogram_document()
    labels = ["1", "1", "2", "2", "8", "8", "8", "X", "Y", "unknown", "unknown", "21"]
    places: dict[str, int] = {}
    document["chromosomes"] = []
    for number, label in enumerate(labels, 1):
        place = places.setdefault(label, 0)
        flags = ["touches another"] if number % 3 == 0 else []
        document["chromosomes"].append(chromosome(f"c{number:02d}", label, place, flags=flags))
        places[label] += 1
    return document


NAMES = st.sampled_from([f"c{number:02d}" for number in range(1, 15)])  # two of them are not there at first
LABELS = st.sampled_from(domain.LABELS)
SHARE = st.floats(0, 1)
POINT = st.tuples(st.floats(0, 320), st.floats(0, 240)).map(list)
SHAPE = {
    "rings": st.lists(st.lists(POINT, min_size=3, max_size=5), max_size=2),
    "box": st.just([1.5, 2, 20, 40]),
    "axis": st.none() | st.lists(POINT, min_size=2, max_size=4),
    "centromere": st.none() | SHARE,
}


def a_new_one(identifier: str, label: str, state: str, shape: dict[str, Any], role: str) -> dict[str, Any]:
    optional = {key: shape[key] for key in ("axis", "centromere") if shape[key] is not None}
    optional |= {"role": role} if role else {}
    made = chromosome(identifier, label, 0, state=state, rings=shape["rings"], box=shape["box"], **optional)
    del made["order"]
    return made


NEW = st.builds(
    a_new_one,
    NAMES,
    LABELS,
    st.sampled_from(["present", "debris"]),
    st.fixed_dictionaries(SHAPE),
    st.sampled_from(["", *ROLES]),
)
SINGLE = st.one_of(
    st.fixed_dictionaries({"op": st.just("move"), "id": NAMES, "label": LABELS, "index": st.integers(0, 4)}),
    st.fixed_dictionaries({"op": st.just("debris"), "id": NAMES}),
    st.fixed_dictionaries({"op": st.just("flip"), "id": NAMES}),
    st.fixed_dictionaries(
        {"op": st.just("rotate"), "id": NAMES, "angle": st.floats(allow_nan=False, min_value=-1e6, max_value=1e6)}
    ),
    st.fixed_dictionaries({"op": st.just("review"), "id": NAMES, "reviewed": st.booleans()}),
    st.fixed_dictionaries(
        {
            "op": st.just("place"),
            "id": NAMES,
            "label": LABELS,
            "state": st.sampled_from(["present", "debris"]),
            "index": st.integers(0, 4),
            "reviewed": st.booleans(),
            "source": st.sampled_from(["machine", "person"]),
        }
    ),
    st.fixed_dictionaries({"op": st.just("swap"), "id": NAMES, "other": NAMES}),
    st.fixed_dictionaries({"op": st.just("mark"), "id": NAMES, "role": st.sampled_from(["", *ROLES])}),
    st.fixed_dictionaries({"op": st.just("straighten"), "id": NAMES, "straight": st.booleans()}),
    st.fixed_dictionaries({"op": st.just("lost"), "label": LABELS, "count": st.integers(0, 5)}),
    st.fixed_dictionaries({"op": st.just("reshape"), "id": NAMES, **SHAPE}),
    st.fixed_dictionaries({"op": st.just("add"), "chromosome": NEW, "index": st.integers(0, 2)}),
    st.fixed_dictionaries({"op": st.just("remove"), "id": NAMES}),
)
EDIT = st.one_of(SINGLE, st.fixed_dictionaries({"op": st.just("batch"), "edits": st.lists(SINGLE, max_size=4)}))


def names(document: dict[str, Any]) -> set[str]:
    return {entry["id"] for entry in document["chromosomes"]}


def named(edit: dict[str, Any], op: str) -> set[str]:
    """Whom the last add or remove of an edit speaks of, where it is of this kind."""
    last: dict[str, str] = {}
    for single in edit.get("edits", [edit]):
        if single["op"] in ("add", "remove"):
            last[single.get("id") or single["chromosome"]["id"]] = single["op"]
    return {identifier for identifier, kind in last.items() if kind == op}


@settings(max_examples=200, deadline=None)
@given(st.lists(EDIT, max_size=12))
def test_any_walk_stays_valid_loses_nothing_and_can_be_walked_back(edits: list[dict[str, Any]]) -> None:
    start = walk_document()
    document, way_back = start, []
    for edit in edits:
        before = copy.deepcopy(document)
        try:
            after, inverse = domain.apply(document, edit)
        except domain.EditRefused:
            assert document == before
            continue
        assert document == before
        domain.check(after)  # orders are dense, angles in range, every key there
        assert names(after) == (names(before) - named(edit, "remove")) | named(edit, "add")
        assert domain.apply(after, inverse).document == before
        assert json.loads(json.dumps(inverse, allow_nan=False)) == inverse
        document = after
        way_back.append(inverse)
    for inverse in reversed(way_back):
        document = domain.apply(document, inverse).document
    assert document == start


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
KEYS = st.sampled_from(["op", "id", "label", "index", "edits", "angle", "document"])


@settings(max_examples=300, deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=8))
def test_rubbish_is_refused_with_a_sentence(edit: Any) -> None:
    document = walk_document()
    with pytest.raises(domain.EditRefused):
        domain.apply(document, edit)
    assert document == walk_document()


@given(st.floats(min_value=-1e8, max_value=1e8))
def test_angles_come_out_between_nought_and_a_full_turn(angle: float) -> None:
    turned = domain.upright_angle(angle)
    assert 0 <= turned < 360
    assert math.copysign(1, turned) == 1
    assert domain.upright_angle(turned) == turned


def test_numbers_of_a_cell() -> None:
    document = karyogram_document()
    assert (domain.count(document), domain.doubts(document), domain.sex_complement(document)) == (5, 1, "X")
    document["chromosomes"][3]["state"] = "debris"
    document["chromosomes"][3]["order"] = 0
    assert (domain.count(document), domain.sex_complement(document)) == (4, "")
    many = walk_document()
    many["chromosomes"].append(chromosome("c13", "X", 1))
    assert domain.sex_complement(many) == "XXY"


def test_a_forty_seventh_chromosome_and_a_missing_x_survive() -> None:
    document = walk_document()
    extra, _ = domain.apply(document, {"op": "move", "id": "c10", "label": "21", "index": 1})
    assert [entry["id"] for entry in domain.slots(extra)["21"]] == ["c12", "c10"]
    without, _ = domain.apply(document, {"op": "debris", "id": "c08"})
    assert domain.slots(without)["X"] == []
    assert domain.sex_complement(without) == "Y"


def test_the_sheet_has_every_label_once() -> None:
    shown = [label for row in domain.SHEET_ROWS for group in row for label in group]
    assert [*shown, "unknown"] == list(domain.LABELS)


FAULTS: dict[str, Any] = {
    "an unknown schema": lambda d: d.update({"schema": "karyosite.karyogram/2"}),
    "an extra part": lambda d: d.update({"extra": 1}),
    "no image": lambda d: d.pop("image"),
    "a short hash": lambda d: d["image"].update({"sha256": "ab"}),
    "width as a fraction": lambda d: d["image"].update({"width": 10.5}),
    "a model without version": lambda d: d["models"][0].pop("version"),
    "two of one id": lambda d: d["chromosomes"][1].update({"id": "c01"}),
    "a gap in the order": lambda d: d["chromosomes"][1].update({"order": 2}),
    "two at one place": lambda d: d["chromosomes"][1].update({"order": 0}),
    "a label of its own": lambda d: d["chromosomes"][0].update({"label": "A1"}),
    "NaN angle": lambda d: d["chromosomes"][0].update({"angle": math.nan}),
    "a full turn": lambda d: d["chromosomes"][0].update({"angle": 360.0}),
    "infinite box": lambda d: d["chromosomes"][0].update({"box": [0, 0, math.inf, 1]}),
    "a ring of two points": lambda d: d["chromosomes"][0].update({"rings": [[[0, 0], [1, 1]]]}),
    "a point of three": lambda d: d["chromosomes"][0].update({"rings": [[[0, 0, 0], [1, 1, 1], [2, 2, 2]]]}),
    "score above one": lambda d: d["chromosomes"][0].update({"score": 1.2}),
    "a probability of debris": lambda d: d["chromosomes"][0].update({"probabilities": {"debris": 0.2}}),
    "flags as text": lambda d: d["chromosomes"][0].update({"flags": "doubt"}),
    "a role of its own": lambda d: d["chromosomes"][0].update({"role": "ring"}),
    "an axis of one point": lambda d: d["chromosomes"][0].update({"axis": [[1, 1]]}),
    "a centromere off the axis": lambda d: d["chromosomes"][0].update({"centromere": 1.5}),
    "unknown ones lost": lambda d: d.update({"lost": {"unknown": 1}}),
    "none lost, but said": lambda d: d.update({"lost": {"8": 0}}),
    "no source": lambda d: d["chromosomes"][0].update({"source": ""}),
    "too many": lambda d: d.update({"chromosomes": [chromosome(f"c{n}", "1", n) for n in range(500)]}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_document_is_refused(name: str) -> None:
    document = karyogram_document()
    domain.check(document)
    FAULTS[name](document)
    with pytest.raises(domain.EditRefused):
        domain.check(document)
    with pytest.raises(domain.EditRefused):
        domain.apply(karyogram_document(), {"op": "replace", "document": document})


def test_a_settled_document_gives_back_exactly_what_was_there() -> None:
    document = karyogram_document()
    document["chromosomes"][0]["angle"] = 12.345678
    document["chromosomes"][1]["angle"] = 359.9999
    stored = settled(document)
    assert [entry["angle"] for entry in stored["chromosomes"][:2]] == [12.35, 0.0]
    turned, inverse = domain.apply(stored, {"op": "rotate", "id": "c01", "angle": 45})
    assert domain.apply(turned, inverse).document == stored
