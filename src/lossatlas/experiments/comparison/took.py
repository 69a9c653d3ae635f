"""How long work took that may have been stopped and gone on."""

import json
from pathlib import Path

from lossatlas.store import write_durably


def add_time(folder: Path, key: str, seconds: float) -> float:
    """Add to the seconds that the work of a key has taken in ``folder`` so far, and return their sum."""
    path = folder / "took.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[key] = known.get(key, 0.0) + seconds
    write_durably(path, [json.dumps(known).encode()])
    return float(known[key])
