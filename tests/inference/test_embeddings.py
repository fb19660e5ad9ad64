"""The embedding cache: bounded, whole or absent, and safe to delete."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from inference.embeddings import EmbeddingCache, name_of

ONE = {"features": np.arange(5000, dtype=np.float16).reshape(50, 100), "sizes": np.array([[3, 4]])}


def test_what_is_kept_comes_back_as_it_was_and_the_name_holds_all_it_depends_on(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "cache", 10**6)
    names = {name_of("a" * 64, page, key) for page in (0, 1) for key in ("sam-1", "sam-2")} | {
        name_of("b" * 64, 0, "sam-1")
    }
    assert len(names) == 5
    name = names.pop()
    assert cache.get(name) is None
    cache.put(name, ONE)
    found = EmbeddingCache(tmp_path / "cache", 10**6).get(name)
    assert found is not None and set(found) == set(ONE)
    assert all(np.array_equal(found[key], ONE[key]) and found[key].dtype == ONE[key].dtype for key in ONE)
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".npz"]


@pytest.mark.parametrize("place", [0, 200, 3000, -40])
def test_a_damaged_entry_is_noticed_and_thrown_away(tmp_path: Path, place: int) -> None:
    cache = EmbeddingCache(tmp_path, 10**6)
    cache.put("c" * 64, ONE)
    [path] = tmp_path.rglob("*.npz")
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    found = cache.get("c" * 64)
    assert found is None or all(np.array_equal(found[key], ONE[key]) for key in ONE)
    path.write_bytes(content[:1500])
    assert cache.get("c" * 64) is None and not path.exists()


def test_the_longest_unused_go_first_and_the_limit_holds(tmp_path: Path) -> None:
    size = 11_000  # of one file, a little generously
    cache = EmbeddingCache(tmp_path, 4 * size)
    names = [f"{number:02d}" + "d" * 62 for number in range(8)]
    for number, name in enumerate(names[:3]):
        cache.put(name, ONE)
        [path] = tmp_path.rglob(f"{name}.npz")
        os.utime(path, (time.time() - 1000 + number, time.time() - 1000 + number))
    assert cache.get(names[0]) is not None  # used again, so no longer the oldest
    left_behind = tmp_path / "00" / "old.part"
    left_behind.write_bytes(b"x")
    os.utime(left_behind, (0, 0))
    for name in names[3:5]:
        cache.put(name, ONE)
    assert cache.get(names[1]) is None and cache.get(names[0]) is not None and cache.get(names[4]) is not None
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.npz")) <= 4 * size
    assert not left_behind.exists()
    EmbeddingCache(tmp_path, 0).put(names[7], ONE)
    assert cache.get(names[7]) is None
