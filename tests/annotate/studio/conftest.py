"""A real Label Studio for tests: started once a session, with a second annotator.

`studio_server` is the running server, `studio_dataset` makes data sets that use it, and
`own_server` makes one that a test may kill. All tests here skip where Label Studio is missing.
"""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from real_studio import (
    SECOND_PASSWORD,
    SECOND_USER,
    START_SECONDS,
    Person,
    StudioServer,
    borrow,
    make_template,
    sign_up,
)
from standin_taggers import add_garments

from annotate.studio import server
from annotate.studio.client import Studio, connect
from annotate.studio.project import studio_folder
from annotate.studio.state import STATE_FILE, ServerState
from garments.catalog.lock import exclusive
from garments.dataset import Dataset

MakeDataset = Callable[..., Dataset]


@pytest.fixture(autouse=True)
def no_studio_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)


@pytest.fixture(scope="session")
def studio_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StudioServer]:
    """A running server with two annotators; stopped at the end of the session."""
    if importlib.util.find_spec("label_studio") is None:
        pytest.skip("needs Label Studio: pip install -c constraints.txt -e '.[annotate]'")
    home = Dataset.create(tmp_path_factory.mktemp("studio") / "home")
    template = Path(request.config.cache.mkdir(f"label-studio-{metadata.version('label-studio')}"))
    try:
        # Making the database takes most of a first start, so one is kept for later sessions.
        with exclusive(template / "lock", START_SECONDS):
            if not (template / STATE_FILE).exists():
                make_template(template, home)
        token = (template / "second_token").read_text(encoding="utf-8")
        if not server.running(home):
            shutil.copytree(template / "data", studio_folder(home) / "data")
            shutil.copy(template / STATE_FILE, studio_folder(home))
        state, _ = server.start(home, 0, timeout=START_SECONDS)
        yield StudioServer(
            home,
            template / "data",
            state,
            Person(state.username, state.password, state.token),
            Person(SECOND_USER, SECOND_PASSWORD, token),
        )
    finally:
        server.stop(home)


@pytest.fixture(scope="session")
def people(studio_server: StudioServer) -> list[Person]:
    """Three who label: the server's owner, and two who signed up by the invitation."""
    email, password = "third@localhost.test", "Third-Annotator-1"
    third = Person(email, password, sign_up(studio_server.state, email, password))
    return [studio_server.first, studio_server.second, third]


@pytest.fixture
def studio_dataset(
    studio_server: StudioServer, tmp_path_factory: pytest.TempPathFactory
) -> MakeDataset:
    """`studio_dataset(garments=10, name=None)`: a new data set that the server can serve.

    `connect(dataset)` finds the session's server, as if it had been started for that data set.
    """
    below = studio_server.home.folder / "others"

    def make(garments: int = 10, name: str | None = None) -> Dataset:
        folder = below / f"d{len(list(below.glob('*'))) if below.exists() else 0:03d}"
        dataset = Dataset.create(folder, name=name or f"test {folder.name}")
        add_garments(dataset, garments)
        borrow(dataset, studio_server.home)
        return dataset

    return make


@pytest.fixture
def own_server(
    studio_server: StudioServer, tmp_path: Path
) -> Iterator[Callable[..., tuple[Dataset, ServerState]]]:
    """`own_server(garments=10)`: a data set and a server of its own, which the test may kill.

    It begins with a copy of a database that nobody used yet, so that it is up in seconds, and no
    other test's garments, which bear the same names, are in it. Start it again with
    `server.start(dataset)`; it is stopped at the end.
    """
    made: list[Dataset] = []

    def make(garments: int = 10) -> tuple[Dataset, ServerState]:
        dataset = Dataset.create(tmp_path / f"own{len(made)}")
        made.append(dataset)
        add_garments(dataset, garments)
        shutil.copytree(studio_server.template, studio_folder(dataset) / "data")
        server.write_state(dataset, replace(studio_server.state, url=""))
        state, _ = server.start(dataset, 0, timeout=START_SECONDS)
        return dataset, state

    yield make
    for dataset in made:
        server.stop(dataset)


@pytest.fixture
def studio(studio_dataset: MakeDataset) -> Studio:
    """A client for a new data set of ten garments; `studio.dataset` is the data set."""
    return connect(studio_dataset(10))
