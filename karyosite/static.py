"""Hashed static names that also rewrite ES module imports, so that no stale module is ever mixed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

# django-htmx brings copies of htmx that no page uses (ours is in static/vendor, with a checksum); one of them names
# in a comment a module that does not exist, and hashing stumbles over it.
_UNUSED = ("django_htmx/",)


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    # A module's hash is known one pass after those of what it imports: as many passes as modules may stand in a chain.
    # (Two that import each other would never settle; the passes then run out, with an error.)
    max_post_process_passes = 30

    def post_process(self, paths: dict[str, Any], *args: Any, **options: Any) -> Iterator[Any]:
        used = {name: place for name, place in paths.items() if not name.startswith(_UNUSED)}
        yield from super().post_process(used, *args, **options)
