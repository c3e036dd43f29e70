"""Every tagger on the test split as an evaluation of its own, in FiftyOne."""

from curated_data import garment_ids, label, propose, split

from curate.fiftyone.sync import sync
from curate.fiftyone.window import open_window
from garments.proposals import readings


def test_a_run_of_each_tagger_on_the_test_split(curated, mongo_uri):
    dataset = curated(photos=6)
    ids = garment_ids(dataset)
    test = ids[:4]
    for garment in ids:
        # as the tagger in force has it, so that it is right everywhere
        label(dataset, garment, "pattern", *readings(dataset)[garment]["pattern"].values)
    for at, garment in enumerate(ids):
        split(dataset, garment, "test" if at < 4 else "train")
    propose(dataset, test, "model:v1", "w1", ["pattern"])
    list(sync(dataset, mongo=mongo_uri))
    with open_window(dataset, mongo_uri) as window:
        runs = [key for key in window.garments.list_evaluations() if key.startswith("eval_test_")]
        assert runs == ["eval_test_pattern_model_v1", "eval_test_pattern_proposed"]
        mine, force = (window.garments.load_evaluation_results(key) for key in runs)
        assert len(mine.ytrue) == len(force.ytrue) == 4
        assert force.metrics()["accuracy"] == 1 > mine.metrics()["accuracy"]
        assert len(window.garments.load_evaluation_results("eval_pattern").ytrue) == len(ids)
    # without a test split there is nothing to compare on
    for garment in test:
        split(dataset, garment, "train")
    list(sync(dataset, mongo=mongo_uri))
    with open_window(dataset, mongo_uri) as window:
        assert window.garments.list_evaluations() == ["eval_pattern"]
