"""The house rules that a machine can check: who imports whom, and what lies where."""

import ast
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("garments", "extract", "annotate", "curate", "finetune", "garmentloop")
SKIPPED = {".venv", "build", "dist", "__pycache__"}


def python_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*.py") if not SKIPPED & set(p.relative_to(ROOT).parts))


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Top-level names that a module imports, also inside functions and for types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield package if node.level else (node.module or "").partition(".")[0]
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value).partition(".")[0]


def violations(source: str, stage: str) -> set[str]:
    later = set(STAGES[STAGES.index(stage) + 1 :])
    return later & set(imported(ast.parse(source), stage))


@pytest.mark.parametrize("stage", STAGES)
def test_stage_imports_no_later_stage(stage: str) -> None:
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in python_files(ROOT / stage)
        if (wrong := violations(path.read_text(encoding="utf-8"), stage))
    }
    assert not found, f"a stage imports garments and earlier stages only, but: {found}"


def test_layer_check_sees_every_kind_of_import() -> None:
    assert violations("import finetune.loop", "extract") == {"finetune"}
    assert violations("def f():\n    from garmentloop import cli", "extract") == {"garmentloop"}
    assert violations("import importlib\nimportlib.import_module('curate')", "garments") == {
        "curate"
    }
    assert not violations("from garments import boxes\nfrom . import base", "extract")


def test_datasets_holds_no_python() -> None:
    kept = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "datasets"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    assert not [name for name in kept if name.endswith(".py")], "datasets/ is data, never a package"
    assert not (ROOT / "datasets" / "__init__.py").exists()


def test_tests_are_no_packages_and_their_names_are_unique() -> None:
    files = python_files(ROOT / "tests")
    assert not [path for path in files if path.name == "__init__.py"]
    names = Counter(p.name for p in files if p.name != "conftest.py")
    twice = [name for name, count in names.items() if count > 1]
    assert not twice, f"test files need names of their own, but these occur twice: {twice}"


def test_every_package_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["setuptools"]["packages"]
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for stage in STAGES
        for path in python_files(ROOT / stage)
    }
    assert sorted(listed) == sorted(there), "packages in pyproject.toml and folders differ"
    inits = {name: ROOT / name.replace(".", "/") / "__init__.py" for name in there}
    missing = [name for name, path in inits.items() if not path.exists()]
    assert not missing, f"these packages have no __init__.py: {missing}"


def test_files_that_code_reads_are_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    endings = {Path(pattern).suffix or pattern for pattern in patterns}
    left_out = [
        str(path.relative_to(ROOT))
        for stage in STAGES
        for path in (ROOT / stage).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.suffix not in {*endings, ".py", ".typed"}
    ]
    assert not left_out, "add their ending to package-data in pyproject.toml"


def test_every_test_folder_mirrors_a_package() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    # hub: the checkpoints that two stages load, from the network, only when asked for
    assert folders - {"__pycache__", "hub"} <= set(STAGES)
