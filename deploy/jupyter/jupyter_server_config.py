"""How the course's JupyterLab differs from a plain one, beside the settings in labconfig/."""

import warnings
from pathlib import Path

import zmq

from vertebra.teaching.lessons import keep_static_pictures

c = get_config()  # noqa: F821  (Jupyter hands it in)
here = Path(__file__).parent

# A saved lesson keeps each widget's static picture and not its live view, which means nothing once the kernel is gone.
warnings.filterwarnings("ignore", message="Overriding existing pre_save_hook")  # Jupyter reads this file twice
c.FileContentsManager.pre_save_hook = keep_static_pictures

# How a lesson looks, and the button that starts it.
c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {"static_custom_path": [str(here / "custom")]}
c.LabApp.extra_labextensions_path = [str(here / "labextensions")]

# Nothing is fetched from outside.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"

# What passes between this program and the kernel stays private on a computer with several users.
if zmq.has("curve"):
    c.KernelManager.transport_encryption = "auto"

# The window in which the course was started shows its address and whatever goes wrong, nothing else.
c.LabApp.log_level = "ERROR"
