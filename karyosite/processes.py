"""How each process is started: by `manage.py up`, by docker-compose.yml, and by hand.  One place, tested.

Each command is what a shell would get; `python` stands for the interpreter that has Karyosite's packages.
"""

from __future__ import annotations

# Threads, not processes: a request waits for the database, and every process would cost its own 100 MB.
_WEB = (
    "python -m gunicorn karyosite.wsgi:application --workers 1 --worker-class gthread --threads 8 "
    "--timeout 120 --graceful-timeout 10 --keep-alive 5 --worker-tmp-dir /dev/shm --no-control-socket --bind"
)
_WORKER = (
    "python -m celery --quiet -A karyosite worker --pool solo --without-gossip --without-mingle --without-heartbeat "
    "--prefetch-multiplier 1 --queues"
)

COMMANDS: dict[str, tuple[str, ...]] = {
    "web": (*_WEB.split(), "0.0.0.0:8000"),  # noqa: S104 - in a container; `up` binds to its own --host
    "worker": (*_WORKER.split(), "default,prompts"),
    "worker-inference": (*_WORKER.split(), "inference"),
    "beat": ("python", "-m", "celery", "--quiet", "-A", "karyosite", "beat"),
}
NAMES = tuple(COMMANDS)


def web(host: str, port: int) -> tuple[str, ...]:
    """The web process, bound to another address."""
    bound = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (*_WEB.split(), bound)
