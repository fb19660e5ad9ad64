"""The program's own settings over a throw-away data folder."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="karyosite-test-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["KARYOSITE_DATA_DIR"] = _folder
os.environ["KARYOSITE_ENV_FILE"] = ""

from karyosite.settings import *  # noqa: E402, F403
from karyosite.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in the field: in memory, the live server's threads would share one connection and its transactions.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(_folder, "test.sqlite3")}  # noqa: PTH118

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Not the checkout's: what somebody collected there is neither searched nor served in tests.
STATIC_ROOT = os.path.join(_folder, "static")  # noqa: PTH118
os.makedirs(STATIC_ROOT)  # noqa: PTH103
