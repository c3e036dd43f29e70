"""What a Ray cluster of the tests needs: the stand-ins, and a quiet life on 127.0.0.1."""

import os
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[2]
STANDINS = [TESTS / name for name in ("extract", "annotate", "finetune")]
PLACES = [str(p) for p in (TESTS.parent, *STANDINS, Path(__file__).parent)]
sys.path[:0] = [place for place in PLACES if place not in sys.path]

RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_LOG_LEVEL": "CRITICAL",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # 127.0.0.1 stays what it is; else Ray would take this machine's outer address for it
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
os.environ.update(RAY)  # read when Ray is imported, which any test may do first
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(PLACES), **RAY}


def node(**resources: float) -> dict[str, Any]:
    """What a node of the cluster has."""
    return {
        "node_ip_address": "127.0.0.1",
        "include_dashboard": False,
        "object_store_memory": 100 << 20,
        **resources,
    }
