"""The way from Motor to PyMongo's own async API, as docs/decisions/motor.md has it, is short and works."""

import importlib.util
import re
import subprocess
import types
from pathlib import Path

from tests.store import embedded_url, store_settings

ROOT = Path(__file__).resolve().parents[2]


def moved(folder: Path) -> types.ModuleType:
    """`common.mongo` after the page's edit."""
    page = (ROOT / "docs/decisions/motor.md").read_text(encoding="utf-8")
    [script] = re.findall(r"```sed\n(.*?)```", page, re.DOTALL)
    edited = subprocess.run(
        ["sed", str(script), str(ROOT / "common/mongo.py")], check=True, capture_output=True, text=True
    ).stdout
    assert "motor" not in edited.lower()
    (folder / "mongo_moved.py").write_text(edited, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mongo_moved", folder / "mongo_moved.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_store_works_the_same_after_the_move(tmp_path: Path) -> None:
    """Every operation that the services use."""
    mongo = moved(tmp_path)

    async with mongo.connect(store_settings(embedded_url()), "moved") as database:
        documents = mongo.Documents(database, "things")
        await documents.index("kind", "at")
        inserted = await documents.insert({"_id": "a", "version": 1, "kind": "x", "at": 1}, {"_id": "b", "kind": "x", "at": 2})
        again = await documents.insert({"_id": "a"})
        replaced = await documents.replace({"_id": "a", "version": 2, "kind": "x", "at": 3}, expected_version=1)
        too_late = await documents.replace({"_id": "a", "version": 2}, expected_version=1)
        await documents.put({"_id": "c", "kind": "y", "at": 9})
        await documents.delete("b")
        newest = await documents.newest({"kind": "x"}, "at", 5)
        many = await documents.find_many(["a", "b", "c"])

    assert (inserted, again, replaced, too_late) == (True, False, True, False)
    assert [each["_id"] for each in newest] == ["a"]
    assert set(many) == {"a", "c"}
