"""The edit that puts one chromosome back as the machine proposed it."""

from __future__ import annotations

from typing import Any

from cases.domain.karyogram_document import EditRefused, slot_of, slots

_SHAPE = ("rings", "box", "axis", "centromere")


def restoring(document: dict[str, Any], proposal: dict[str, Any], identifier: str) -> dict[str, Any] | None:
    """A batch, or None where the chromosome is as proposed already.

    Its place is the proposed one as far as the others leave room.  Raises EditRefused for a chromosome that the
    proposal does not have.
    """
    proposed = {entry["id"]: place for place, entry in enumerate(proposal["chromosomes"])}
    if identifier not in proposed:
        raise EditRefused(
            "The machine did not propose this chromosome, so there is nothing to put back. "
            "Where it is none, mark it as debris."
        )
    at = proposed[identifier]
    target = proposal["chromosomes"][at]
    now = next((entry for entry in document["chromosomes"] if entry["id"] == identifier), None)
    neighbours = [entry for entry in slots(document)[slot_of(target)] if entry["id"] != identifier]
    index = min(target["order"], len(neighbours))
    if now is None:
        chromosome = {key: value for key, value in target.items() if key != "order"}
        return _batch([{"op": "add", "chromosome": chromosome, "index": index, "at": at}])
    edits: list[dict[str, Any]] = []
    if any(now.get(key) != target.get(key) for key in _SHAPE):
        edits.append({"op": "reshape", "id": identifier} | {key: target.get(key) for key in _SHAPE})
    if now["angle"] != target["angle"]:
        edits.append({"op": "rotate", "id": identifier, "angle": target["angle"]})
    if now["flip"] != target["flip"]:
        edits.append({"op": "flip", "id": identifier})
    if now.get("role") != target.get("role"):
        edits.append({"op": "mark", "id": identifier, "role": target.get("role", "")})
    if now.get("straight") != target.get("straight"):
        edits.append({"op": "straighten", "id": identifier, "straight": target.get("straight", False)})
    stands = {key: target[key] for key in ("label", "state", "reviewed", "source")}
    if now["order"] != index or any(now[key] != value for key, value in stands.items()):
        edits.append({"op": "place", "id": identifier, "index": index, **stands})
    return _batch(edits) if edits else None


def _batch(edits: list[dict[str, Any]]) -> dict[str, Any]:
    return {"op": "batch", "as": "restore", "edits": edits}
