"""Stand-ins that take their time, and a run of them: `python slow_paint.py PHOTOS DATASET RAY`."""

import sys
import time
from pathlib import Path

import psutil
from standins import PaintDetector, PaintParser

from extract.run import RunOptions, run
from garmentloop.options import WorkersChoice
from garmentloop.workers.cluster import open_workers
from garments.dataset import Dataset

OPTIONS = RunOptions(batch=2, commit_photos=2, commit_seconds=0.2)


class SlowDetector(PaintDetector):
    """Finds people, but sleeps over every photo."""

    def detect(self, images):
        time.sleep(0.1 * len(images))
        return super().detect(images)


def extract(dataset: Dataset, photos: Path, workers=None, options=OPTIONS):
    models = {"detector": SlowDetector(), "parser": PaintParser()}
    return run(dataset, [str(photos)], options, workers=workers, **models)


def main(photos: str, folder: str, cluster: str) -> None:
    with open_workers(WorkersChoice(cluster=cluster)) as workers:
        below = psutil.Process().children(recursive=True)
        listening = {
            connection.laddr.ip.removeprefix("::ffff:")
            for process in below
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        print("listening", *listening, flush=True)
        print("processes", *(process.pid for process in below), flush=True)
        for progress in extract(Dataset.open_or_create(folder), Path(photos), workers):
            print(progress.done, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
