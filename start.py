"""Open the course: `python3 start.py`. Run every test: `... start.py test`. Build its web site: `... start.py site`.

The first run sets up `.venv` beside this file from the locked set of packages; later runs need no network.
Standard library only, and no syntax that an old Python cannot read: it must live long enough to say that it is too old.
"""

import argparse
import contextlib
import hashlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parent
VENV, READY = ROOT / ".venv", ROOT / ".venv" / "ready.txt"  # ready.txt comes last: a set-up cut short is done again
LOCKS = {"course": "requirements.lock", "site": "requirements-site.lock", "test": "requirements-test.lock"}
PARALLEL = ["-nauto", "--dist=loadfile"]
FIRST = "/doc/tree/lessons/00_start.ipynb"
CAUSES = {  # what a failed step says, the surest sign first -> what to tell the user
    "no space left|errno 28|not enough space": "The disk is full: free about 2 GB and start again.",
    "permission denied|access is denied|read-only": "This folder cannot be written to: move it into one of your own.",
    "ensurepip": "This Python lacks its venv part: on Debian or Ubuntu run `sudo apt install python3-venv`.",
    "do not match|hash mismatch": "A download is not the locked package: start again, or get the course afresh.",
    "name resolution|dns error|failed to fetch|connection|unreachable|timed out|no matching|certificate": "The package "
    "index cannot be reached: connect to the internet (mirror or proxy: PIP_INDEX_URL, HTTPS_PROXY) and start again.",
}


class Problem(Exception):
    """One sentence for the user: what went wrong, and the mend."""


def explain(output: str) -> str:
    """Return the sentence for the first known cause in a failed step's output (own path aside), or its last words."""
    known = [words for cause, words in CAUSES.items() if re.search(cause, output.replace(str(ROOT), "."), re.I)]
    return (known or [f"Set-up failed ({' '.join(output.split())[-300:]}): delete the folder .venv, start again."])[0]


def python_in(folder: PurePath, platform: str = sys.platform) -> PurePath:
    """Return the path of a virtual environment's Python."""
    return folder.joinpath(*(["Scripts", "python.exe"] if platform == "win32" else ["bin", "python"]))


def stamp(kind: str) -> str:
    """Return what a finished set-up is recognised by: the lock, this Python's version and the place."""
    lock = hashlib.sha256((ROOT / LOCKS[kind]).read_bytes()).hexdigest()
    return "{} {} {}.{} {}".format(kind, lock, *sys.version_info[:2], ROOT)


def set_up(kind: str) -> None:
    """Install the locked set into `.venv`, made anew, unless one that holds it is there; each holds the course's."""
    python, done = Path(python_in(VENV)), READY.read_text(encoding="utf-8") if READY.is_file() else ""
    if python.exists() and done in [stamp(other) for other in (LOCKS if kind == "course" else ["test", kind])]:
        return
    print("Setting up the course in .venv: once, about a minute ...", flush=True)
    if shutil.disk_usage(str(ROOT)).free < 2e9:
        raise Problem(explain("no space left"))
    env = dict(os.environ, VIRTUAL_ENV=str(VENV), PIP_DISABLE_PIP_VERSION_CHECK="1")
    if "PIP_INDEX_URL" in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    steps = ["pip install --require-hashes --no-deps -r .venv/uv.txt", f"uv pip sync --require-hashes {LOCKS[kind]}"]
    steps.append("uv pip install --no-deps --no-build-isolation -e .")
    try:
        venv.create(str(VENV), clear=True, symlinks=os.name != "nt", with_pip=True)
        lock = (ROOT / LOCKS[kind]).read_text(encoding="utf-8")
        (VENV / "uv.txt").write_text(re.findall(r"^uv==(?:.*\\\n)*.*", lock, re.MULTILINE)[0], encoding="utf-8")
        for step in steps:
            command = [str(python), "-m", *step.split()]
            subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
        READY.write_text(stamp(kind), encoding="utf-8")
    except subprocess.CalledProcessError as error:
        raise Problem(explain(f"{error.cmd[1:]} {(error.stdout or b'').decode(errors='replace')}")) from None
    except OSError as error:
        raise Problem(explain(str(error))) from None


def free_port(wanted: "int | None") -> int:
    """Return the wanted port if it is free, else the first free one from 8888 on."""
    for port in [wanted] if wanted is not None else range(8888, 8988):
        with contextlib.suppress(OSError, OverflowError):
            socket.create_server(("127.0.0.1", port)).close()
            return port
    raise Problem(f"Port {wanted or '8888-8987'} is in use: choose another with --port, or leave --port out.")


def lab_command(python: PurePath, root: PurePath, port: int, token: str, flags: "list[str]") -> "list[str]":
    """Return the command that opens the first lesson in JupyterLab."""
    server = [f"root_dir={root}", f"port={port}", "port_retries=0", "ip=127.0.0.1", "answer_yes=1", "log_level=ERROR"]
    options = [f"IdentityProvider.token={token}", f"LabApp.default_url={FIRST}", *[f"ServerApp.{x}" for x in server]]
    return [str(python), "-m", "jupyterlab", *[f"--{option}" for option in options], *flags]


def lab_environment(root: PurePath, environ: "dict[str, str]") -> "dict[str, str]":
    """Return the environment that gives JupyterLab the course's settings and leaves the user's own Jupyter alone."""
    own, shipped = root / ".venv" / "jupyter", root / "deploy" / "jupyter"
    folders = {"CONFIG_PATH": shipped, "CONFIG_DIR": own / "config", "DATA_DIR": own / "data", "PREFER_ENV_PATH": 1}
    return dict(environ, IPYTHONDIR=str(own / "ipython"), **{f"JUPYTER_{k}": str(v) for k, v in folders.items()})


def open_course(port: int, flags: "list[str]") -> int:
    """Run JupyterLab until the user stops it; say the address as soon as it answers."""
    token, address = secrets.token_urlsafe(16), f"http://127.0.0.1:{port}"
    command = lab_command(python_in(VENV), ROOT, port, token, flags)
    with subprocess.Popen(command, env=lab_environment(ROOT, dict(os.environ)), cwd=ROOT) as lab:
        try:
            while lab.poll() is None:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{address}/api", timeout=1).close()
                    print(f"The course is open at {address}{FIRST}?token={token}\nStop it with Ctrl+C.", flush=True)
                    return lab.wait()
                time.sleep(0.1)
            raise Problem("JupyterLab stopped at once: delete the folder .venv and start again.")
        finally:
            lab.terminate()


def main(arguments: "list[str]") -> int:
    """Set up if need be, then open the course or run the tests."""
    parser = argparse.ArgumentParser(description="Open the course, test it or build its site; more options go on.")
    parser.add_argument("what", nargs="?", choices=["open", "test", "site"], default="open")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    parser.add_argument("--port", type=int, help="the port to use (default: a free one)")
    options, rest = parser.parse_known_args(arguments)
    try:
        if not (3, 11) <= sys.version_info[:2] <= (3, 13):
            raise Problem("This is Python {}.{}; the course needs 3.11, 3.12 or 3.13.".format(*sys.version_info[:2]))
        if options.what == "open":
            port = free_port(options.port)
            set_up("course")
            as_root = ["--allow-root"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
            return open_course(port, as_root + ["--no-browser"] * options.no_browser + rest)
        set_up(options.what)
        rest = ["vertebra", "site", "build", *rest] if options.what == "site" else ["pytest", *(rest or PARALLEL)]
        return subprocess.call([python_in(VENV), "-m", *rest], cwd=ROOT)
    except (Problem, KeyboardInterrupt) as problem:
        print(str(problem) or "Stopped.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
