"""The web process's entry."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karyosite.settings")
application = get_wsgi_application()

# A karyogram is some ten thousand small lists, read and made anew with every edit: as Python is set, every twelfth edit
# waited a tenth of a second for the collector to walk the whole program.  What is loaded by now stays for good and is
# not walked again; what requests leave behind is looked through somewhat less often (ten times less let memory grow).
get_resolver().url_patterns  # noqa: B018  loads pages and API now instead of with the first request
gc.collect()
gc.freeze()
gc.set_threshold(2_000, 10, 10)
