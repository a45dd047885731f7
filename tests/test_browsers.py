"""Where the tests look for a browser, on every platform."""

from pathlib import Path

import pytest

import browsers


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("darwin", {}, "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
        ("win32", {"PROGRAMFILES": "C:/Program Files"}, "C:/Program Files/Google/Chrome/Application/chrome.exe"),
        ("win32", {"LOCALAPPDATA": "C:/Users/a/Local"}, "C:/Users/a/Local/Chromium/Application/chrome.exe"),
        ("win32", {"PROGRAMFILES(X86)": "C:/P86"}, "C:/P86/Microsoft/Edge/Application/msedge.exe"),
    ],
)
def test_the_usual_folders_are_searched(platform, environ, expected):
    assert Path(expected) in browsers.candidates(platform, environ)


def test_the_path_comes_first_and_a_named_browser_before_all(monkeypatch):
    monkeypatch.setattr(browsers.shutil, "which", lambda name: "/opt/" + name if name == "google-chrome" else None)
    assert browsers.candidates("linux", {}) == [Path("/opt/google-chrome")]
    monkeypatch.setenv("VERTEBRA_BROWSER", "/my/browser")
    assert browsers.find_browser() == "/my/browser"
