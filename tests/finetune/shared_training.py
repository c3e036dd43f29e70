"""A training that several processes share: `torchrun shared_training.py DATA OUT`."""

import sys
from dataclasses import replace
from pathlib import Path

from training_run import RECIPE, train

ALIKE = replace(RECIPE, backbone="timm:test_vit", epochs=3, dropout=0.0, mix=0.0)
"""Without batch norms and chance, the order in which is added up is all that differs."""

if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]), recipe=ALIKE)
