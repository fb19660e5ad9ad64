"""What the laboratory announces.  Inference listens; the laboratory never imports it.

A handler runs inside the announcing transaction: what it writes commits or falls with it.
Whatever must wait for the commit (sending a task) uses `transaction.on_commit` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Event:
    def __init__(self, name: str) -> None:
        self.name = name
        self._handlers: list[Callable[..., Any]] = []

    def connect(self, handler: Callable[..., Any]) -> None:
        if handler not in self._handlers:
            self._handlers.append(handler)

    def announce(self, **facts: Any) -> None:
        for handler in self._handlers:
            handler(**facts)


metaphase_added = Event("metaphase_added")  # metaphase: Metaphase, user: User
reanalysis_requested = Event("reanalysis_requested")  # metaphase, user
analysis_cancel_requested = Event("analysis_cancel_requested")  # metaphase, user
