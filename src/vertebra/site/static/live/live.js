// A lesson in JupyterLite that starts by itself: Python at once, beside the interface, then every cell. A line says how
// far it is, and what to do where it cannot go on. Answers come from where the reading pages keep them and go back there.
import * as storage from "../../_/storage.js";

const settings = document.getElementById("jupyter-config-data");
const config = JSON.parse(settings.textContent);
const live = new URL("../", location.href);
const name = new URLSearchParams(location.search).get("path") ?? "";
const lesson = Object.hasOwn(config.vertebra, name) ? config.vertebra[name] : null;
const mark = (what) => performance.mark(`vertebra:${what}`);

// ---- The kernel, first of all ---------------------------------------------------------------------------------------

const missing = !lesson || typeof WebAssembly !== "object" || typeof DecompressionStream !== "function";
const BrowserWorker = window.Worker;
const told = new EventTarget(); // what the kernel says, until the words are there to say it in
const early = [];
let words = null;
const hear = (event) => (words ? told.dispatchEvent(event) : early.push(event));

function kernel() {
  const worker = new BrowserWorker(new URL("static/kernel.js", live), { type: "module", name: "Python" });
  worker.addEventListener("message", ({ data }) => {
    if (data?.vertebra) hear(new CustomEvent("kernel", { detail: data.vertebra }));
  });
  worker.addEventListener("error", (event) => hear(new CustomEvent("kernel", { detail: { failed: event.message ?? "" } })));
  worker.postMessage({ vertebra: { packages: lesson.packages, imports: lesson.imports, language: storage.language() } });
  answers().then((files) => worker.postMessage({ vertebra: { files } }));
  return worker;
}

// JupyterLite's kernel extension makes its worker when the notebook is open; it gets ours, which has a lead by then.
let ahead = missing ? null : kernel();
window.Worker = function Worker(address, options) {
  if (!String(address).includes("/pyodide-kernel-extension/")) return new BrowserWorker(address, options);
  const worker = ahead ?? kernel();
  ahead = null;
  return worker;
};
// Where the server isolates its pages JupyterLite would speak to its worker in another way, which ours does not know.
Object.defineProperty(window, "crossOriginIsolated", { value: false });

// ---- Answers --------------------------------------------------------------------------------------------------------

/** The files of my_answers, by name, from what this browser keeps. */
async function answers() {
  const course = await fetch(new URL("../_/course.json", live)).then((answer) => answer.json()).catch(() => ({ lessons: [] }));
  const files = storage.files();
  for (const { quiz, versions } of course.lessons) {
    const items = Object.entries(versions).map(([id, version]) => ({ id, version }));
    const build = storage.digest(items.map(({ id, version }) => [id, version]));
    const { record } = storage.fitting({ id: quiz, build, items });
    if (record && Object.keys(record.answers).length) files[`${quiz}.json`] = storage.responsesText(record);
  }
  const met = storage.progress();
  if (met.attempts.length || met.readings.length) files["progress.json"] = JSON.stringify(met);
  return files;
}

/** Keep a file that Python wrote into my_answers. Throws StorageError. */
function keep(file, text) {
  if (file === "progress.json") return storage.addProgress(JSON.parse(text));
  if (!file.endsWith(".json") || JSON.parse(text).format !== storage.FORMAT) return storage.writeFile(file, text);
  const record = storage.parseResponses(text);
  const before = storage.readAnswers(record.quiz);
  const versions = before?.build === record.build ? before.versions : {};
  return storage.writeAnswers(record.quiz, { ...record, versions });
}

// ---- JupyterLite ----------------------------------------------------------------------------------------------------

// It wants whole addresses.
function whole(group) {
  for (const [key, value] of Object.entries(group)) {
    const joined = ["themesUrl", "licensesUrl"].includes(key); // JupyterLite puts its own address before these
    if (key.endsWith("Url") && !joined && value.startsWith("./")) group[key] = new URL(value, live).pathname;
  }
}

// JupyterLite sets window.jupyterapp once it is made.
const made = new Promise((resolve) => {
  Object.defineProperty(window, "jupyterapp", {
    configurable: true,
    set(app) {
      Object.defineProperty(window, "jupyterapp", { value: app });
      resolve(app);
    },
  });
});

/** Begin JupyterLite; fails if a part of it does not arrive. */
async function bundle() {
  whole(config);
  Object.values(config.litePluginSettings).forEach(whole);
  settings.textContent = JSON.stringify(config);
  const answer = await fetch(new URL("build/parts.packed", live));
  if (!answer.ok) throw new TypeError(`could not load ${answer.url}`);
  const parts = document.createElement("script");
  parts.textContent = await new Response(answer.body.pipeThrough(new DecompressionStream("gzip"))).text();
  document.head.append(parts);
  const script = document.createElement("script");
  script.src = new URL("build/notebooks/bundle.js", live);
  script.setAttribute("main", "index");
  document.head.append(script);
  return new Promise((_, failed) => { script.addEventListener("error", () => failed(new TypeError(`could not load ${script.src}`))); });
}
const broken = missing ? new Promise(() => {}) : bundle();

/** Run every cell, and leave the reader where they are: JupyterLab goes to the last cell. */
async function runAll(app, panel) {
  const page = panel.content.outerNode ?? panel.content.node;
  const [place, cell] = [page.scrollTop, panel.content.activeCellIndex];
  const stay = () => {
    panel.content.activeCellIndex = cell;
    page.scrollTop = place;
  };
  const running = app.commands.execute("notebook:run-all-cells");
  requestAnimationFrame(() => requestAnimationFrame(stay));
  setTimeout(stay, 150);
  await running;
}

/** Resolves when the first widget is on the page. */
const firstWidget = () => new Promise((found) => {
  const watch = new MutationObserver(() => {
    if (!document.querySelector(".jp-OutputArea .vt")) return;
    watch.disconnect();
    found();
  });
  watch.observe(document.body, { childList: true, subtree: true });
});

// ---- What the page says ---------------------------------------------------------------------------------------------

const code = storage.language();
if (code && code !== "en") {
  const answer = await fetch(new URL(`../_/words.${code}.json`, live)).catch(() => null);
  if (answer?.ok) globalThis.vertebraWords = await answer.json();
}
words = await import("../../_/words.js");
const { t } = words;

const bar = document.getElementById("vertebra-bar");
const status = document.getElementById("vertebra-status");
const back = document.getElementById("vertebra-back");
const again = document.getElementById("vertebra-again");
const say = (text, state) => {
  if (status.textContent !== text) status.textContent = text;
  bar.dataset.state = state;
};

const PHASES = {
  python: () => t("1 of 5, fetching Python"),
  packages: () => t("2 of 5, fetching what this lesson needs"),
  course: () => t("3 of 5, loading the course"),
  ready: () => t("4 of 5, opening the lesson"),
  running: () => t("5 of 5, computing the first figure"),
};
let failed = false;
function phase(which) {
  mark(which);
  if (!failed) say(t("Starting Python in your browser: {phase}.", { phase: PHASES[which]() }), "busy");
}

function fail(text) {
  failed = true;
  mark("failed");
  say(text, "failed");
  again.hidden = false;
}

/** What stopped Python, with what the reader can do. */
function why(reason) {
  if (/memory|allocation|RangeError/i.test(reason)) {
    return t("This device has too little free memory for a live lesson. Close other pages and programs and start again; the reading page needs hardly any.");
  }
  if (/fetch|network|import|load|compressed|\b[45]\d\d\b/i.test(reason) || !reason) {
    return t("A part of the lesson did not arrive. Look to the network, then start again; the reading page works meanwhile.");
  }
  return t("Python did not start ({reason}). Start again; if that does not help, the reading page works without it.", { reason: reason.slice(0, 200) });
}

function unkept(error) {
  const text = error.reason === "full"
    ? t("This browser has no room left for your answers: they last until you close this page. Free some room, then answer again.")
    : t("This browser keeps no answers: they last until you close this page.");
  say(text, "failed");
}

let pythonIsReady;
const python = new Promise((resolve) => { pythonIsReady = resolve; });
told.addEventListener("kernel", ({ detail }) => {
  if (detail.step) phase(detail.step);
  if (detail.step === "ready") pythonIsReady();
  if (detail.failed !== undefined) fail(why(detail.failed));
  for (const [file, text] of Object.entries(detail.files ?? {})) {
    try {
      keep(file, text);
    } catch (error) {
      unkept(error);
    }
  }
});
early.splice(0).forEach(hear);

again.textContent = t("Start again");
again.addEventListener("click", () => location.reload());
back.textContent = t("Reading page");
if (lesson) {
  back.href = new URL(name === "my_progress.ipynb" ? "../progress.html" : `../lessons/${name.replace(/\.ipynb$/, ".html")}`, live);
  document.title = `${lesson.title} · vertebra`;
}

// A link to another lesson opens it live, here.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const [, file, anchor] = /([^/?=]+\.ipynb)(#.*)?$/.exec(decodeURIComponent(link?.getAttribute("href") ?? "")) ?? [];
  if (!file || !Object.hasOwn(config.vertebra, file) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  location.assign(`index.html?path=${encodeURIComponent(file)}${anchor ?? ""}`);
}, true);

// ---- The way of a lesson --------------------------------------------------------------------------------------------

/** Go to the part that the address names; headings are there once the notebook is. */
function toAnchor(panel) {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) return;
  const headings = [...panel.node.querySelectorAll("[id], [data-jupyter-id]")];
  headings.find((node) => [node.id, node.dataset.jupyterId].includes(id))?.scrollIntoView();
}

async function run() {
  const app = await Promise.race([made, broken]);
  await app.restored;
  mark("interface");
  // JupyterLite's own bars hold nothing that a reader needs.
  for (const part of [app.shell.top, app.shell.menu]) part?.hide();
  let panel = null;
  while (!(panel = app.shell.currentWidget)?.sessionContext) await new Promise((later) => setTimeout(later, 20));
  await panel.context.ready;
  await panel.revealed;
  mark("notebook");
  toAnchor(panel);
  await panel.sessionContext.ready;
  python.then(() => phase("running"));
  const shown = firstWidget().then(() => {
    mark("widget");
    if (!failed) say(t("Live: the figures and the quiz on this page work now."), "live");
  });
  await runAll(app, panel);
  if (panel.node.querySelector('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')) {
    fail(t("A part of this lesson failed, and says so where it stands. Start again, or stay with the reading page."));
  } else {
    await shown;
  }
  mark("done");
}

if (!lesson) fail(t("There is no live lesson of this name. The reading pages lead to all of them."));
else if (missing) fail(t("This browser cannot run Python: it is too old, or WebAssembly is switched off. The reading page works all the same."));
else {
  run().catch((error) => {
    console.error(error);
    fail(why(String(error)));
  });
}
