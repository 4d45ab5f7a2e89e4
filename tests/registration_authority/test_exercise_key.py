"""The little program that makes an exercise key on the holder's machine."""

from pathlib import Path

import pytest

from registration_authority import exercise_key
from registration_authority.pki.csr import check_subject, read_request


def test_the_request_is_fit_for_the_counter_and_the_key_for_its_owner_only(tmp_path: Path) -> None:
    key, request = exercise_key.write(tmp_path, email="m@melle.fr", siren="200081511")
    read = read_request(request.read_bytes(), min_rsa_bits=3072)
    check_subject(read, email="m@melle.fr", siren="200081511")
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_former_key_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "exercice.key").write_text("avant")
    with pytest.raises(FileExistsError):
        exercise_key.write(tmp_path, email="m@melle.fr", siren="200081511")
    assert (tmp_path / "exercice.key").read_text() == "avant"
