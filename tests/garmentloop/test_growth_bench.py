"""What grows can be measured, tabled and drawn."""

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

from typer.testing import CliRunner

from garmentloop.bench import apart, benches
from garmentloop.bench.__main__ import app
from garmentloop.bench.growth.tabled import GARMENTS, PHOTOS


def test_growth_is_measured_when_it_is_asked_for(tmp_path: Path) -> None:
    assert "growth" in apart() and "growth" not in benches()
    out, plot = tmp_path / "growth.json", tmp_path / "growth.svg"
    result = CliRunner().invoke(
        app,
        [
            *("growth", "--small", "--json", str(out), "--plot", str(plot)),
            *("--scratch", str(tmp_path)),
        ],
    )
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    for key in GARMENTS:
        assert {f"growth_{key}_{count}" for count in (100, 1_000, 10_000)} <= figures.keys()
    assert {f"growth_photo_ms_{count}" for count in (10, 100, 1_000)} <= figures.keys()
    lines = [line for line in result.output.splitlines() if not line.startswith("growth_")]
    assert all(any(title in line for line in lines) for title in (PHOTOS | GARMENTS).values())
    drawn = fromstring(plot.read_text())
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == 3 * 6 + 1
    assert plot.stat().st_size < 60_000
