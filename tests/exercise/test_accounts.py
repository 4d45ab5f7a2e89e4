"""Tokens and the state folder: where they come from."""

from pathlib import Path

import pytest

from socle.exercise.accounts import NoToken, find_account, load_accounts
from socle.exercise.cli import NoState, default_state


def test_the_environment_gives_the_token_of_the_default_account() -> None:
    assert load_accounts({"SOCLE_EXERCISE_TOKEN": " secret "}, None) == {"secret": "exercice"}


def test_a_file_gives_one_token_a_line_with_or_without_an_account(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("# comment\n\nmelle first\nsecond\n", encoding="utf-8")
    assert load_accounts({}, file) == {"first": "melle", "second": "exercice"}


def test_no_token_at_all_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(NoToken):
        load_accounts({"SOCLE_EXERCISE_TOKEN": ""}, file)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoToken, match="absent"):
        load_accounts({}, tmp_path / "absent")


@pytest.mark.parametrize(
    ("header", "account"),
    [
        ("Bearer secret", "melle"),
        ("bearer secret", "melle"),
        ("Basic secret", None),
        ("Bearer secre", None),
        ("Bearer ", None),
        ("", None),
        ("Bearer sécret", None),
    ],
)
def test_a_bearer_header_opens_its_account_only(header: str, account: str | None) -> None:
    assert find_account({"secret": "melle"}, header) == account


def test_the_state_folder_comes_from_its_own_variable_first() -> None:
    environment = {"SOCLE_EXERCISE_STATE": "/a", "SOCLE_FILES_DIR": "/b/files"}
    assert default_state(environment) == Path("/a")


def test_the_state_folder_stands_else_beside_the_files() -> None:
    assert default_state({"SOCLE_FILES_DIR": "/b/files"}) == Path("/b/exercise")


def test_no_state_folder_is_refused() -> None:
    with pytest.raises(NoState, match="--state"):
        default_state({})
