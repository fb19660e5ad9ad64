"""Which cells train and which ones judge."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field

from inference.datasets.cells import DatasetRefused

SPLITS = ("case", "paper", "official")
TRAIN_SHARE = 0.85


@dataclass
class Split:
    """train, val, test: names.  aside: usable cells on no list, because their case is in the test list."""

    train: list[str] = field(default_factory=list)
    val: list[str] = field(default_factory=list)
    test: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    note: str = ""

    def lists(self) -> dict[str, list[str]]:
        return {"train": self.train, "val": self.val, "test": self.test, "aside": self.aside}


def case_of(name: str) -> str:
    """A case is a cell's name without its last digit (the public set), or without what follows the last hyphen
    (what `dataset export-corrections` writes)."""
    return name.rpartition("-")[0] if "-" in name else name[:-1] if name[-1:].isdigit() and len(name) > 1 else name


def split(kind: str, names: list[str], lists: dict[str, list[str]], seed: int) -> Split:
    """names: the usable cells.  lists: the folder's own.  Raises DatasetRefused with a sentence."""
    return {"case": _by_case, "paper": _as_the_paper, "official": _as_given}[kind](names, lists, seed)


def _by_case(names: list[str], lists: dict[str, list[str]], seed: int) -> Split:
    """All cells of a case on one side, by a hash of the case's name: adding cells moves no other.  An official test
    list stays a test list, and its cases are in neither of the others."""
    found = Split()
    test = set(lists.get("test", ()))
    tested = {case_of(name) for name in test}
    for name in names:
        if name in test:
            found.test.append(name)
        elif case_of(name) in tested:
            found.aside.append(name)
        else:
            share = int.from_bytes(hashlib.sha256(f"{seed}:{case_of(name)}".encode()).digest()[:8]) / 2**64
            (found.train if share < TRAIN_SHARE else found.val).append(name)
    _neither_empty(found)
    if found.aside:
        found.note = f"{len(found.aside)} cells are on no list, because other cells of their cases are in test.txt."
    return found


def _neither_empty(found: Split) -> None:
    """A handful of cases may all fall on one side; then whole cases move over until both sides have one."""
    for full, empty in ((found.train, found.val), (found.val, found.train)):
        cases = Counter(case_of(name) for name in full)
        if not empty and len(cases) > 1:
            moved = min(sorted(cases), key=lambda case: (cases[case], hashlib.sha256(case.encode()).digest()))
            empty += [name for name in full if case_of(name) == moved]
            full[:] = [name for name in full if case_of(name) != moved]


def _as_the_paper(names: list[str], lists: dict[str, list[str]], seed: int) -> Split:
    """The official test list kept; the official train list, 85 to 15 at random.  Cases are on both sides then."""
    if "train" not in lists:
        raise DatasetRefused("The paper's split needs the folder's train.txt, which is missing. Use --split case.")
    known = set(names)
    train = sorted(name for name in {*lists["train"]} if name in known)
    random.Random(seed).shuffle(train)
    cut = round(len(train) * TRAIN_SHARE)
    found = Split(sorted(train[:cut]), sorted(train[cut:]), [name for name in lists.get("test", ()) if name in known])
    found.note = "Cells of one case may be both in train and in val, as in the paper."
    if not found.test:
        found.note += " The folder has no test.txt, so there is no test list."
    return found


def _as_given(names: list[str], lists: dict[str, list[str]], seed: int) -> Split:
    """The folder's own lists as they stand."""
    if "train" not in lists:
        raise DatasetRefused("The folder has no train list of its own. Use --split case.")
    known = set(names)
    train, val, test = (
        [name for name in dict.fromkeys(lists.get(which, ())) if name in known] for which in ("train", "val", "test")
    )
    found = Split(train, val, test)
    listed = {*found.train, *found.val, *found.test}
    found.aside = [name for name in names if name not in listed]
    both = ({*found.train} & {*found.val}) | ({*found.train} & {*found.test})
    notes = []
    if both:
        notes.append(f"{len(both)} cells are on the train list and on another one.")
    shared = {case_of(name) for name in found.train} & {case_of(name) for name in (*found.val, *found.test)}
    if shared:
        notes.append(f"{len(shared)} cases have cells on the train list and on another one.")
    if found.aside:
        notes.append(f"{len(found.aside)} cells are on none of the folder's lists.")
    found.note = " ".join(notes)
    return found
