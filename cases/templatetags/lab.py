"""Words and addresses that templates need more than once."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from cases.models import CaseState, Metaphase
from cases.policies import RIGHTS

register = template.Library()

_STAGES = {
    "load": "reading the image",
    "quality": "judging the image",
    "detect": "finding chromosomes",
    "segment": "cutting chromosomes",
    "orient": "turning chromosomes upright",
    "straighten": "straightening chromosomes",
    "classify": "naming chromosomes",
    "assign": "pairing chromosomes",
}


@register.simple_tag
def due(case: Any) -> str:
    """ "due in 9 days", "due today", "3 days overdue"; a signed case's clock has stopped."""
    if case.due_on is None:
        return format_html('<span class="quiet">no due date</span>')
    days = (case.due_on - timezone.localdate()).days
    date = case.due_on.isoformat()
    if case.state == CaseState.SIGNED:
        return format_html('<time class="quiet" datetime="{}">was due {}</time>', date, _day(case.due_on))
    if days < 0:
        words, look = f"{_days(-days)} overdue", "due overdue"
    elif days == 0:
        words, look = "due today", "due soon"
    elif days == 1:
        words, look = "due tomorrow", "due soon"
    else:
        words, look = f"due in {_days(days)}", "due"
    return format_html('<time class="{}" datetime="{}" title="{}">{}</time>', look, date, _day(case.due_on), words)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _day(date: datetime.date) -> str:
    return f"{date.day} {date:%b %Y}"


@register.filter
def stage_words(stage: str) -> str:
    return _STAGES.get(stage, stage or "starting")


@register.filter
def seconds_words(seconds: int) -> str:
    """ "about 40 s", "about 3 min": no more exact than an estimate is."""
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    return f"about {round(seconds / 60)} min"


@register.simple_tag
def thumbnail_url(cell: Metaphase) -> str:
    """The karyogram sheet, small, or the field while there is no karyogram; the version is in the address."""
    version = cell.karyogram.version if has_karyogram(cell) else 0
    return reverse("cell-thumbnail", args=[cell.pk, version])


@register.filter
def has_karyogram(cell: Metaphase) -> bool:
    return hasattr(cell, "karyogram")


@register.filter
def plural(number: int, words: str) -> str:
    """`3|plural:"cell,cells"` → "3 cells"."""
    one, many = words.split(",")
    return f"{number} {one if number == 1 else many}"


@register.simple_tag(takes_context=True)
def if_may(context: template.Context, right: str) -> bool:
    """Whether the reader's role has the right; for hiding what would only be refused."""
    membership = context.get("membership")
    return membership is not None and membership.role in RIGHTS[right]


@register.simple_tag(takes_context=True)
def nav_link(context: template.Context, name: str, words: str, also: str = "") -> str:
    """An entry of the main navigation, marked while its page (or one of `also`) is open."""
    match = getattr(context.get("request"), "resolver_match", None)
    here = match.url_name if match else ""
    current = format_html(' aria-current="{}"', "page" if here == name else "true")
    return format_html(
        '<li><a href="{}"{}>{}</a></li>',
        reverse(name),
        current if here and here in (name, *also.split(",")) else "",
        words,
    )


@register.filter
def of(numbers: dict[Any, int], key: Any) -> int:
    """A number by its key; 0 where there is none."""
    return numbers.get(key, 0)


@register.simple_tag
def modules_at_once(folder: str) -> SafeString:
    """Links that let the browser fetch all ES modules of a static folder together, e.g. "cases/js/editor".

    Without them it learns of a module only from the one that imports it, level after level.
    """
    return format_html_join(
        "\n  ", '<link rel="modulepreload" href="{}">', ((static(name),) for name in _modules(folder))
    )


@cache
def _modules(folder: str) -> tuple[str, ...]:
    here = Path(__file__).resolve().parent.parent / "static" / folder
    return tuple(f"{folder}/{file.name}" for file in sorted(here.glob("*.js")))
