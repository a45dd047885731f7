// Compiles Python with the Pyodide in a folder: node compile.mjs FOLDER SOURCES.zip COMPILED.zip
//
// A source's first folder says where it will lie: stdlib, or a package's. Compiled code names its source by hash and is
// not checked against it, so that a browser need neither read nor hash the source. It has no docstrings, which are half
// of what scipy's Python weighs, but where they are data: numpy edits its own, and Pyodide shows its functions'. What
// does not compile stays out.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, sources, compiled] = process.argv.slice(2).map((each) => path.resolve(each));
const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")).href);
const pyodide = await loadPyodide({ indexURL: `${folder}/`, env: { PYTHONHASHSEED: "0" } });
pyodide.FS.writeFile("/sources.zip", fs.readFileSync(sources));
pyodide.runPython(`
import ast, importlib.util, warnings, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc

KEPT = ("stdlib/pyodide/", "stdlib/_pyodide/", "numpy/", "pyodide-kernel/", "vertebra")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[:1] = [] if node.body[1:] else [ast.copy_location(ast.Pass(), node.body[0])]
    return tree

warnings.simplefilter("ignore")
with zipfile.ZipFile("/sources.zip") as sources, zipfile.ZipFile("/compiled.zip", "w") as compiled:
    for name in sources.namelist():
        room, _, path = name.partition("/")
        home = "/lib/python314.zip" if room == "stdlib" else "/lib/python3.14/site-packages"
        raw = sources.read(name)
        try:
            tree = ast.parse(raw)
            tree = tree if name.startswith(KEPT) else without_docstrings(tree)
            code = compile(tree, f"{home}/{path}", "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            continue
        entry = zipfile.ZipInfo(name + "c", (1980, 1, 1, 0, 0, 0))
        compiled.writestr(entry, bytes(_code_to_hash_pyc(code, importlib.util.source_hash(raw), False)))
`);
fs.writeFileSync(compiled, pyodide.FS.readFile("/compiled.zip"));
process.exit(0);
