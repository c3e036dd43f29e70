"""Answers come into the catalogue by themselves while Label Studio is up."""

import shutil
import time

import pytest
from pulling import Crowd, expect_each_once, numbers, push_all

from annotate.studio.client import Studio
from garmentloop import following
from garments import processes

PATIENCE = 120.0


def until(happened, dataset):
    deadline = time.monotonic() + PATIENCE
    while not happened():
        said = following.log_path(dataset)
        assert time.monotonic() < deadline, said.read_text() if said.exists() else "no log"
        time.sleep(0.1)


def lives(dataset) -> bool:
    return bool(processes.living_pid(following._pid_path(dataset)))


@pytest.fixture
def followed(studio: Studio):
    following.begin(studio.dataset)
    yield studio
    following.end(studio.dataset)


def test_from_before_the_first_push_until_it_is_told_to_end(followed):
    dataset = followed.dataset
    until(lambda: "Nothing was pushed yet" in following.log_path(dataset).read_text(), dataset)
    tasks = numbers(followed, push_all(followed))
    crowd = Crowd(followed, {})
    crowd.annotate(tasks[:2])
    until(lambda: dataset.catalog.count("labels") == 2, dataset)
    following.begin(dataset)  # one is enough
    crowd.annotate(tasks[2:3])
    until(lambda: dataset.catalog.count("labels") == 3, dataset)
    expect_each_once(dataset, crowd.expected)
    assert following.end(dataset) and not lives(dataset) and not following.end(dataset)


def test_it_ends_with_its_data_set(followed):
    dataset = followed.dataset
    until(lambda: "Nothing was pushed yet" in following.log_path(dataset).read_text(), dataset)
    pid = processes.living_pid(following._pid_path(dataset))
    shutil.rmtree(dataset.folder)
    deadline = time.monotonic() + PATIENCE
    while processes._children and processes._children[-1].poll() is None:
        assert time.monotonic() < deadline, f"process {pid} lives on"
        time.sleep(0.1)
    assert not dataset.folder.exists()
