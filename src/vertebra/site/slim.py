"""What the browser's Python does without: files of packages that no lesson reaches, and needs that only others have.

Each rule was tried by importing all that the course uses in the very Pyodide (`tests/site/test_runtime.py`). Licences
stay. What is left out is missed only by code that the course has not: it raises ModuleNotFoundError there.
"""

import re
from collections.abc import Mapping

# Tests, headers and stubs for compilers and type checkers, and files for JupyterLab, which has its own.
EVERYWHERE = (
    r"(.*/)?(tests?|include)/.*|.*\.(pyi|pxd|pyx|h|hpp|c|cc|cpp|f|f90|a|lib|map)|(.*/)?py\.typed|[^/]+\.data/.*"
)

PACKAGES: Mapping[str, str] = {
    "anywidget": r"anywidget/(labextension|nbextension)/.*",
    "ipython": r"IPython/(sphinxext|testing/plugin)/.*",
    "numpy": r"numpy/(_pyinstaller|random/(lib|_examples)|f2py/src)/.*|numpy/linalg/lapack_lite.*|numpy/typing/mypy_.*",
    "pillow": r"PIL/_(webp|avif|imagingtk|imagingcms|imagingmorph|imagingmath)\..*",
    "prompt-toolkit": r"prompt_toolkit/contrib/.*",
    # Colours for the languages of other notebooks: those of Python, and of what IPython's magics hold, stay.
    "pygments": r"pygments/lexers/(?!__init__|_mapping|python|special|shell|html|javascript|css|_css_builtins|ruby|perl"
    r"|markup|web|jvm|data|dotnet|_builtins|c_cpp|c_like|functional|ml).*|pygments/sphinxext\.py",
    "scipy": r"scipy/(cluster|datasets|differentiate|fftpack|io|misc|odr|signal|stats)/.*"
    r"|scipy/(sparse/csgraph|optimize/cython_optimize|special/_precompute|_external/(cobyqa|pyprima))/.*"
    r"|scipy/(special/(cython_special|_test_internal)|ndimage/_cytest).*",
    "wcwidth": r"wcwidth/table_grapheme_overrides/_known_.*",
}

# Modules of the standard library for mail, servers, terminals and processes, which a page has not; old code pages.
STDLIB = (
    r"(ensurepip|idlelib|multiprocessing/dummy|pydoc_data|sqlite3/__main__|turtledemo|wsgiref|xmlrpc)(/.*|\.py)"
    r"|(antigravity|ftplib|imaplib|mailbox|pickletools|poplib|smtplib|this|nturl2path|tabnanny|zipapp)\.py"
    r"|encodings/(big5.*|cp(?!437|1252|65001).*|euc.*|gb.*|hp_.*|hz|iso2022.*|iso8859_(?!1\.|15).*|johab|koi8.*|kz.*"
    r"|mac_.*|palmos|ptcp.*|shift_.*|tis_.*)\.py"
)

# What a package names as needed, and no lesson reaches.
UNNEEDED: Mapping[str, frozenset[str]] = {
    "anywidget": frozenset({"jupyterlab-widgets"}),
    "ipython": frozenset({"jedi"}),
    "ipywidgets": frozenset({"jupyterlab-widgets", "widgetsnbextension"}),
}


def slimmed(package: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a package's {path within the wheel: bytes} without what no lesson reaches."""
    out = re.compile(f"{EVERYWHERE}|{PACKAGES[package]}" if package in PACKAGES else EVERYWHERE)
    return {path: raw for path, raw in files.items() if ".dist-info/" in path or not out.fullmatch(path)}


def slimmed_library(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the standard library's {path: bytes} without what no lesson reaches."""
    out = re.compile(STDLIB)
    return {path: raw for path, raw in files.items() if not out.fullmatch(path)}
