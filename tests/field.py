"""Files of the field that are shared beside the project: a test that wants one goes without it."""

from pathlib import Path

import pytest

_SAMPLES = Path(__file__).resolve().parents[2] / "shared/data/samples"


def sample(name: str) -> bytes:
    """The content of a sample, called by its path among them; the test is skipped without it."""
    place = _SAMPLES / name
    if not place.exists():
        pytest.skip("l’exemple n’est pas là")
    return place.read_bytes()
