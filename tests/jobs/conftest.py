"""The databases that jobs must survive on: a file, and PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.world import World
from tests.servers import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The server that KARYOSITE_TEST_POSTGRES_URL names, or a private one.  Fails where neither can be had."""
    server = postgres()
    try:
        url = server.__enter__()
    except SystemExit as lacking:
        pytest.fail(str(lacking), pytrace=False)
    yield url
    server.__exit__(None, None, None)


@pytest.fixture(scope="package", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def world(request: Any) -> Iterator[World]:
    """Broker, worker and beat, up for the whole package; each test starts and ends its own inference workers."""
    url, drop = "", None
    if request.param == "postgresql":
        import psycopg
        from psycopg import sql

        server = request.getfixturevalue("postgres_server")
        name = f"karyosite_jobs_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        url = f"{server.rpartition('/')[0]}/{name}"

        def drop() -> None:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    folder = Path(tempfile.mkdtemp(prefix="ks-jobs-"))
    made = World(folder, url)
    try:
        made.open()
        yield made
    finally:
        made.close()
        if drop is not None:
            drop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def lab_at_work(world: World) -> Iterator[World]:
    yield world
    world.end_inference()
    world.do("call_off_the_rest")
