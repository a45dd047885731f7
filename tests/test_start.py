"""start.py on every platform: the paths and commands it builds, and one clear sentence for whatever goes wrong."""

import socket
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

import start

ROOT = Path(__file__).parents[1]
PLATFORMS = [
    ("win32", PureWindowsPath("C:/Users/Ann Lee/vertebra"), r"C:\Users\Ann Lee\vertebra\.venv\Scripts\python.exe"),
    ("darwin", PurePosixPath("/Users/ann/vertebra"), "/Users/ann/vertebra/.venv/bin/python"),
    ("linux", PurePosixPath("/home/ann/vertebra"), "/home/ann/vertebra/.venv/bin/python"),
]


@pytest.mark.parametrize(("platform", "root", "python"), PLATFORMS)
def test_paths_and_command_on_each_platform(platform, root, python):
    found = start.python_in(root / ".venv", platform)
    assert str(found) == python
    command = start.lab_command(found, root, 8890, "secret", ["--no-browser"])
    assert command[:3] == [python, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={root}" in command  # one argument, spaces and all
    assert {"--ServerApp.port=8890", "--IdentityProvider.token=secret", "--no-browser"} <= set(command)
    assert "--LabApp.default_url=/doc/tree/lessons/00_start.ipynb" in command
    environment = start.lab_environment(root, {"PATH": "x", "JUPYTER_CONFIG_DIR": "the user's own"})
    assert environment["JUPYTER_CONFIG_PATH"] == str(root / "deploy" / "jupyter")
    assert environment["JUPYTER_CONFIG_DIR"] == str(root / ".venv" / "jupyter" / "config")
    assert environment["PATH"] == "x"


def test_the_shipped_settings_are_where_the_command_looks():
    folder = Path(start.lab_environment(ROOT, {})["JUPYTER_CONFIG_PATH"])
    for name in ("jupyter_server_config.py", "labconfig/default_setting_overrides.json", "labconfig/page_config.json"):
        assert (folder / name).is_file()
    assert (ROOT / start.FIRST.removeprefix("/doc/tree/")).is_file()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("error: Failed to fetch: dns error: failed to lookup address information", "connect to the internet"),
        ("Could not find a version ... No matching distribution found for uv==0.13.8", "connect to the internet"),
        ("[Errno 101] Network is unreachable", "connect to the internet"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the locked package"),
        ("[Errno 13] Permission denied: '/opt/vertebra/.venv'", "one of your own"),
        ("['/x/bin/python', '-m', 'ensurepip', '--upgrade'] exit status 1", "apt install python3-venv"),
        ("something nobody thought of", "delete the folder .venv"),
        # What uv always says, and a folder that is called so, are no causes.
        ("Resolved 113 packages in 5ms\nerror: Permission denied (os error 13)", "one of your own"),
        ("Resolved 113 packages in 5ms, some time later: a broken wheel", "delete the folder .venv"),
    ],
)
def test_each_failure_is_one_sentence_with_its_mend(output, words):
    sentence = start.explain(output)
    assert words in sentence
    assert "\n" not in sentence


def test_a_busy_port_is_said_and_a_free_one_found():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(start.Problem, match=f"Port {port} is in use: choose another"):
            start.free_port(port)
    assert start.free_port(port) == port
    assert 8888 <= start.free_port(None) < 8988
    with pytest.raises(start.Problem):
        start.free_port(70_000)


def test_a_full_disk_is_said_before_anything_is_written(tmp_path, monkeypatch):
    pretend(monkeypatch, tmp_path)
    monkeypatch.setattr(start.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1e9}))
    with pytest.raises(start.Problem, match="disk is full"):
        start.set_up("course")
    assert not (tmp_path / ".venv").exists()


def pretend(monkeypatch, folder):
    """Let start.py believe that the course is in `folder`."""
    monkeypatch.setattr(start, "ROOT", folder)
    monkeypatch.setattr(start, "VENV", folder / ".venv")
    monkeypatch.setattr(start, "READY", folder / ".venv" / "ready.txt")
    for name in start.LOCKS.values():
        (folder / name).write_text("uv==1.0 \\\n    --hash=sha256:00\n")


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """A course whose set-up steps are recorded and not run."""
    pretend(monkeypatch, tmp_path)
    steps = []

    def create(folder, **_):
        python = Path(start.python_in(Path(folder)))
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    monkeypatch.setattr(start.venv, "create", create)
    monkeypatch.setattr(start.subprocess, "run", lambda command, **_: steps.append(command[2:]))
    return steps


def test_set_up_installs_from_the_lock_with_hashes_and_then_needs_nothing(pretended, tmp_path):
    start.set_up("course")
    assert [step[:2] for step in pretended] == [["pip", "install"], ["uv", "pip"], ["uv", "pip"]]
    assert all("--require-hashes" in step for step in pretended[:2])
    assert (tmp_path / ".venv" / "uv.txt").read_text() == "uv==1.0 \\\n    --hash=sha256:00"
    pretended.clear()
    start.set_up("course")
    assert pretended == []


def test_the_test_set_serves_the_course_too_and_not_the_other_way(pretended):
    start.set_up("course")
    pretended.clear()
    start.set_up("test")
    assert "requirements-test.lock" in pretended[1]
    pretended.clear()
    start.set_up("course")
    assert pretended == []


@pytest.mark.parametrize("there", ["site", "test"])
def test_the_site_set_serves_the_course_too_and_the_test_set_serves_the_site(pretended, there):
    start.set_up(there)
    pretended.clear()
    start.set_up("course")
    start.set_up("site")
    assert pretended == []
    start.set_up("test")
    assert bool(pretended) == (there == "site")


def test_a_half_finished_or_outdated_set_up_is_done_again(pretended, tmp_path, monkeypatch):
    def fail(command, **_):
        raise subprocess.CalledProcessError(1, command, b"No space left on device")

    record = start.subprocess.run
    monkeypatch.setattr(start.subprocess, "run", fail)
    with pytest.raises(start.Problem, match="disk is full"):
        start.set_up("course")
    monkeypatch.setattr(start.subprocess, "run", record)
    start.set_up("course")
    assert len(pretended) == 3
    pretended.clear()
    (tmp_path / "requirements.lock").write_text("uv==2.0 \\\n    --hash=sha256:01\n")
    start.set_up("course")
    assert len(pretended) == 3
    pretended.clear()
    Path(start.python_in(tmp_path / ".venv")).unlink()
    start.set_up("course")
    assert len(pretended) == 3


def test_the_courses_own_path_is_no_cause(monkeypatch):
    folder = Path("/home/ann/connection timed out")
    monkeypatch.setattr(start, "ROOT", folder)
    assert "delete the folder .venv" in start.explain(f"{folder}/.venv/x.whl: a broken wheel")


def test_a_set_up_that_is_stopped_by_hand_says_so_and_shows_no_traceback(pretended, monkeypatch, capsys):
    def stop(command, **_):
        raise KeyboardInterrupt

    monkeypatch.setattr(start.subprocess, "run", stop)
    assert start.main(["--no-browser"]) == 1
    assert capsys.readouterr().err == "Stopped.\n"


def test_stopping_the_course_ends_jupyterlab_too(monkeypatch):
    pids = []

    class Recorded(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            pids.append(self)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(start.subprocess, "Popen", Recorded)
    monkeypatch.setattr(start, "lab_command", lambda *_: [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(start.urllib.request, "urlopen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start.open_course(1, [])
    assert pids[0].returncode is not None


def test_an_old_python_is_told_so_by_main(monkeypatch, capsys):
    monkeypatch.setattr(start.sys, "version_info", (3, 10, 1))
    assert start.main([]) == 1
    assert capsys.readouterr().err == "This is Python 3.10; the course needs 3.11, 3.12 or 3.13.\n"


def test_the_file_parses_on_pythons_far_too_old_to_run_the_course():
    import ast

    ast.parse((ROOT / "start.py").read_text(), feature_version=(3, 6))


def test_start_is_short_and_uses_the_standard_library_only():
    import ast

    source = (ROOT / "start.py").read_text()
    assert len(source.splitlines()) < 150
    imported = {
        alias.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= set(sys.stdlib_module_names)
