from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def vault(tmp_path: Path, settings: Any) -> Path:
    """The encrypted files of this test, on the storage a real installation uses."""
    place = tmp_path / "vault"
    backend = "socle.documents.storage.AtomicFileSystemStorage"
    stored = {"BACKEND": backend, "OPTIONS": {"location": str(place)}}
    settings.STORAGES = {**settings.STORAGES, "vault": stored}
    return place
