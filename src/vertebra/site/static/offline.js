// The page's part of offline use: starts the worker, shows what is kept on this device, says when a new version is ready.
//
// A page may have <section data-offline="panel"> for the controls and <nav data-offline="pages"> for a list of what is
// kept. Without a worker (an old browser, plain http in a local network) the site works, online, and the panel says so.
import { t } from "./words.js";

const ROOT = new URL("../", import.meta.url).href;
const CHOICE = "vertebra/offline"; // "off" after the course was removed from this device

const panel = document.querySelector('[data-offline="panel"]');
const list = document.querySelector('[data-offline="pages"]');
// A number and its unit stay on one line.
const megabytes = (bytes) => t("{n} MB", { n: (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0) }).replace(" ", "\u00a0");
const sum = ({ pages, live }) => pages + live;

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// --- talking with the worker -----------------------------------------------------------------------------------------

// Storage may be forbidden (a browser set to keep nothing); then nothing is remembered.
function remembered(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value);
  } catch {
    // as if never asked
  }
  return null;
}

async function register() {
  await navigator.serviceWorker.register(`${ROOT}worker.js`, { scope: ROOT, updateViaCache: "none" });
  return navigator.serviceWorker.ready;
}

async function ask(deed, data = {}) {
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => { port1.onmessage = ({ data: told }) => resolve(told); });
  active.postMessage({ vertebra: deed, ...data }, [port2]);
  return answer;
}

// What this page shows: the first page was loaded before the worker was there, and lazy pictures may come late or never.
function shown() {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  return [...new Set([...loaded, ...Array.from(document.images, (image) => image.src)])];
}

// --- the notice ------------------------------------------------------------------------------------------------------

const notice = make("div", { className: "vt-newer" });
notice.setAttribute("role", "status");

function announce() {
  if (notice.childElementCount) return;
  const reload = make("button", { type: "button", textContent: t("Reload") });
  reload.addEventListener("click", () => location.reload());
  notice.append(make("p", { textContent: t("A new version of the course is ready.") }), reload);
}

// --- the panel -------------------------------------------------------------------------------------------------------

const says = make("p", {});
says.setAttribute("role", "status");
says.tabIndex = -1;
const meter = make("progress", { max: 1 });
meter.setAttribute("aria-label", t("Fetching the course"));
const counted = make("span", {});
const fetching = make("p", { hidden: true, className: "vt-fetching" }, meter, " ", counted);
const button = (text, act) => {
  const node = make("button", { type: "button", textContent: text, hidden: true });
  node.addEventListener("click", act);
  return node;
};
const keepPages = button("", () => keep("pages"));
const keepAll = button("", () => keep("all"));
const goOn = button(t("Go on"), () => keep(last.want));
const stop = button(t("Stop"), () => ask("stop").then(show));
const drop = button(t("Remove from this device"), remove);

let last = null;
let pinging;

function why({ kind, path }, missing) {
  if (kind === "full") {
    return t("This device has no room for it: {n} are missing. Free some room, or keep the pages alone.", { n: megabytes(missing) });
  }
  if (kind === "changed") {
    return t("The server's files do not fit its own list ({path}). Perhaps the course is just being updated: try again later.", { path: path ?? "" });
  }
  return t("The network does not answer. What has arrived is kept; it goes on when you are online again.");
}

function summary({ want, all, kept }) {
  if (sum(kept) === sum(all)) return t("The whole course is on this device: {n}.", { n: megabytes(sum(all)) });
  if (kept.pages === all.pages) {
    const words = { n: megabytes(all.pages) };
    return all.live
      ? t("All pages are on this device: {n}. A live lesson still needs the network the first time.", words)
      : t("The whole course is on this device: {n}.", words);
  }
  const words = { kept: megabytes(sum(kept)), all: megabytes(sum(all)) };
  return want
    ? t("{kept} of {all} are on this device.", words)
    : t("The pages you open stay on this device for use without a network: {kept} of {all} so far.", words);
}

function write(text) {
  if (says.textContent !== text) says.textContent = text;
}

function advance(progress) {
  fetching.hidden = !progress;
  if (!progress) return;
  meter.value = progress.all ? progress.done / progress.all : 1;
  counted.textContent = t("{done} of {all}", { done: megabytes(progress.done), all: megabytes(progress.all) });
}

function show(state) {
  if (!state) return;
  last = state;
  if (state.newer) announce();
  listPages(state.pages ?? []);
  if (!panel) return;
  const { want, all, kept, progress, fault } = state;
  const focused = panel.contains(document.activeElement);
  const busy = Boolean(progress && want);
  const known = Boolean(state.version);
  const pagesMissing = known ? all.pages - kept.pages : 0;
  const missing = known ? pagesMissing + (want === "pages" ? 0 : all.live - kept.live) : 0;
  const failed = fault && want && missing > 0 && fault.kind !== "stopped";
  keepPages.hidden = !known || busy || pagesMissing === 0;
  keepAll.hidden = !known || busy || all.live === 0 || sum(kept) === sum(all);
  goOn.hidden = !failed;
  stop.hidden = !busy;
  drop.hidden = !known || busy;
  if (known) {
    keepPages.textContent = t("Keep all pages ({n})", { n: megabytes(all.pages) });
    keepAll.textContent = t("Keep all pages and live lessons ({n})", { n: megabytes(sum(all)) });
  }
  advance(busy ? progress : null);
  if (busy) write(t("Fetching the course. You may go on reading."));
  else if (failed) write(why(fault, missing));
  else write(known ? summary(state) : t("Nothing of the course is on this device."));
  // The browser ends a worker that nobody speaks to, also one that is fetching.
  clearInterval(pinging);
  if (busy) pinging = setInterval(() => ask("update"), 20_000);
  // A button that went away took the focus with it.
  if (focused && (document.activeElement.hidden || !panel.contains(document.activeElement))) (busy ? stop : says).focus();
}

async function keep(want) {
  remembered(CHOICE, null);
  await register();
  const { all, kept } = last ?? {};
  const missing = all ? all.pages - kept.pages + (want === "all" ? all.live - kept.live : 0) : 0;
  // Asked so that the browser does not clear it out when other sites need room; it may say no.
  await navigator.storage?.persist?.();
  if (last) show({ ...last, want, progress: { done: 0, all: missing } });
  show(await ask("keep", { want }));
}

async function remove() {
  remembered(CHOICE, "off"); // first: the student may leave the page at once
  await ask("remove");
  await (await navigator.serviceWorker.getRegistration(ROOT))?.unregister();
  off();
  says.focus();
}

function off() {
  for (const each of [keepPages, keepAll, goOn, stop, drop]) each.hidden = true;
  advance(null);
  keepPages.hidden = false;
  keepPages.textContent = t("Keep all pages");
  write(t("Nothing of the course is on this device. Your answers stay in this browser."));
}

function listPages(pages) {
  if (!list || list.childElementCount) return;
  const items = pages.map(([path, title]) => make("li", {}, make("a", { href: ROOT + path, textContent: title })));
  list.setAttribute("aria-label", t("On this device"));
  if (items.length) list.append(make("h2", { textContent: t("On this device") }), make("ul", {}, ...items));
}

// --- start -----------------------------------------------------------------------------------------------------------

async function start() {
  document.head.append(make("link", { rel: "stylesheet", href: `${ROOT}_/offline.css` }));
  document.body.append(notice);
  panel?.append(
    make("h2", { textContent: t("Without a network") }), says, fetching,
    make("div", { className: "vt-row" }, keepPages, keepAll, goOn, stop, drop),
  );
  if (!("serviceWorker" in navigator)) {
    write(t("This browser keeps no pages from this address (that takes https): the course works while you are online."));
    return;
  }
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    const news = data?.vertebra ?? {};
    if (news.state) show(news.state);
    if (news.progress && last) show({ ...last, progress: news.progress });
    if (news.outdated) announce();
  });
  if (remembered(CHOICE) === "off") {
    off();
    return;
  }
  // Not before the page is there: keeping it must not delay showing it.
  if (document.readyState !== "complete") await new Promise((loaded) => addEventListener("load", loaded, { once: true }));
  try {
    await register();
    show(await ask("visited", { addresses: shown() }));
  } catch (error) {
    write(t("This browser keeps no pages from this address ({reason}): the course works while you are online.", { reason: error.message }));
    return;
  }
  const look = () => ask("update").then(show);
  addEventListener("online", look);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") look(); });
}

start();
