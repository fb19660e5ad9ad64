"""The editor's reducer and the server's are one: the shared table, and long random walks."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from cases.domain import karyogram as domain
from tests.browser import ROOT, module_page
from tests.conftest import chromosome as make_chromosome
from tests.conftest import karyogram_document

TABLE = json.loads((ROOT / "tests" / "contracts" / "karyogram_edits.json").read_text())
APPLY = """async (rows) => {
  const reducer = await import("/reducer.js");
  return rows.map(({ document, edit }) => {
    const before = JSON.stringify(document);
    try {
      const { document: result, inverse } = reducer.apply(document, edit);
      return {
        result, inverse, untouched: before === JSON.stringify(document),
        count: reducer.count(result), doubts: reducer.doubts(result), sex_complement: reducer.sexComplement(result),
      };
    } catch (error) {
      if (!(error instanceof reducer.EditRefused)) throw error;
      return { refused: error.message, untouched: before === JSON.stringify(document) };
    }
  });
}"""


@pytest.fixture
def modules(browser_page: Any) -> Any:
    return module_page(browser_page)


def test_the_shared_table(modules: Any) -> None:
    assert len(TABLE) > 130
    answers = modules.evaluate(APPLY, [{"document": row["document"], "edit": row["edit"]} for row in TABLE])
    for row, answer in zip(TABLE, answers, strict=True):
        assert answer.pop("untouched"), row["name"]
        if "refused" in row:
            with pytest.raises(domain.EditRefused) as refusal:
                domain.apply(row["document"], row["edit"])
            assert answer == {"refused": refusal.value.sentence}, row["name"]
        else:
            expected = {key: row[key] for key in ("result", "inverse", "count", "doubts", "sex_complement")}
            assert answer == expected, row["name"]


def shape(dice: random.Random) -> dict[str, Any]:
    corners = [[round(dice.uniform(0, 300), 2), round(dice.uniform(0, 200), 2)] for _ in range(dice.randint(2, 6))]
    axis = dice.choice([None, corners[:2]])
    return {"rings": [corners], "box": [1, 2, 30, 40], "axis": axis, "centromere": axis and dice.random()}


def random_edit(dice: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """Mostly possible, sometimes not: both reducers must refuse the same."""
    chromosome = dice.choice([*document["chromosomes"], {"id": "c99", "order": 0, "label": "1"}])
    label = dice.choice([*domain.LABELS, "1", "8", "X", "23"])
    one = {"id": chromosome["id"]}
    kinds = [
        "move",
        "move",
        "move",
        "debris",
        "rotate",
        "flip",
        "review",
        "place",
        "swap",
        "mark",
        "straighten",
        "lost",
    ]
    match dice.choice([*kinds, "reshape", "add", "remove", "batch"]):
        case "move":
            return {"op": "move", **one, "label": label, "index": dice.choice([0, 0, 0, 1, 1, 2, 3, -1])}
        case "debris":
            return {"op": "debris", **one}
        case "rotate":
            return {
                "op": "rotate",
                **one,
                "angle": dice.choice([dice.uniform(-800, 800), 359.996, -0.004, 0.005, 1e10]),
            }
        case "flip":
            return {"op": "flip", **one}
        case "review":
            return {"op": "review", **one, "reviewed": dice.random() < 0.5}
        case "place":
            state = dice.choice(["present", "debris"])
            source = dice.choice(["machine", "person"])
            return {
                "op": "place", **one, "label": label, "state": state, "index": dice.choice([0, 0, 1, 2]),
                "reviewed": dice.random() < 0.5, "source": source,
            }  # fmt: skip
        case "swap":
            return {"op": "swap", **one, "other": dice.choice(document["chromosomes"] or [one])["id"]}
        case "mark":
            return {"op": "mark", **one, "role": dice.choice(["", "marker", "derivative", "ring"])}
        case "straighten":
            return {"op": "straighten", **one, "straight": dice.random() < 0.5}
        case "lost":
            return {"op": "lost", "label": label, "count": dice.randint(-1, 5)}
        case "reshape":
            return {"op": "reshape", **one, **shape(dice)}
        case "add":
            number = dice.randint(1, 12)
            made = make_chromosome(
                f"c{number:02d}", label, 0, **{k: v for k, v in shape(dice).items() if v is not None}
            )
            del made["order"]
            return {"op": "add", "chromosome": made, "index": dice.choice([0, 0, 1]), "at": dice.randint(0, 9)}
        case "remove":
            return {"op": "remove", **one}
        case _:
            return {"op": "batch", "edits": [random_edit(dice, document) for _ in range(dice.randint(0, 3))]}


@pytest.mark.parametrize("seed", range(4))
def test_300_random_edits_end_in_the_same_document(modules: Any, seed: int) -> None:
    """Both walk the same edits from the same document; refusals leave it as it is.  Inverses lead back."""
    dice = random.Random(seed)
    document = karyogram_document()
    start = document
    edits, inverses, sentences = [], [], []
    for _ in range(300):
        edit = random_edit(dice, document)
        edits.append(edit)
        try:
            document, inverse = domain.apply(document, edit)
        except domain.EditRefused as refused:
            sentences.append(refused.sentence)
        else:
            inverses.append(inverse)
            sentences.append(None)
    assert sentences.count(None) > 80
    answer = modules.evaluate(
        """async ({ start, edits }) => {
          const reducer = await import("/reducer.js");
          let document = start;
          const [inverses, sentences] = [[], []];
          for (const edit of edits)
            try {
              const applied = reducer.apply(document, edit);
              document = applied.document;
              inverses.push(applied.inverse);
              sentences.push(null);
            } catch (error) {
              sentences.push(error.message);
            }
          let back = document;
          for (const inverse of [...inverses].reverse()) back = reducer.apply(back, inverse).document;
          return { document, inverses, sentences, back };
        }""",
        {"start": start, "edits": edits},
    )
    assert answer["sentences"] == sentences
    assert answer["inverses"] == inverses
    assert answer["document"] == document
    assert answer["back"] == start


def test_angles_round_alike_on_a_grid_of_awkward_numbers(modules: Any) -> None:
    angles = [number / 1000 * 5 for number in range(-80_000, 160_000, 37)] + [
        1e8 + 0.005,
        -1e8 - 0.005,
        359.995,
        719.995,
    ]
    answer = modules.evaluate(
        "async (angles) => { const { uprightAngle } = await import('/reducer.js'); return angles.map(uprightAngle); }",
        angles,
    )
    assert answer == [domain.upright_angle(angle) for angle in angles]
