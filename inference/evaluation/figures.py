"""The figures of an evaluation, as PNG.  matplotlib's Agg draws them: no display is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.evaluation import measures
from inference.evaluation.calibration import Reliability, is_there, named_right, reliability
from inference.evaluation.cells import Observation, Table
from inference.labels import CHROMOSOMES

_INK, _QUIET, _LINE, _ACCENT, _SECOND = "#16202b", "#667382", "#d9dee4", "#0b6e75", "#5b4b8a"
_DPI = 130


def draw_all(observations: Sequence[Observation], metrics: dict[str, Any], out: Path) -> list[Path]:
    """Writes every figure into `out`; returns their paths."""
    import matplotlib

    matplotlib.use("Agg")
    style: Any = {
        "font.size": 10, "axes.edgecolor": _QUIET, "axes.labelcolor": _INK, "text.color": _INK,
        "xtick.color": _QUIET, "ytick.color": _QUIET, "axes.spines.top": False, "axes.spines.right": False,
        "axes.titlesize": 12, "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titlepad": 12,
    }  # fmt: skip
    with matplotlib.rc_context(style):
        return [
            _confusion(measures.confusion(observations), out / "figure-1a-confusion.png"),
            _classes(metrics, out / "figure-1b-classes.png"),
            _thresholds(measures.by_threshold(observations), out / "precision-recall.png"),
            _calibration(observations, out / "calibration.png"),
            _stages(metrics["stages"], out / "stages.png"),
            _groups(metrics["by_group"], out / "groups.png"),
        ]


def _saved(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot

    figure.savefig(path, dpi=_DPI, bbox_inches="tight", facecolor="white")
    pyplot.close(figure)
    return path


def _confusion(counts: np.ndarray, path: Path) -> Path:
    """Figure 1a: each annotated class and the names it was given, as shares of those found."""
    from matplotlib import pyplot
    from matplotlib.colors import LinearSegmentedColormap

    found = counts[:24, :24].astype(np.float64)
    shares = found / np.maximum(found.sum(axis=1, keepdims=True), 1)
    figure, axes = pyplot.subplots(figsize=(10.5, 9.6))
    tones = LinearSegmentedColormap.from_list("accent", ["#ffffff", "#9fd0d2", _ACCENT, "#063a3e"])
    # The root shows a confusion of one in two hundred beside a diagonal of nearly one.
    axes.imshow(np.sqrt(shares), cmap=tones, vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(shares >= 0.0005), strict=True):
        value = shares[row, column]
        text = f"{100 * value:.0f}" if value >= 0.0995 else f"{100 * value:.1f}".rstrip("0").rstrip(".")
        if row == column and 0.995 <= value < 1:
            text = f"{100 * value:.1f}" if value < 0.9995 else "100"
        axes.text(
            column, row, text, ha="center", va="center", fontsize=7.5, color="white" if value > 0.3 else _INK
        )  # fmt: skip
    axes.set_xticks(range(24), CHROMOSOMES)
    axes.set_yticks(range(24), CHROMOSOMES)
    axes.set_xticks(np.arange(-0.5, 24), minor=True)
    axes.set_yticks(np.arange(-0.5, 24), minor=True)
    axes.grid(which="minor", color=_LINE, linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.set_xlabel("named")
    axes.set_ylabel("annotated")
    axes.set_title("Names given to the found chromosomes of each class, % of the class")
    return _saved(figure, path)


def _classes(metrics: dict[str, Any], path: Path) -> Path:
    """Figure 1b: the table of classes, each figure with a bar behind it from the table's lowest to 100 %."""
    from matplotlib import pyplot

    rows: Table = metrics["by_class"]
    shown = ("precision", "recall", "ap50", "ap50_95")
    heads = ("class", "images", "instances", "precision", "recall", "mAP50", "mAP50:95")
    places = (0.0, 1.1, 2.4, 3.0, 4.9, 6.8, 8.7)
    figure, axes = pyplot.subplots(figsize=(10.5, 8.2))
    axes.set_xlim(-0.4, 10.6)
    axes.set_ylim(len(rows) + 1.4, -1.4)
    axes.axis("off")
    for number, (head, place) in enumerate(zip(heads, places, strict=True)):
        axes.text(place, -0.9, head, ha="left" if number > 2 else "right", va="center", color=_QUIET)
    lines = [*rows, _all_classes(rows, metrics)]
    for line, row in enumerate(lines):
        y = line + (0.5 if line == len(rows) else 0.0)
        for key, place in zip(("class", "images", "instances"), places[:3], strict=True):
            bold = "bold" if key == "class" or line == len(rows) else "normal"
            axes.text(place, y, f"{row[key]}", ha="right", va="center", fontweight=bold)
        for key, place in zip(shown, places[3:], strict=True):
            value = row[key]
            if value is None:
                axes.text(place, y, "–", va="center", color=_QUIET)
                continue
            low = np.floor(20 * min((other[key] for other in rows if other[key] is not None), default=0)) / 20
            low = min(low, 0.95)
            axes.barh(y, 1.0 * (value - low) / (1 - low), left=place + 0.65, height=0.55, color="#9fd0d2")
            axes.text(place, y, f"{100 * value:.1f}", va="center")
    axes.axhline(-0.42, color=_LINE, linewidth=1)
    axes.axhline(len(rows) - 0.4, color=_LINE, linewidth=1)
    axes.set_title("By class, % (bars begin at each column’s lowest twentieth)")
    return _saved(figure, path)


def _all_classes(rows: Table, metrics: dict[str, Any]) -> dict[str, Any]:
    def mean(key: str) -> float | None:
        known = [row[key] for row in rows if row[key] is not None]
        return float(np.mean(known)) if known else None

    return {
        "class": "all",
        "images": metrics["cells"],
        "instances": metrics["annotated"],
        "precision": mean("precision"),
        "recall": mean("recall"),
        "ap50": metrics["map50"],
        "ap50_95": metrics["map50_95"],
    }


def _thresholds(rows: Table, path: Path) -> Path:
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.4))
    for suffix, colour, words in (("", _ACCENT, "found"), ("_named", _SECOND, "found and named right")):
        known = [row for row in rows if row[f"precision{suffix}"] is not None]
        left.plot(
            [100 * row[f"recall{suffix}"] for row in known], [100 * row[f"precision{suffix}"] for row in known],
            color=colour, marker=".", markersize=4, label=words,
        )  # fmt: skip
        right.plot([row["threshold"] for row in known], [100 * row[f"recall{suffix}"] for row in known], color=colour)
        right.plot(
            [row["threshold"] for row in known], [100 * row[f"precision{suffix}"] for row in known],
            color=colour, linestyle=(0, (4, 3)),
        )  # fmt: skip
    left.set_xlabel("recall, %")
    left.set_ylabel("precision, %")
    left.set_title("Precision and recall")
    left.legend(frameon=False, loc="lower left")
    right.plot(
        [row["threshold"] for row in rows], [100 * (row["exact_count_rate"] or 0) for row in rows], color=_QUIET,
        linewidth=1,
    )  # fmt: skip
    right.set_xlabel("threshold of the detection score")
    right.set_title("Recall (full), precision (dashed), exact counts (grey), %")
    for axes in (left, right):
        axes.grid(color=_LINE, linewidth=0.6)
    figure.tight_layout(w_pad=3)
    return _saved(figure, path)


def _calibration(observations: Sequence[Observation], path: Path) -> Path:
    from matplotlib import pyplot

    figure, pair = pyplot.subplots(1, 2, figsize=(10.5, 5.0))
    named, there = reliability(*named_right(observations)), reliability(*is_there(observations))
    for axes, measured, words in zip(
        pair, (named, there), ("Confidence of the name", "Score of the detection"), strict=True
    ):
        _reliability_picture(axes, measured, words)
    figure.tight_layout(w_pad=3)
    return _saved(figure, path)


def _reliability_picture(axes: Any, measured: Reliability, words: str) -> None:
    known = measured.count > 0
    axes.plot([0, 100], [0, 100], color=_QUIET, linewidth=1, linestyle=(0, (4, 3)))
    size = 14 + 260 * np.sqrt(measured.count[known] / max(measured.count.sum(), 1))
    axes.scatter(100 * measured.confidence[known], 100 * measured.right[known], s=size, color=_ACCENT, alpha=0.75)
    axes.plot(100 * measured.confidence[known], 100 * measured.right[known], color=_ACCENT, linewidth=1)
    axes.set_xlim(-3, 103)
    axes.set_ylim(-3, 103)
    axes.set_aspect("equal")
    axes.grid(color=_LINE, linewidth=0.6)
    axes.set_xlabel("said, %")
    axes.set_ylabel("right, %")
    error = measured.error
    axes.set_title(f"{words}: ECE {'–' if np.isnan(error) else f'{100 * error:.2f} %'}")


def _stages(rows: Table, path: Path) -> Path:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9.5, 0.9 + 0.75 * max(len(rows), 1)))
    keys = (("label_accuracy_of_found", "named right", _ACCENT), ("zero_edit_rate", "zero-edit cells", _SECOND))
    for number, row in enumerate(rows):
        for offset, (key, _, colour) in zip((-0.18, 0.18), keys, strict=True):
            value = 100 * (row[key] or 0)
            axes.barh(number + offset, value, height=0.32, color=colour)
            axes.text(value + 0.8, number + offset, f"{value:.1f}", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [row["stage"] for row in rows], color=_INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 108)
    axes.tick_params(axis="y", length=0)
    for _, words, colour in keys:
        axes.barh(0, 0, color=colour, label=words)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    axes.set_title("What each stage adds, %")
    return _saved(figure, path)


def _groups(rows: Table, path: Path) -> Path:
    from matplotlib import pyplot

    kinds = (
        ("named_another_of_the_group", "named another of the group", _ACCENT),
        ("named_of_another_group", "named of another group", _SECOND),
        ("unknown", "unknown", "#b9c2cc"),
        ("missed", "missed", _INK),
    )
    figure, axes = pyplot.subplots(figsize=(9.5, 4.2))
    left = np.zeros(len(rows))
    whole = np.array([max(row["annotated"], 1) for row in rows])
    for key, words, colour in kinds:
        values = np.array([100 * row[key] for row in rows]) / whole
        axes.barh(range(len(rows)), values, left=left, color=colour, label=words, height=0.6)
        left += values
    for number, total in enumerate(left):
        axes.text(total + max(left.max(), 0.1) * 0.01, number, f"{total:.2f}", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [f"{row['group']}  ({row['annotated']})" for row in rows], color=_INK)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, max(left.max() * 1.12, 0.1))
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=4)
    axes.set_title("Errors by group, % of the annotated")
    return _saved(figure, path)
