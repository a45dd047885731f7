"""JupyterHub's settings for the test: each person a number of this machine, and the proxy apart, as in a cluster.

The environment names the folder of the test (VERTEBRA_HUB) and the ports. Run as root; as anybody else all servers run
under that account, and only HTTP keeps the students apart.
"""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from jupyterhub.auth import Authenticator
from jupyterhub.spawner import LocalProcessSpawner

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy" / "hub"
sys.path.append(str(DEPLOY))
from student_uids import uid_of  # noqa: E402

FOLDER = Path(os.environ["VERTEBRA_HUB"])
HUB, PROXY, PROXY_API = (int(port) for port in os.environ["VERTEBRA_HUB_PORTS"].split())
PASSWORDS = json.loads((FOLDER / "passwords.json").read_text())
AS_ROOT = os.geteuid() == 0


class Passwords(Authenticator):
    """Knows the people of the test by their passwords."""

    async def authenticate(self, handler: object, data: dict[str, str]) -> str | None:
        known = PASSWORDS.get(data["username"], "")
        return data["username"] if known and secrets.compare_digest(known, data["password"]) else None


class NumberedSpawner(LocalProcessSpawner):
    """Starts a server under its person's own number, without an account, as a pod of the cluster does."""

    def home(self) -> Path:
        return FOLDER / "home" / self.user.name

    async def start(self) -> tuple[str, int]:
        home, uid = self.home(), uid_of(self.user.name)
        if not home.exists():
            home.mkdir(mode=0o700)
            # What values.yaml does when a server starts; one lesson is enough here.
            shutil.copytree(FOLDER / "lessons", home / "lessons")
            for path in [home, *home.rglob("*")] if AS_ROOT else []:
                os.chown(path, uid, uid)
        return await super().start()

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        uid, home = uid_of(name), self.home()

        def become() -> None:
            if AS_ROOT:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            os.chdir(home)

        return become

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        return env | {
            "USER": self.user.name,
            "HOME": str(self.home()),
            "SHELL": "/bin/sh",
            "JUPYTER_RUNTIME_DIR": str(self.home() / "run"),  # a socket's path is short
        }


c = get_config()  # noqa: F821  (JupyterHub hands it in)

c.JupyterHub.authenticator_class = Passwords
c.Authenticator.allowed_users = set(PASSWORDS)
c.JupyterHub.spawner_class = NumberedSpawner
c.NumberedSpawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.NumberedSpawner.notebook_dir = "."
# All kernels of a class on one machine would draw their ports from one pool and meet; in a cluster each has its own.
c.NumberedSpawner.args = ["--KernelManager.transport=ipc"]
c.NumberedSpawner.env_keep = ["LANG"]
c.NumberedSpawner.environment = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),  # nbgrader calls alembic
    "JUPYTER_CONFIG_PATH": os.pathsep.join([str(ROOT / "deploy" / "jupyter"), str(DEPLOY)]),
    "JUPYTER_PREFER_ENV_PATH": "1",
    "VERTEBRA_EXCHANGE": str(FOLDER / "exchange"),
    "VERTEBRA_COURSE": "vertebra",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPYCACHEPREFIX": str(FOLDER / "compiled"),
}
# A class that logs in at once on two cores waits for its turn.
c.NumberedSpawner.start_timeout = c.NumberedSpawner.http_timeout = 300
c.NumberedSpawner.poll_interval = 2

c.JupyterHub.bind_url = f"http://127.0.0.1:{PROXY}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{HUB}"
c.JupyterHub.db_url = f"sqlite:///{FOLDER / 'hub' / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(FOLDER / "hub" / "cookie_secret")
c.JupyterHub.cleanup_servers = False  # servers outlive the hub
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PROXY_API}"
