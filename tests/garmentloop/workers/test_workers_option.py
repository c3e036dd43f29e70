"""`--workers`: what may be said, and what is answered where there is no cluster."""

import pickle
import socket

import pytest
import typer
from standin_taggers import PixelTagger
from standins import PaintDetector, PaintParser

from annotate.hearing import Panel
from extract.claims import Claims
from extract.outcome import Fate
from extract.pipeline import Threads
from extract.roles import Roles
from garmentloop.options import WorkersChoice
from garmentloop.workers.cluster import open_workers
from garmentloop.workers.pipeline import TRIES, RayWorkers, Share
from garments.errors import ClusterError, ModelError
from garments.idset import IdSet
from garments.settings import Settings
from garments.taxonomy import Taxonomy


@pytest.mark.parametrize("text", ["3", "ray", "ray://auto", "ray://10.0.0.1:6379"])
def test_what_may_be_said_reads_the_same_again(text):
    assert str(WorkersChoice.parse(text)) == text


@pytest.mark.parametrize("text", ["0", "-1", "two", "rays", "ray://", "ray://head", "http://a:1"])
def test_what_may_not_is_answered_with_what_may(text):
    with pytest.raises(typer.BadParameter, match="ray://HOST:PORT, but got"):
        WorkersChoice.parse(text)


def test_threads_need_no_cluster():
    with open_workers(None) as nobody, open_workers(WorkersChoice(threads=3)) as three:
        assert nobody is None
        assert isinstance(three, Threads)


def test_without_ray_the_install_line_is_told(monkeypatch):
    monkeypatch.setattr("garments.extras.find_spec", lambda name: None)
    with (
        pytest.raises(ModelError, match=r"pip install 'garmentloop\[ray\]'"),
        open_workers(WorkersChoice(cluster="ray")),
    ):
        pass


def test_a_cluster_that_is_not_there_is_told_at_once(garmentloop_command, tmp_path):
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"ray://127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "in").mkdir()
    ran = garmentloop_command(
        "extract", tmp_path / "in", "-d", tmp_path / "data", "--workers", address
    )
    assert ran.returncode == 1
    assert "expected a Ray cluster at" in ran.stderr and "ray start --head" in ran.stderr
    assert issubclass(ClusterError, Exception)


def test_models_are_held_on_every_gpu_else_on_every_core():
    assert Share.of({"CPU": 16, "GPU": 2}, gpus=True) == Share(2, gpus=1)
    assert Share.of({"CPU": 16, "GPU": 2}, gpus=False) == Share(16, gpus=0)
    assert Share.of({}, gpus=True) == Share(1, gpus=0)


def test_a_claim_is_the_same_when_asked_again_and_travels_as_what_is_done():
    claims = Claims(IdSet(["d" * 16]))
    assert claims.claim("a" * 16, "one") is None
    assert claims.claim("a" * 16, "two") is Fate.DUPLICATE
    assert claims.claim("a" * 16, "one") is None
    there = pickle.loads(pickle.dumps(claims.elsewhere()))
    assert there.claim("d" * 16, "one") is Fate.DONE
    assert there.claim("a" * 16, "two") is None


def test_roles_travel_unloaded_and_refuse_another_model(monkeypatch):
    given = Roles(Settings(), detector=PaintDetector(), parser=PaintParser())
    assert pickle.loads(pickle.dumps(given)).detector.fingerprint == "paint-1"
    roles = Roles(Settings())
    assert roles.detector_identity and roles.detector
    there = pickle.loads(pickle.dumps(roles))
    assert "detector" not in vars(there)
    monkeypatch.setattr("extract.roles._folder_identity", lambda *_: "another")
    with pytest.raises(ModelError, match="the same detector starter on every machine"):
        _ = there.detector


class Panels:
    """How the taggers of the test are loaded elsewhere."""

    weights = "w1"

    @classmethod
    def load(cls):
        return [PixelTagger(Taxonomy.default(), weights=cls.weights)]


def test_taggers_travel_unloaded_and_others_are_refused(monkeypatch):
    panel = pickle.loads(pickle.dumps(Panel(Panels.load(), Panels.load)))
    assert panel.taggers[0].weights_hash == "w1"
    again = pickle.loads(pickle.dumps(Panel(Panels.load(), Panels.load)))
    monkeypatch.setattr(Panels, "weights", "w2")
    with pytest.raises(ModelError, match="the same taggers on every machine"):
        _ = again.taggers


class Losing(RayWorkers):
    """A cluster that loses a machine after so many batches, each time that work is given out."""

    def __init__(self, *lost_after: int) -> None:
        super().__init__()
        self.lost_after, self.given = iter(lost_after), 0

    def _results(self, batches, steps):
        from ray.exceptions import NodeDiedError

        self.given += 1
        until = next(self.lost_after, None)
        yield from batches[:until]
        if until is not None:
            raise NodeDiedError("it died")


def test_what_was_lost_is_given_out_again_and_nothing_else():
    pytest.importorskip("ray")
    workers = Losing(2, 0, 1)
    assert list(workers.run(range(10), [], 2)) == [*range(10)]
    assert workers.given == 4


def test_a_cluster_that_does_nothing_more_is_given_up():
    exceptions = pytest.importorskip("ray").exceptions
    workers = Losing(1, *[0] * TRIES)
    done = workers.run(range(10), [], 2)
    assert [next(done), next(done)] == [0, 1]
    with pytest.raises(exceptions.NodeDiedError):
        next(done)
    assert workers.given == TRIES
