"""Naming the whole cell at once.

Two of each autosome is what is usually there, so a third place of a class costs something; it is never closed.
A chromosome that looks like a third 21 and like nothing else becomes a third 21; one that could as well be a 22,
of which there is one so far, becomes a 22.  Places left empty cost nothing: a missing chromosome stays missing, and
nothing is moved to make up 46.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.labels import CHROMOSOMES

_FLOOR = 0.01  # what no class's probability falls below: the detector is not calibrated
_FREE = 2
_MOST_WEIGHED = 80  # chromosomes of a cell up to which every other naming is tried
_NEVER = 1e6
# Cost (natural logarithms of odds) of the third, fourth … place of a class; a further one costs as the last.
_FURTHER = (1.6, 2.6, 3.6)
_SECOND_X, _FIRST_Y = 0.1, 0.1  # neither sex is the usual one
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


def place_cost(label: str, copy: int) -> float:
    """What the copy-th place (1, 2, 3 …) of a class costs."""
    free = 1 if label == "Y" else _FREE
    if copy > free:
        return _FURTHER[min(copy - free, len(_FURTHER)) - 1]
    if (label, copy) == ("X", 2):
        return _SECOND_X
    return _FIRST_Y if label == "Y" else 0.0


def name_cell(probabilities: np.ndarray, detection_scores: np.ndarray) -> list[Named]:
    """One name a row, in order.  probabilities: float (n, 24), rows sum to 1.  detection_scores: float (n,)."""
    from scipy.optimize import linear_sum_assignment

    count = len(probabilities)
    if count == 0:
        return []
    places = [(index, copy) for index in range(len(CHROMOSOMES)) for copy in range(1, count + 1)]
    likely = np.maximum(probabilities.astype(np.float64), _FLOOR)
    # A faint detection weighs less: it shall not push a sure one out of its place.
    evidence = -np.log(likely / likely.sum(axis=1, keepdims=True)) * np.clip(detection_scores, 0.3, 1.0)[:, None]
    price = np.array([place_cost(CHROMOSOMES[index], copy) for index, copy in places])
    costs = evidence[:, [index for index, _ in places]] + price
    rows, columns = linear_sum_assignment(costs)
    chosen = {int(row): places[column][0] for row, column in zip(rows, columns, strict=True)}
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
    copies = range(1, int(np.bincount(own).max()) + 2)  # no naming that differs by one name needs more
    places = [(index, copy) for index in range(len(CHROMOSOMES)) for copy in copies]
    classes = np.array([index for index, _ in places])
    costs = evidence[:, classes] + np.array([place_cost(CHROMOSOMES[index], copy) for index, copy in places])
    rows, columns = linear_sum_assignment(costs)
    best = costs[rows, columns].sum()
    margins = np.zeros(count)
    for row in range(count):
        kept = costs[row].copy()
        costs[row, classes == own[row]] = _NEVER
        margins[row] = costs[linear_sum_assignment(costs)].sum() - best
        costs[row] = kept
    return np.maximum(margins, 0.0)


def name_each(probabilities: np.ndarray, detection_scores: np.ndarray) -> list[Named]:
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
            f"looks like {CHROMOSOMES[rival]} ({_percent(shares[rival])}), "
            f"placed as {CHROMOSOMES[own]} ({_percent(shares[own])})"
        )
    if shares[own] < _SURE and shares[own] < _CLEAR * shares[rival]:
        return (
            f"between {CHROMOSOMES[own]} ({_percent(shares[own])}) and {CHROMOSOMES[rival]} ({_percent(shares[rival])})"
        )
    if shares[own] < 0.5:
        return f"perhaps {CHROMOSOMES[own]} ({_percent(shares[own])})"
    return ""


def too_many(own: int, copy: int) -> str:
    """ "third copy of 21" where the copy-th (1, 2, 3 …) of a class is more than is usual, else ""."""
    label = CHROMOSOMES[own]
    if label == "Y" and copy == 2:
        return "second copy of Y"
    return f"{_ORDINALS.get(copy, f'{copy}th')} copy of {label}" if copy > _FREE else ""


def _percent(share: float) -> str:
    return f"{round(100 * float(share))} %"
