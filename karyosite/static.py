"""Hashed static names that also rewrite ES module imports, so that no stale module is ever mixed in."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
