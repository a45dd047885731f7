"""How the course's JupyterLab differs from a plain one, beside the settings in labconfig/. Read through JUPYTER_CONFIG_PATH."""

from pathlib import Path

from vertebra.teaching.lessons import keep_static_pictures

c = get_config()  # noqa: F821  (Jupyter hands it in)

# A saved lesson keeps each widget's static picture and not its live view, which means nothing once the kernel is gone.
c.FileContentsManager.pre_save_hook = keep_static_pictures

# Nothing is fetched from outside.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"

# How a lesson looks: custom.css beside this file.
c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {"static_custom_path": [str(Path(__file__).with_name("custom"))]}
