"""In production static files carry hashes: every import of the editor must follow, or old and new modules mix."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from karyosite.static import ModuleManifestStorage
from tests.browser import EDITOR


def test_imports_name_hashed_files_that_exist(tmp_path: Path) -> None:
    folder = tmp_path / "cases" / "js" / "editor"
    shutil.copytree(EDITOR, folder)
    storage = ModuleManifestStorage(location=tmp_path, base_url="/static/")
    names = [f"cases/js/editor/{file.name}" for file in folder.glob("*.js")]
    failures = [result for _, _, result in storage.post_process({name: (storage, name) for name in names}) if
                isinstance(result, Exception)]  # fmt: skip
    assert failures == []
    reached, waiting = set(), [Path(storage.stored_name("cases/js/editor/main.js")).name]
    while waiting:
        name = waiting.pop()
        reached.add(re.sub(r"\.[0-9a-f]{12}\.js$", ".js", name))
        for imported in re.findall(r'from\s*"\./([^"]+)"', (folder / name).read_text()):
            assert re.fullmatch(r"[a-z-]+\.[0-9a-f]{12}\.js", imported), f"{name} imports {imported}"
            if re.sub(r"\.[0-9a-f]{12}\.js$", ".js", imported) not in reached:
                waiting.append(imported)
    assert reached == {file.name for file in EDITOR.glob("*.js")}
