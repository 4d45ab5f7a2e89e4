"""Which browser the tests use."""

from pathlib import Path

import pytest

from socle.stack import browser


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any browser: an empty PATH, an empty home."""
    for name in ("CHROMIUM", "PLAYWRIGHT_BROWSERS_PATH", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_bare_machine_has_none(bare: Path) -> None:
    assert browser.find() is None


def test_the_named_one_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "chromium")
    mine = program(bare / "mine" / "chrome")
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert browser.find() == mine


def test_a_named_one_that_cannot_run_is_not_replaced(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bare / "chromium")
    monkeypatch.setenv("CHROMIUM", str(bare / "missing"))
    assert browser.find() is None


def test_the_one_on_the_path_comes_before_the_downloaded_one(bare: Path) -> None:
    downloaded = program(bare / ".cache/ms-playwright/chromium-1200/chrome-linux/chrome")
    assert browser.find() == downloaded
    installed = program(bare / "chromium")
    assert browser.find() == installed


def test_without_browser_the_command_explains_and_goes_on(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browser, "install", lambda: None)
    assert browser.main() == 0
    assert "apt-get install chromium" in capsys.readouterr().out


def test_without_browser_continuous_integration_fails(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "install", lambda: None)
    monkeypatch.setenv("CI", "true")
    assert browser.main() == 1


def test_an_installation_that_succeeds_is_used(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def apt_works(command: list[str]) -> bool:
        if "install" in command:
            program(bare / "chromium")
        return True

    program(bare / "apt-get")
    program(bare / "sudo")
    monkeypatch.setattr(browser, "_succeeds", apt_works)
    assert browser.install() == bare / "chromium"
