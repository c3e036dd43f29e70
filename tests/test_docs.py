"""The documentation says what the code does.

`python tests/test_docs.py` writes what is pasted: the commands' help, and the table of speed from
docs/bench.json, which is the runs/bench.json of one `make bench`.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from garmentloop.bench import told
from garmentloop.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PASTED = re.compile(r"<!-- help:([\w ]+) -->\n```\n(.*?)```\n<!-- /help -->", re.DOTALL)
SPEED = re.compile(r"<!-- speed -->\n(.*?)<!-- /speed -->", re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|tmp/[a-z]+\d*)/\w")
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".jinja", ".html", ".cfg", ""}
WIDTH = 78


def commands(group: TyperGroup, before: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Full name and help of every command, groups included."""
    for name, command in group.commands.items():
        full = (*before, name)
        yield " ".join(full), command.help or ""
        if isinstance(command, TyperGroup):
            yield from commands(command, full)


def every_command() -> list[tuple[str, str]]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return list(commands(group))


def real_help(name: str) -> str:
    """What `garmentloop NAME --help` prints on a plain terminal of 80 columns."""
    plain = {"TERMINAL_WIDTH": "80", "COLUMNS": "80", "_TYPER_FORCE_DISABLE_TERMINAL": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "garmentloop", *name.split(), "--help"],
        cwd=ROOT,
        env={**os.environ, **plain, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def project_files() -> list[Path]:
    """Files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if listed.returncode:
        pytest.skip("needs a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize(("name", "text"), every_command(), ids=lambda value: value[:24])
def test_every_command_has_help_with_an_example(name: str, text: str) -> None:
    assert re.search(r"Examples?:\n\n +garmentloop ", text), f"{name} shows no example"
    called = [line for line in text.splitlines() if line.strip().startswith("garmentloop ")]
    assert any(f"garmentloop {name}" in line for line in called), f"{name} is not in its examples"
    below = text.partition("\n\n")[2]  # the first paragraph is set anew, the others are not
    long = [line for line in below.splitlines() if len(line) > WIDTH]
    assert not long, f"lines of more than {WIDTH} characters are broken on a terminal: {long}"


@pytest.mark.parametrize("name", [name for name, _ in every_command()])
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"garmentloop {name}" in README.read_text(encoding="utf-8")


def test_readme_and_changelog_name_no_command_that_does_not_exist() -> None:
    names = {name for name, _ in every_command()}
    text = README.read_text(encoding="utf-8")
    shown = set(re.findall(r"^(?:\| `)?garmentloop ([a-z]+)", text, re.MULTILINE))
    assert shown <= {name.split()[0] for name in names}


def test_pasted_help_is_the_real_help() -> None:
    pasted = PASTED.findall(README.read_text(encoding="utf-8"))
    assert pasted, "README shows no help"
    for name, text in pasted:
        assert text == real_help(name), "help has changed: run `python tests/test_docs.py`"


def measured() -> str:
    """The table of speed as the figures have it."""
    return told.table(json.loads((ROOT / "docs" / "bench.json").read_text(encoding="utf-8")))


def test_table_of_speed_is_that_of_one_run() -> None:
    pasted = SPEED.findall(README.read_text(encoding="utf-8"))
    assert pasted == [measured()], "figures have changed: run `python tests/test_docs.py`"


def test_first_command_comes_before_line_30() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines, start=1) if line.startswith("make "))
    assert at < 30


def test_links_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in project_files()
        if page.suffix == ".md"
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken


def test_no_paths_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in project_files()
        if path.suffix in TEXT and path != Path(__file__).resolve()
        for match in [MACHINE_PATH.search(path.read_text(encoding="utf-8", errors="replace"))]
        if match
    ]
    assert not found


def test_tree_in_the_readme_names_every_package() -> None:
    tree = README.read_text(encoding="utf-8").partition("## The tree")[2]
    packages = {
        path.parent.name
        for stage in ("garments", "extract", "annotate", "curate", "finetune", "garmentloop")
        for path in (ROOT / stage).rglob("__init__.py")
    }
    missing = [name for name in sorted(packages) if f"{name}/" not in tree]
    assert not missing


def test_make_targets_in_the_docs_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in (README, ROOT / "CONTRIBUTING.md"):
        named = set(re.findall(r"`?make ([a-z]+)", page.read_text(encoding="utf-8")))
        assert named <= targets | {"a"}, f"{page.name} names targets that do not exist"


def test_changelog_has_a_place_for_the_next_change() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def write_pasted() -> None:
    """Put the real help and the measured table into the README."""

    def fresh(match: re.Match[str]) -> str:
        return f"<!-- help:{match[1]} -->\n```\n{real_help(match[1])}```\n<!-- /help -->"

    text = PASTED.sub(fresh, README.read_text(encoding="utf-8"))
    table = f"<!-- speed -->\n{measured()}<!-- /speed -->"
    README.write_text(SPEED.sub(lambda _: table, text), encoding="utf-8")


if __name__ == "__main__":
    write_pasted()
