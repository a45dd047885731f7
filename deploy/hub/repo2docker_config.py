"""repo2docker's settings for the hub's image: `jupyter-repo2docker --config deploy/hub/repo2docker_config.py .`.

The packages are those of environment.yml, and the base brings the single-user server of JupyterHub. The course lies in
/srv/vertebra: whatever is in the home folder disappears under the student's own volume.
"""

c = get_config()  # noqa: F821  (repo2docker hands it in)

c.Repo2Docker.target_repo_dir = "/srv/vertebra"
c.Repo2Docker.appendix = """
RUN ${NB_PYTHON_PREFIX}/bin/pip install --no-cache-dir nbgrader==0.9.6
ENV JUPYTER_CONFIG_PATH=/srv/vertebra/deploy/jupyter:/srv/vertebra/deploy/hub JUPYTER_PREFER_ENV_PATH=1
"""
