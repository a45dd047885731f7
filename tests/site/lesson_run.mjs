// Run lessons in Pyodide under node: node lesson_run.mjs PLAN.json. Prints one JSON line a lesson.
//
// The plan: { core: folder of Pyodide, packs: folder of *.pack, script: lesson_run.py,
// lessons: [{ name, text: of the notebook, packages: [names] }] }.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { loadPyodide } = await import(pathToFileURL(`${plan.core}/pyodide.mjs`));
const pyodide = await loadPyodide({ indexURL: `${plan.core}/`, stdout: () => {}, stderr: () => {} });
const { FS } = pyodide;
const site = pyodide.runPython("import site; site.getsitepackages()[0]");

// As kernel.js does it in the browser: the length of a list, the list of paths and sizes, the files.
function unpacked(name) {
  const whole = gunzipSync(readFileSync(`${plan.packs}/${name}.pack`));
  let at = 4 + whole.readUInt32LE(0);
  const list = JSON.parse(whole.subarray(4, at).toString("utf8"));
  return list.map(([path, size]) => [path, whole.subarray(at, (at += size))]);
}

const files = new Map();
const here = new Map(); // path: how many of the packages that are there hold it
function put(name) {
  if (!files.has(name)) files.set(name, unpacked(name));
  for (const [path, bytes] of files.get(name)) {
    const count = here.get(path) ?? 0;
    here.set(path, count + 1);
    if (count) continue;
    FS.mkdirTree(`${site}/${path}`.replace(/\/[^/]*$/, ""));
    FS.writeFile(`${site}/${path}`, bytes);
  }
}
function take(name) {
  for (const [path] of files.get(name)) {
    const count = here.get(path) - 1;
    here.set(path, count);
    if (!count) FS.unlink(`${site}/${path}`);
  }
}

// Vertebra's own packages come and go with each lesson; others stay, because Python cannot forget what is compiled, and
// the guard keeps a lesson from those that are not its own.
const own = (name) => name === "vertebra" || name.startsWith("vertebra-");
let present = new Set();
pyodide.runPython(readFileSync(plan.script, "utf8"));
for (const { name, text, packages } of plan.lessons) {
  for (const each of present) if (own(each) && !packages.includes(each)) take(each) ?? present.delete(each);
  for (const each of packages) if (!present.has(each)) put(each) ?? present.add(each);
  const lent = packages.flatMap((each) => files.get(each).map(([path]) => path.split("/")[0].replace(/\..*/, "")));
  FS.mkdirTree(`/lessons/${name}`);
  FS.chdir(`/lessons/${name}`);
  pyodide.globals.set("lent", pyodide.toPy([...new Set(lent)]));
  pyodide.globals.set("text", text);
  pyodide.runPython("guard(lent)");
  console.log(pyodide.runPython(`json.dumps({"name": ${JSON.stringify(name)}, **run(text)})`));
}
