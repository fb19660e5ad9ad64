"""The web process carries no model: a real one is started, used, and asked what it has loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "torchvision", "ultralytics", "onnxruntime", "cv2", "segment_anything")
# Builds the very application that gunicorn serves, imports every address, answers requests, then tells.
PROBE = """
import gc, io, json, sys
from wsgiref.util import setup_testing_defaults
from karyosite.wsgi import application
set_aside, api_loaded = gc.get_freeze_count(), "inference.api" in sys.modules
answered = []
for path in ("/healthz", "/", "/sign-in/", "/api/v1/jobs/", "/api/v1/schema/"):
    environ = {"PATH_INFO": path, "HTTP_HOST": "localhost"}
    setup_testing_defaults(environ)
    list(application(environ, lambda status, headers, *_: answered.append(int(status[:3]))))
told = {"answered": answered, "set_aside": set_aside, "api_loaded": api_loaded}
print(json.dumps({**told, "modules": sorted(sys.modules)}))
"""


def test_the_web_process_loads_no_model_library(tmp_path: Path) -> None:
    environment = os.environ | {"KARYOSITE_DATA_DIR": str(tmp_path), "KARYOSITE_ENV_FILE": "", "KARYOSITE_DEBUG": "1"}
    environment["DJANGO_SETTINGS_MODULE"] = "karyosite.settings"
    environment.pop("DATABASE_URL", None)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    done = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["answered"][0] == 200 and max(told["answered"]) < 500, told["answered"]
    loaded = set(told["modules"])
    assert {"cases.urls", "inference.api", "inference.jobs"} <= loaded, "the whole site was imported"
    assert not loaded & set(HEAVY)
    # An edit must not wait for the collector to walk all this: it was loaded, and set aside, before the first request.
    assert told["api_loaded"] and told["set_aside"] > 50_000
