"""Naming the whole cell at once.

Two of each autosome, and two X or an X and a Y, are what is usually there, so a further place of a class costs
something; it is never closed.  Of 47 chromosomes one has to have such a place, whichever the evidence says; of 46 a
third 21 beside a single 22 has to be worth its price: one that looks like a 21 and like nothing else becomes a third
21, one that could as well be a 22 becomes a 22.  Places left empty cost nothing: a missing chromosome stays missing,
and nothing is moved to make up 46.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inference.labels import CHROMOSOMES

_FLOOR = 1e-6  # what no class's probability falls below: nobody is surer than that
_MOST_WEIGHED = 80  # chromosomes of a cell up to which every other naming is tried
_NEVER = 1e6
# Cost (natural logarithms of odds) of the third place of a class, in a whole cell and in a fragment of one; the fourth
# costs one more, the fifth and further ones two.  In a whole cell a third copy means that another class is short; of a
# fragment nobody knows what is.  Chosen on validation cells (docs/decisions/0083-what-a-third-place-costs.md).
_THIRD, _THIRD_OF_FEW = 7.5, 1.6
_FEW, _MOST = 30, 40  # chromosomes: a fragment up to here, nearly a whole cell from there on
FREE = 2  # copies of an autosome that are usually there
SEXES = ({"X": 2, "Y": 0}, {"X": 1, "Y": 1})  # and of these; neither is the usual one: the cell has the cheaper
_SURE, _CLEAR = 0.8, 3.0
_ORDINALS = {3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth"}


@dataclass(frozen=True)
class Named:
    """label: of LABELS.  score: 0..1.  copy: 1, 2, 3 … within the class, surest first.  flags: in words.
    margin: what any other name would cost the whole cell, natural logarithms of odds; 0 where two do as well."""

    label: str
    score: float
    copy: int
    flags: tuple[str, ...]
    margin: float = 0.0


def place_cost(label: str, copy: int, sex: Mapping[str, int], count: int) -> float:
    """What the copy-th place (1, 2, 3 …) of a class costs in a cell of this sex (of SEXES) and so many chromosomes."""
    beyond = copy - sex.get(label, FREE)
    if beyond <= 0:
        return 0.0
    whole = min(1.0, max(0.0, (count - _FEW) / (_MOST - _FEW)))
    return _THIRD_OF_FEW + whole * (_THIRD - _THIRD_OF_FEW) + min(beyond - 1, 2)


def _costs(evidence: np.ndarray, copies: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """The class of each place, up to so many copies of each; and for each sex float (n, places), what each would cost
    there.  evidence: float (n, 24), the cost of each class without its places."""
    places = [(index, copy) for index in range(len(CHROMOSOMES)) for copy in range(1, copies + 1)]
    classes = np.array([index for index, _ in places])
    priced = [
        np.array([place_cost(CHROMOSOMES[index], copy, sex, len(evidence)) for index, copy in places]) for sex in SEXES
    ]
    return classes, [evidence[:, classes] + price for price in priced]


def name_cell(probabilities: np.ndarray) -> list[Named]:
    """One name a row, in order.  probabilities: float (n, 24), rows sum to 1."""
    from scipy.optimize import linear_sum_assignment

    count = len(probabilities)
    if count == 0:
        return []
    likely = np.maximum(probabilities.astype(np.float64), _FLOOR)
    evidence = -np.log(likely / likely.sum(axis=1, keepdims=True))
    classes, of_sexes = _costs(evidence, count)
    filled = [(costs, *linear_sum_assignment(costs)) for costs in of_sexes]
    _, rows, columns = min(filled, key=lambda one: float(one[0][one[1], one[2]].sum()))
    chosen = {int(row): int(classes[column]) for row, column in zip(rows, columns, strict=True)}
    margins = _margins(evidence, chosen)
    return [_named(row, chosen, probabilities, margins[row]) for row in range(count)]


def _margins(evidence: np.ndarray, chosen: dict[int, int]) -> np.ndarray:
    """float (n,): how much dearer the cheapest naming is in which this one has another name.

    evidence: float (n, 24), the cost of each class without its places.
    """
    from scipy.optimize import linear_sum_assignment

    count = len(evidence)
    own = np.array([chosen[row] for row in range(count)])
    if count > _MOST_WEIGHED:  # no cell; and the time must have a bound
        others = evidence.copy()
        others[np.arange(count), own] = np.inf
        return np.asarray(others.min(axis=1) - evidence[np.arange(count), own])
    # No naming that differs by one name needs more copies.
    classes, of_sexes = _costs(evidence, int(np.bincount(own).max()) + 1)
    best = np.array([costs[linear_sum_assignment(costs)].sum() for costs in of_sexes])
    margins = np.full(count, np.inf)
    for costs, at_least in sorted(zip(of_sexes, best, strict=True), key=lambda one: float(one[1])):
        for row in range(count):
            if at_least - best.min() >= margins[row]:
                continue  # dearer than what another name costs in the other sex
            kept = costs[row].copy()
            costs[row, classes == own[row]] = _NEVER
            margins[row] = min(margins[row], costs[linear_sum_assignment(costs)].sum() - best.min())
            costs[row] = kept
    return np.maximum(margins, 0.0)


def name_each(probabilities: np.ndarray) -> list[Named]:
    """Each by itself, the likeliest class: what naming the whole cell is measured against."""
    chosen = {row: int(probabilities[row].argmax()) for row in range(len(probabilities))}
    second = np.sort(probabilities, axis=1)[:, -2] if chosen else np.zeros(0)
    margins = [
        float(np.log(max(probabilities[row, own], _FLOOR) / max(second[row], _FLOOR))) for row, own in chosen.items()
    ]
    return [_named(row, chosen, probabilities, margins[row]) for row in chosen]


def _named(row: int, chosen: dict[int, int], probabilities: np.ndarray, margin: float) -> Named:
    own = chosen[row]
    shares = probabilities[row]
    siblings = sorted((other for other in chosen if chosen[other] == own), key=lambda other: -probabilities[other, own])
    copy = siblings.index(row) + 1
    flags = [reason for reason in (_between(own, shares), too_many(own, copy)) if reason]
    return Named(CHROMOSOMES[own], float(np.clip(shares[own], 0, 1)), copy, tuple(flags), float(margin))


def _between(own: int, shares: np.ndarray) -> str:
    others = [int(index) for index in np.argsort(-shares) if index != own]
    rival = others[0]
    if shares[rival] > shares[own]:
        return (
            f"looks like {CHROMOSOMES[rival]} ({percent(shares[rival])}), "
            f"placed as {CHROMOSOMES[own]} ({percent(shares[own])})"
        )
    if shares[own] < _SURE and shares[own] < _CLEAR * shares[rival]:
        return (
            f"between {CHROMOSOMES[own]} ({percent(shares[own])}) and {CHROMOSOMES[rival]} ({percent(shares[rival])})"
        )
    if shares[own] < 0.5:
        return f"perhaps {CHROMOSOMES[own]} ({percent(shares[own])})"
    return ""


def too_many(own: int, copy: int) -> str:
    """ "third copy of 21" where the copy-th (1, 2, 3 …) of a class is more than is usual, else ""."""
    label = CHROMOSOMES[own]
    if label == "Y" and copy == 2:
        return "second copy of Y"
    return f"{_ORDINALS.get(copy, f'{copy}th')} copy of {label}" if copy > FREE else ""


def percent(share: float) -> str:
    return f"{round(100 * float(share))} %"
