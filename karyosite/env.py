"""Every setting that comes from outside, read once, typed, and documented in docs/settings.md.

A test fails when a field here has no line there.  Secrets may also be given as files:
KARYOSITE_SECRETS_DIR/<name> (as docker and systemd do).
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="KARYOSITE_",
        env_file=os.environ.get("KARYOSITE_ENV_FILE", str(ROOT / ".env")),
        secrets_dir=os.environ.get("KARYOSITE_SECRETS_DIR"),
        extra="ignore",
        populate_by_name=True,
    )

    database_url: str = Field(default="", validation_alias=AliasChoices("DATABASE_URL", "KARYOSITE_DATABASE_URL"))
    redis_url: str = ""
    data_dir: Path = ROOT / "var"
    secret_key: str = ""
    debug: bool = False
    hosts: str = "localhost,127.0.0.1,[::1]"
    trusted_origins: str = ""
    https: bool = False
    behind_proxy: bool = False
    time_zone: str = "UTC"
    log_level: str = "INFO"

    upload_max_bytes: int = 200 * 1024 * 1024
    image_max_pixels: int = 80_000_000
    image_min_side: int = 32
    image_max_pages: int = 100

    device: str = "auto"
    detector_weights: str = ""
    classifier: str = "shipped"
    segmenter: str = "shipped"
    sam_checkpoint: str = ""
    sam_model_type: str = "vit_b"
    job_max_attempts: int = 3
    job_stale_after_s: int = 90
    job_time_limit_s: int = 300
    worker_threads: int = 0
    embedding_cache_bytes: int = 2 * 1024**3

    # For a rehearsal of faults only: the worker waits this long at each named point of a job.
    fault_pause_s: float = 0.0
    fault_pause_at: str = ""


environment = Environment()
