#!/usr/bin/env python3
"""Django's command line for Karyosite."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - said before anything newer is imported
        sys.exit("Karyosite needs Python 3.11 or newer; this is %d.%d. Use .venv/bin/python." % sys.version_info[:2])  # noqa: UP031
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "karyosite.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
