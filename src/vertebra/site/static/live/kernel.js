// The worker that runs a lesson's Python: JupyterLite's own kernel, but started before JupyterLite asks for it, with
// the lesson's packages and modules ready, and with a folder of its own for the student's answers.
//
// The page sends { vertebra: { packages, imports, language } } and { vertebra: { files } }. It gets { vertebra: { step } }
// as things go on, { vertebra: { failed } } if they do not, and { vertebra: { files } } whenever Python wrote into
// my_answers. Everything else is between JupyterLite and its kernel.
import { PyodideComlinkKernel as Kernel } from "./lite-kernel.js";
import { loadPyodide } from "./pyodide/pyodide.mjs";

const HOME = "/lesson";
const ANSWERS = `${HOME}/my_answers`;

const tell = (what) => self.postMessage({ vertebra: what });

/** What the page sends under this name. */
const sent = (name) => new Promise((resolve) => {
  self.addEventListener("message", function listen({ data }) {
    if (data?.vertebra?.[name] === undefined) return;
    self.removeEventListener("message", listen);
    resolve(data.vertebra);
  });
});
const wanted = sent("packages");
const kept = sent("files");

/** What is in a file that the build gzipped: a server of plain files sends it as it is. */
async function opened(path, type = "application/octet-stream") {
  const answer = await asked.call(self, new URL(path, import.meta.url));
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
  return new Response(answer.body.pipeThrough(new DecompressionStream("gzip")), { headers: { "Content-Type": type } });
}

// Pyodide's two large files are on their way from the start. It asks for the one itself, and is given the other.
const asked = self.fetch;
const binary = opened("./pyodide/pyodide.asm.wasm.packed", "application/wasm");
const core = opened("./pyodide/pyodide.asm.mjs.packed", "text/javascript").then((answer) => answer.blob());
self.fetch = (what, ...more) => (
  String(what?.url ?? what).endsWith("/pyodide.asm.wasm") ? binary : asked.call(self, what, ...more));

// The files of a package: [path, bytes] of each. A pack is gzipped: the length of a list, the list of paths and sizes,
// and then the files one behind the other. The browser unpacks it several times as fast as Python in it would.
async function unpacked(name) {
  const whole = await (await opened(`./packages/${name}.pack`)).arrayBuffer();
  let at = 4 + new DataView(whole).getUint32(0, true);
  const list = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, at - 4)));
  return list.map(([path, size]) => [path, new Uint8Array(whole, (at += size) - size, size)]);
}

async function start() {
  const { packages, imports, language } = await wanted;
  tell({ step: "python" });
  const runtime = loadPyodide({
    createPyodideModule: (await import(URL.createObjectURL(await core))).default,
    indexURL: new URL("./pyodide/", import.meta.url).href,
    convertNullToNone: true,
    env: { HOME, MPLBACKEND: "module://matplotlib_inline.backend_inline", VERTEBRA_LANGUAGE: language },
    stdout: (line) => console.info(line),
    stderr: (line) => console.error(line),
  });
  runtime.then(() => tell({ step: "packages" }), () => {});
  const [pyodide, ...packs] = await Promise.all([runtime, ...packages.map(unpacked)]);
  const { FS } = pyodide;
  const site = pyodide.runPython("import site; site.getsitepackages()[0]");
  const made = new Set();
  for (const [path, bytes] of packs.flat()) {
    const folder = `${site}/${path}`.replace(/\/[^/]*$/, "");
    if (!made.has(folder)) made.add(folder) && FS.mkdirTree(folder);
    FS.writeFile(`${site}/${path}`, bytes, { canOwn: true });
  }
  FS.mkdirTree(ANSWERS);
  FS.chdir(HOME);
  tell({ step: "course" });
  pyodide.globals.set("lesson_imports", pyodide.toPy(imports));
  pyodide.runPython(`
    import contextlib, importlib, sys, types
    importlib.invalidate_caches()
    # IPython brings its terminal along, and that a whole library for one; a page has none.
    sys.modules["IPython.terminal.embed"] = types.SimpleNamespace(embed=None)
    import pyodide_kernel
    for name in globals().pop("lesson_imports"):
        with contextlib.suppress(Exception):  # the cell that needs it will say so
            importlib.import_module(name)
    del contextlib, importlib, name, sys, types
  `);
  const { files } = await kept;
  for (const [name, text] of Object.entries(files)) FS.writeFile(`${ANSWERS}/${name}`, text);
  seen(FS);
  tell({ step: "ready" });
  return pyodide;
}

const started = start();
started.catch((error) => tell({ failed: String(error.message ?? error) }));

// What lies in my_answers, by name: when it was last written.
const written = new Map();

/** The names of what was written into my_answers since this was last asked; half-written files begin with a dot. */
function seen(FS) {
  const changed = [];
  for (const name of FS.readdir(ANSWERS).filter((each) => !each.startsWith("."))) {
    const { mode, mtime } = FS.stat(`${ANSWERS}/${name}`);
    if (!FS.isFile(mode) || written.get(name) === mtime.getTime()) continue;
    written.set(name, mtime.getTime());
    changed.push(name);
  }
  return changed;
}

function report({ FS }) {
  const names = seen(FS);
  if (names.length) tell({ files: Object.fromEntries(names.map((name) => [name, FS.readFile(`${ANSWERS}/${name}`, { encoding: "utf8" })])) });
}

Object.assign(Kernel.prototype, {
  async initRuntime() {
    this._pyodide = await started;
  },
  // Answers go to the page by message: no file system of the browser's, no service worker, works in a private window.
  async initFilesystem() {},
  // All packages are there, and none may come from elsewhere.
  async initPackageManager() {},
  async initKernel() {},
  // Messages are JSON, so Python's None is null there; JupyterLite would send undefined, which no widget expects.
  mapToObject(made) {
    if (Array.isArray(made)) return made.map((each) => this.mapToObject(each));
    const pairs = made instanceof Map ? [...made] : made?.constructor === Object ? Object.entries(made) : null;
    return pairs ? Object.fromEntries(pairs.map(([key, value]) => [key, this.mapToObject(value)])) : made ?? null;
  },
});

for (const name of ["execute", "commMsg"]) {
  const original = Kernel.prototype[name];
  Kernel.prototype[name] = async function (...message) {
    try {
      return await original.apply(this, message);
    } finally {
      report(this._pyodide);
    }
  };
}
