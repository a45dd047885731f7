"""A JupyterHub on this machine, and people who use it over HTTP as a browser does."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websocket

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300.0  # seconds; on a busy machine a class of twenty starts slowly

# What servers, kernels and nbgrader's commands import. An image has it compiled; students here cannot write beside it.
IMPORTED = [
    *("jupyterhub.singleuser.extension", "jupyterlab.labapp", "jupyter_lsp", "notebook.app", "ipykernel.kernelapp"),
    *("nbgrader.apps.nbgraderapp", "nbgrader.server_extensions.formgrader.formgrader", "nbgrader.converters"),
    *("vertebra.widgets.quiz", "vertebra.widgets.workbench", "vertebra.teaching.nbgrader_course"),
]

# Mounts an empty folder over each private one that students would have to pass through, and puts back in it only what
# they need (Python, its packages, the course). Seen by the hub and its servers alone: it is their own mount namespace.
OPEN_UP = """
set -e
keep=$1 private=$2; shift 2
n=0
for each in $NEEDED; do n=$((n + 1)); mkdir -p $keep/$n; mount --bind $each $keep/$n; done
for each in $private; do mount -t tmpfs -o mode=0755 tmpfs $each; done
n=0
for each in $NEEDED; do n=$((n + 1)); mkdir -p $each; mount --bind $keep/$n $each; umount $keep/$n; done
exec "$@"
"""


def as_root() -> bool:
    """Say whether each person can have a number of their own."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def private_folders(needed: Sequence[Path]) -> list[Path]:
    """Return the outermost folders above `needed` that only their owner may pass through."""
    shut = {next((up for up in reversed(each.parents) if not up.stat().st_mode & 0o001), None) for each in needed}
    return sorted(each for each in shut if each)


def wait_for(what: str, found: Callable[[], Any], patience: float = PATIENCE, pause: float = 0.2) -> Any:
    """Return the first true value of `found`; a lost connection counts as not yet."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if value := found():
                return value
        time.sleep(pause)
    raise TimeoutError(f"waited {patience:.0f} s for {what}")


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]


def install_proxy() -> Path:
    """Return JupyterHub's proxy program, installed once a lock into the user's cache."""
    here = Path(__file__).parent
    lock = hashlib.sha256((here / "package-lock.json").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vertebra-hub-test" / lock
    program = cache / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
    if not program.is_file():
        cache.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache.parent))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(here / name, work)
        command = ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=work, check=True, capture_output=True, timeout=PATIENCE)
        with contextlib.suppress(OSError):  # another run was quicker
            work.rename(cache)
        shutil.rmtree(work, ignore_errors=True)
    return program


@dataclass
class Hub:
    """A hub with its proxy in a folder of its own; the people log in with the passwords."""

    folder: Path
    passwords: dict[str, str]
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address that people see, the proxy's."""
        return f"http://127.0.0.1:{self.ports[1]}"

    def prepare(self) -> None:
        """Make the folders: homes, the hub's own, which nobody else may enter, and the exchange."""
        self.folder.chmod(0o755)
        for name, mode in {"home": 0o755, "hub": 0o700, "exchange": 0o1777, "keep": 0o700, "compiled": 0o755}.items():
            (self.folder / name).mkdir()
            (self.folder / name).chmod(mode)
        secret = self.folder / "passwords.json"
        secret.touch(mode=0o600)
        secret.write_text(json.dumps(self.passwords))
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ["PYTHONPYCACHEPREFIX"] = str(self.folder / "compiled")
        subprocess.run([sys.executable, "-c", f"import {', '.join(IMPORTED)}"], check=True, env=environ)

    def _run(self, name: str, command: list[str], **environ: str) -> None:
        # Appended: what a hub said before it was killed stays to be read.
        with (self.folder / "hub" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder / "hub", stdout=log, stderr=log, env=dict(os.environ, **environ)
            )

    def start_proxy(self) -> None:
        _, port, api = self.ports
        flags = ["--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(api)]
        flags += ["--default-target", f"http://127.0.0.1:{self.ports[0]}", "--log-level", "warn"]
        self._run("proxy", ["node", str(install_proxy()), *flags], CONFIGPROXY_AUTH_TOKEN=self.secret)

    def start(self) -> None:
        """Start the hub, or start it again, and wait until it answers."""
        config = Path(__file__).with_name("jupyterhub_config.py")
        command = [sys.executable, "-m", "jupyterhub", "--config", str(config)]
        environ = {"CONFIGPROXY_AUTH_TOKEN": self.secret, "VERTEBRA_HUB": str(self.folder)}
        environ["VERTEBRA_HUB_PORTS"] = " ".join(map(str, self.ports))
        needed = [ROOT, Path(sys.prefix), Path(sys.base_prefix)]
        if as_root() and (private := private_folders(needed)):
            shut = [each for each in needed if private_folders([each])]
            environ["NEEDED"] = " ".join(map(str, shut))
            folders = " ".join(map(str, private))
            command = ["unshare", "--mount", "sh", "-c", OPEN_UP, "sh", str(self.folder / "keep"), folders, *command]
        self._run("hub", command, **environ)
        wait_for("the hub", self._answers)

    def _answers(self) -> bool:
        if self.processes["hub"].poll() is not None:
            raise RuntimeError(f"the hub stopped: {self.log()[-3000:]}")
        return httpx.get(f"{self.address}/hub/api").status_code == 200

    def log(self) -> str:
        return (self.folder / "hub" / "hub.log").read_text(errors="replace")

    def kill(self) -> None:
        """Kill the hub as a crash would: it can tidy nothing up."""
        self.processes["hub"].kill()
        self.processes["hub"].wait()

    def server_pids(self) -> dict[str, int]:
        """Return the process number of each person's running server."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                place = (process / "cwd").readlink()
                if b"jupyterhub.singleuser" in words and place.is_relative_to(self.folder / "home"):
                    found[place.name] = int(process.name)
        return found

    def kill_server(self, name: str) -> None:
        """Kill one person's server and all that it started, as a node that runs out of memory would."""
        mine = self.folder / "home" / name
        os.kill(self.server_pids()[name], signal.SIGKILL)
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").readlink().is_relative_to(mine):
                    os.kill(int(process.name), signal.SIGKILL)

    def stop(self) -> None:
        """End the hub, the proxy and every server of this hub."""
        for process in self.processes.values():
            process.kill()
            process.wait()
        for _ in range(3):  # a server that is killed may just have started a kernel
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if (process / "cwd").readlink().is_relative_to(self.folder / "home"):
                        os.kill(int(process.name), signal.SIGKILL)
            time.sleep(0.1)


@contextlib.contextmanager
def running_hub(people: Sequence[str]) -> Iterator[Hub]:
    """Yield a running hub that these people can log in to; all of it is gone afterwards."""
    # Not pytest's own folder: only its owner may enter that one.
    with tempfile.TemporaryDirectory(prefix="vertebra-hub-", ignore_cleanup_errors=True) as folder:
        hub = Hub(Path(folder).resolve(), {name: secrets.token_urlsafe(12) for name in people})
        hub.prepare()
        (hub.folder / "lessons").mkdir()
        try:
            hub.start_proxy()
            hub.start()
            yield hub
        finally:
            hub.stop()


class CellError(AssertionError):
    """A cell that raised an error: the error's name and text."""


class Person:
    """Somebody at a browser: logs in with name and password, then asks the own server."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.hub, self.name = hub, name
        self.browser = httpx.Client(base_url=hub.address, follow_redirects=True, timeout=PATIENCE)
        self.web = httpx.Client(base_url=hub.address, timeout=PATIENCE)
        self.token = ""
        self.kernel = ""

    def log_in(self) -> None:
        """Log in through the form, which starts the server, and get a token as the hub's token page does."""
        self.browser.get("/hub/login")
        form = {"username": self.name, "password": self.hub.passwords[self.name]}
        # The hub answers with the page that waits for the server.
        page = self.browser.post("/hub/login", data=form | {"_xsrf": self._xsrf()})
        assert page.status_code == 200, page.text[:500]
        assert "Sign in" not in page.text, f"{self.name} was not let in"
        made = self.browser.post(
            f"/hub/api/users/{self.name}/tokens",
            json={"note": "test"},
            headers={"X-XSRFToken": self._xsrf(), "Referer": f"{self.hub.address}/hub/token"},
        )
        assert made.status_code == 201, made.text
        self.token = made.json()["token"]
        self.web.headers["Authorization"] = f"token {self.token}"

    def _xsrf(self) -> str:
        found = {each.path: each.value or "" for each in self.browser.cookies.jar if each.name == "_xsrf"}
        return found["/hub/"]

    def start_server(self) -> None:
        """Start the own server, if it does not run, and wait until it answers."""

        def answers() -> bool:
            return self.web.get(f"/user/{self.name}/api/status").status_code == 200

        def asked() -> bool:
            # 201: it runs, 202: it is on its way, 400: it is so already; the hub may still be checking a dead one.
            return answers() or self.web.post(f"/hub/api/users/{self.name}/server").status_code in (201, 202, 400)

        wait_for(f"the hub to start {self.name}'s server", asked)
        wait_for(f"{self.name}'s server", lambda: answers() or not asked())

    def get(self, path: str) -> httpx.Response:
        return self.web.get(f"/user/{self.name}/{path}")

    def post(self, path: str, **data: Any) -> httpx.Response:
        return self.web.post(f"/user/{self.name}/{path}", **data)

    def open_notebook(self, path: str) -> dict[str, Any]:
        """Return a notebook and start its kernel, in its folder."""
        notebook: dict[str, Any] = self.get(f"api/contents/{path}").raise_for_status().json()["content"]
        session = {"path": path, "name": Path(path).name, "type": "notebook", "kernel": {"name": "python3"}}
        self.kernel = self.post("api/sessions", json=session).raise_for_status().json()["kernel"]["id"]
        return notebook

    def run(self, code: str) -> str:
        """Run a cell in the kernel and return what it printed; raises CellError for one that fails."""
        address = f"{self.hub.address.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{self.kernel}/channels"
        line = websocket.create_connection(address, header=[f"Authorization: token {self.token}"], timeout=PATIENCE)
        with contextlib.closing(line):
            mine = uuid.uuid4().hex
            header = {"msg_id": mine, "msg_type": "execute_request", "username": "", "session": mine, "version": "5.3"}
            content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
            message = {"header": header | {"date": "2026-01-01T00:00:00Z"}, "parent_header": {}, "metadata": {}}
            line.send(json.dumps(message | {"content": content, "channel": "shell", "buffers": []}))
            printed: list[str] = []
            fault = ""
            while True:
                data = line.recv()
                if not isinstance(data, str) or not data:  # a widget's buffers
                    continue
                answer = json.loads(data)
                if answer["content"].get("execution_state") in ("restarting", "dead"):
                    raise CellError(f"the kernel of {self.name} died")
                if answer["parent_header"].get("msg_id") != mine:
                    continue
                match answer["msg_type"], answer["content"]:
                    case "stream", {"name": "stdout", "text": text}:
                        printed.append(text)
                    case "error", {"ename": name, "evalue": value, "traceback": trace}:
                        fault = f"{name}: {value}\n" + re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(trace))
                    case "status", {"execution_state": "idle"}:
                        if fault:
                            raise CellError(fault)
                        return "".join(printed)
