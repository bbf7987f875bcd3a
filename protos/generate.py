"""Generates the Python code and typed stubs beside each .proto: `python -m protos.generate`; `--check` only compares."""

import shutil
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent


def generate(into: Path) -> list[Path]:
    """Write the generated files under the empty folder `into` and return their paths relative to it."""
    sources = sorted((ROOT / "protos").rglob("*.proto"))
    tools = Path(sys.executable).parent
    plugins = [f"--plugin={name}={tools / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    flags = ("--python_out=", "--grpc_python_out=", "--mypy_out=quiet:", "--mypy_grpc_out=quiet:")
    outputs = [f"{flag}{into}" for flag in flags]
    code = protoc.main(["protoc", f"-I{ROOT}", *plugins, *outputs, *(str(path.relative_to(ROOT)) for path in sources)])
    if code != 0:
        raise SystemExit(f"protoc failed with exit code {code}")
    for source in sources:
        if "\nservice " not in source.read_text():
            stem = into / source.relative_to(ROOT).with_suffix("")
            for suffix in (".py", ".pyi"):
                stem.with_name(f"{stem.name}_pb2_grpc{suffix}").unlink()
    return sorted(path.relative_to(into) for path in into.rglob("*_pb2*"))


def stale() -> list[str]:
    """The generated files that differ from what the .proto files give now, or that no .proto gives any more."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder)
        fresh = generate(into)
        present = [path.relative_to(ROOT) for path in (ROOT / "protos").rglob("*_pb2*.py*") if "__pycache__" not in path.parts]
        differing = [
            name for name in fresh if not (ROOT / name).exists() or (ROOT / name).read_bytes() != (into / name).read_bytes()
        ]
        return sorted(str(name) for name in {*differing, *(set(present) - set(fresh))})


def main() -> None:
    """Generate, or compare when called with `--check`."""
    if "--check" in sys.argv:
        if names := stale():
            raise SystemExit("out of date, run `python -m protos.generate`:\n  " + "\n  ".join(names))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in generate(Path(folder)):
            shutil.copyfile(Path(folder) / name, ROOT / name)


if __name__ == "__main__":
    main()
