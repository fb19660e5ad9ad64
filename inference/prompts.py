"""Cutting on demand, in the worker: what a person points at becomes an outline with axis and likely name.

Nothing is stored but the picture's embedding.  Models are loaded with the first question and let go when nobody has
asked for a while: the process that answers also does small things that need none.
"""

from __future__ import annotations

import faulthandler
import gc
import time
from collections import OrderedDict
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from cases.models import Karyogram, Metaphase
from cases.reports.geometry import ring_mask
from inference import originals
from inference.embeddings import EmbeddingCache, name_of
from inference.protocols import AnalysisError, Mask, Prompter
from inference.selectors import active_models
from karyosite.env import environment
from karyosite.errors import Invalid, Refusal
from karyosite.imaging import ImageRefused

if TYPE_CHECKING:
    from inference.stages.classify import Classifier

IDLE_S = 900.0
_AT_HAND = 2  # pictures with their embeddings kept in memory: the cell being worked on, and the one before
_MOST_RINGS, _MOST_POINTS = 64, 4000
_at_hand: OrderedDict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = OrderedDict()
_last_asked = 0.0


def cut(question: dict[str, Any]) -> dict[str, Any]:
    """question: metaphase (id), box, points, rings as the API's `cut` takes them, checked.

    Gives the API's answer.  Raises Refusal.
    """
    global _last_asked
    _last_asked = time.monotonic()
    faulthandler.dump_traceback_later(environment.job_time_limit_s + 30, exit=True)
    try:
        return _cut(question)
    except (AnalysisError, ImageRefused) as error:
        raise Refusal(str(error), code="cannot-cut") from error
    except MemoryError as error:
        raise Refusal(
            "Cutting needs more memory than the server has. Nothing was changed; draw the outline by hand.",
            code="cannot-cut",
        ) from error
    finally:
        faulthandler.cancel_dump_traceback_later()


def rest() -> None:
    """Lets models and pictures go once nobody has asked for `IDLE_S`."""
    global _last_asked
    if _last_asked and time.monotonic() - _last_asked > IDLE_S:
        from inference import registry

        _last_asked = 0.0
        _at_hand.clear()
        registry.forget()
        gc.collect()


def _cut(question: dict[str, Any]) -> dict[str, Any]:
    from inference import registry
    from inference.stages import axis, outline

    metaphase = Metaphase.objects.select_related("image", "case").filter(pk=question["metaphase"]).first()
    if metaphase is None:
        raise Refusal("This cell is not there any more.", code="not-found")
    configuration = registry.activated(environment, active_models(metaphase.case.laboratory_id))
    prompter = registry.prompter(configuration)
    pixels, embedding = _prepared(metaphase, prompter)
    box = None if question["box"] is None else np.asarray(question["box"], np.float32)
    points = np.asarray(question["points"], np.float32).reshape(-1, 3)
    outlines = _outlines(metaphase)
    others = [other for other in (_mask(rings, *pixels.shape) for rings in outlines) if other is not None]
    present = _mask(question["rings"], *pixels.shape)
    pointed = box is not None or present is not None or bool((points[:, 2] == 1).any())  # an outline may hold no pixel
    mask = prompter.cut(pixels, embedding, box, points, present, others) if pointed else None
    rings = [] if mask is None else outline.rings(mask)
    if mask is None or not rings:
        raise Invalid(
            "Nothing that looks like a chromosome was found there. Nothing was changed; click on the chromosome "
            "itself, draw a box around it, or draw it with the brush.",
            code="nothing-there",
        )
    if len(rings) > _MOST_RINGS or sum(map(len, rings)) > _MOST_POINTS:
        raise Invalid(
            "What was found there is too ragged to be one chromosome. Nothing was changed; point at less of it.",
            code="nothing-there",
        )
    extent = _extent(mask)
    named, p_up = _named(pixels, extent, mask, _areas(outlines), registry.classifier(configuration))
    found = axis.with_p_up(axis.describe(mask, pixels), mask, p_up)
    return {
        "rings": rings,
        "box": [round(float(value), 1) for value in extent],
        "angle": found.angle,
        "axis": [[round(float(x), 1), round(float(y), 1)] for x, y in found.points] or None,
        "centromere": found.centromere,
        "score": round(float(mask.score), 4),
        "segmenter": asdict(prompter.info),
        **named,
    }


def _prepared(metaphase: Metaphase, prompter: Prompter) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The pixels as the models know them, and their embedding: from memory, from the disk, or made now."""
    from inference.stages.load import light_ground

    name = name_of(metaphase.image.sha256, metaphase.page, prompter.key)
    if name in _at_hand:
        _at_hand.move_to_end(name)
        return _at_hand[name]
    pixels, _ = light_ground(np.ascontiguousarray(originals.grey(metaphase)))
    cache = embeddings()
    embedding = cache.get(name)
    if embedding is None:
        embedding = prompter.embed(pixels)
        cache.put(name, embedding)
    _at_hand[name] = (pixels, embedding)
    while len(_at_hand) > _AT_HAND:
        _at_hand.popitem(last=False)
    return pixels, embedding


def embeddings() -> EmbeddingCache:
    return EmbeddingCache(environment.data_dir / "cache" / "embeddings", environment.embedding_cache_bytes)


def _mask(rings: Any, height: int, width: int) -> Mask | None:
    if not rings:
        return None
    corners = np.concatenate([np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings])
    left, top = (max(0, int(value)) for value in np.floor(corners.min(axis=0)))
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int), [width, height])
    if left >= right or top >= bottom:
        return None
    moved = [(np.asarray(ring, np.float64) - [left, top]).tolist() for ring in rings]
    bits = ring_mask(moved, int(bottom) - top, int(right) - left)
    return Mask(left, top, bits, 1.0) if bits.any() else None


def _extent(mask: Mask) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.bits.any(axis=1)), np.flatnonzero(mask.bits.any(axis=0))
    return np.array(
        [mask.left + columns[0], mask.top + rows[0], mask.left + columns[-1] + 1, mask.top + rows[-1] + 1], np.float32
    )


def _named(
    pixels: np.ndarray, extent: np.ndarray, mask: Mask, areas: list[float], classifier: Classifier | None
) -> tuple[dict[str, Any], float]:
    """label and probabilities by the crop classifier, at the scale of the cell's other chromosomes; and the chance
    that the p arm lies at the upper end of the upright crop, one half where nobody says."""
    from inference.labels import CHROMOSOMES

    if classifier is None:
        return {"label": "unknown", "probabilities": {}}, 0.5
    seen = classifier.look(pixels, extent[None], [mask], areas)
    shares = seen.probabilities[0]
    best = [int(index) for index in np.argsort(-shares)[:4]]
    kept = [index for index in best if shares[index] >= 0.02 or index == best[0]]
    named = {
        "label": CHROMOSOMES[best[0]],
        "probabilities": {CHROMOSOMES[index]: round(float(shares[index]), 4) for index in kept},
    }
    return named, 0.5 if seen.p_up is None else float(seen.p_up[0])


def _outlines(metaphase: Metaphase) -> list[Any]:
    """The rings of what the cell's karyogram shows as chromosomes."""
    document = Karyogram.objects.filter(metaphase=metaphase).values_list("document", flat=True).first() or {}
    return [
        entry["rings"] for entry in document.get("chromosomes", []) if entry["state"] == "present" and entry["rings"]
    ]


def _areas(outlines: list[Any]) -> list[float]:
    """In pixels."""
    return [abs(sum(_signed_area(np.asarray(ring, np.float64)) for ring in rings)) for rings in outlines]


def _signed_area(ring: np.ndarray) -> float:
    following = np.roll(ring, -1, axis=0)
    return 0.5 * float((ring[:, 0] * following[:, 1] - ring[:, 1] * following[:, 0]).sum())
