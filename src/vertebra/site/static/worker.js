// The service worker: keeps the site for offline use, and brings a new version whole or not at all.
//
// Files are kept by content, one entry for each sha256 whichever versions have it. So an update fetches only what changed,
// goes on where it was cut off, and what arrives damaged, or is a hotspot's login page, is never kept. `version.json` names
// the version in use: the sha256 of `files.json`, which lists every file as {path: [sha256, bytes]}.
//
// A page belongs to the version it was opened with and gets each file of that version or none. Its files stay until it is
// closed; a new version is taken into use when all of it that is wanted has arrived.
//
// A kept page is shown at once, and the server is asked for a newer version behind its back. Asking first would make every
// click on a ward's Wi-Fi that hangs wait for a time-out, and the newer version is there one page later all the same.
"use strict";
(() => {
  const ROOT = new URL("./", self.location).href;
  const FILES = `vertebra files ${ROOT}`;
  const NOTES = `vertebra notes ${ROOT}`;
  const UNLISTED = ["version.json", "files.json", "worker.js"];
  const PATIENCE = 10_000; // ms without a byte after which a network counts as none
  const AT_ONCE = 6;

  class Changed extends Error {} // the server has a file that is not of the version it was asked for

  // What outlives this worker, which the browser ends after half a minute of rest.
  const noteUrl = (name) => `${ROOT}note/${name}`;
  const read = async (name) => (await caches.match(noteUrl(name), { cacheName: NOTES }))?.json() ?? null;
  const write = async (name, value) =>
    (await caches.open(NOTES)).put(noteUrl(name), new Response(JSON.stringify(value)));

  const lists = new Map();
  async function listOf(version) {
    if (version && !lists.has(version)) lists.set(version, await read(`list/${version}`));
    return (version && lists.get(version)) || null;
  }
  const currentList = async () => listOf(await read("current"));

  const births = new Map();
  const versions = new Map();
  async function belongs(id, version) {
    if (!id) return;
    births.set(id, Date.now());
    versions.set(id, version);
    await write(`client/${id}`, version);
  }
  async function versionOf(id) {
    return versions.get(id) ?? (id ? read(`client/${id}`) : null);
  }

  // A site has no queries: ?path= of a live lesson and ?v= of a script name the same file.
  function pathOf(address) {
    const url = new URL(address);
    url.search = url.hash = "";
    if (!url.href.startsWith(ROOT)) return null;
    try {
      const path = decodeURIComponent(url.href.slice(ROOT.length));
      return path === "" || path.endsWith("/") ? `${path}index.html` : path;
    } catch {
      return null;
    }
  }
  const urlOf = (path) => ROOT + path.split("/").map(encodeURIComponent).join("/");
  const isLive = (path) => path.startsWith("live/");

  const keyOf = (path, [hash]) => `${ROOT}kept/${hash}${/\.\w+$/.exec(path)?.[0] ?? ""}`;
  const stored = (path, file) => caches.match(keyOf(path, file), { cacheName: FILES });
  const allStored = async () => new Set((await (await caches.open(FILES)).keys()).map((request) => request.url));

  async function sha256(bytes) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // A response and all its bytes; what stands still for PATIENCE is given up.
  async function whole(address, options, heard = () => {}) {
    const give = new AbortController();
    options.signal?.addEventListener("abort", () => give.abort());
    let timer = setTimeout(() => give.abort(), PATIENCE);
    try {
      const response = await fetch(address, { ...options, signal: give.signal });
      const parts = [];
      const reader = response.body?.getReader();
      for (let part = await reader?.read(); part && !part.done; part = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => give.abort(), PATIENCE);
        parts.push(part.value);
        heard(part.value.length);
      }
      return { response, bytes: await new Blob(parts).arrayBuffer() };
    } finally {
      clearTimeout(timer);
    }
  }

  // The bytes are unpacked by now, and a response that says it was redirected may not answer a navigation.
  function remade(response, bytes) {
    const headers = new Headers(response.headers);
    headers.delete("Content-Encoding");
    headers.set("Content-Length", bytes.byteLength);
    const { status, statusText } = response;
    return new Response(response.body && bytes, { status, statusText, headers });
  }

  async function put(path, file, response) {
    await (await caches.open(FILES)).put(keyOf(path, file), response);
  }

  // A listed file from the server, kept on the way. The browser's own cache may hold an older one: then asked past it.
  async function download(path, file, options = {}, heard = () => {}) {
    for (const cache of ["no-cache", "reload"]) {
      const { response, bytes } = await whole(urlOf(path), { ...options, cache }, heard);
      if (response.ok && (await sha256(bytes)) === file[0]) {
        const full = remade(response, bytes);
        return { response: full, keeping: put(path, file, full.clone()) };
      }
      heard(-bytes.byteLength);
    }
    throw new Changed(path);
  }

  // Ask the server which version it has, and make sure of its list. Throws where there is no network, or only a login page.
  async function newest(options = {}) {
    const told = await whole(urlOf("version.json"), { ...options, cache: "no-store" });
    const { version } = JSON.parse(new TextDecoder().decode(told.bytes));
    if (!(await listOf(version))) {
      const { bytes } = await whole(urlOf("files.json"), { ...options, cache: "no-cache" });
      if ((await sha256(bytes)) !== version) throw new Changed("files.json");
      const list = { version, ...JSON.parse(new TextDecoder().decode(bytes)) };
      await write(`list/${version}`, list);
      lists.set(version, list);
    }
    return listOf(version);
  }

  // What is fetched of a version: all that was asked for, else the pages that were kept, and what a page offline needs.
  async function missing(list) {
    const want = await read("want");
    const before = (await currentList())?.files ?? {};
    const has = await allStored();
    const isWanted = (path) =>
      want === "all" || list.first.includes(path) ||
      (!isLive(path) && (want === "pages" || (before[path] && has.has(keyOf(path, before[path])))));
    return Object.keys(list.files).filter((path) => isWanted(path) && !has.has(keyOf(path, list.files[path])));
  }

  let progress = null; // {done, all} in bytes while files are fetched
  let fault = null; // why the last attempt ended early: {kind, path}
  let giveUp = new AbortController();

  async function fetchAll(list, paths) {
    progress = { done: 0, all: paths.reduce((sum, path) => sum + list.files[path][1], 0) };
    let told = 0;
    const heard = (bytes) => {
      progress.done += bytes;
      if (Date.now() - told < 200) return;
      told = Date.now();
      tell({ progress: { ...progress } });
    };
    const { signal } = giveUp;
    const queue = [...paths]; // shared: each file is taken by one lane
    const lane = async () => {
      for (let path = queue.shift(); path; path = queue.shift()) {
        signal.throwIfAborted();
        await (await download(path, list.files[path], { signal }, heard)).keeping;
      }
    };
    const lanes = Array.from({ length: AT_ONCE }, () => lane().catch((error) => {
      queue.length = 0;
      throw error;
    }));
    try {
      await Promise.all(lanes);
    } finally {
      await Promise.allSettled(lanes);
      progress = null;
    }
  }

  let working = null;
  // Bring what is kept to the server's version, once at a time. Never throws: `fault` says what went wrong.
  function update() {
    working ??= run().finally(() => {
      working = null;
      return announce();
    });
    return working;
  }

  async function run() {
    giveUp = new AbortController();
    try {
      for (let turn = 1; ; turn += 1) {
        try {
          const list = await newest({ signal: giveUp.signal });
          await fetchAll(list, await missing(list));
          const before = await read("current");
          if (before !== list.version) {
            births.set(before, Date.now()); // a page may be about to open with it
            await write("current", list.version);
          }
          break;
        } catch (error) {
          // The server was given a newer version meanwhile: begin again with that.
          if (!(error instanceof Changed) || turn === 3) throw error;
        }
      }
      fault = null;
      await clean();
    } catch (error) {
      const full = error.name === "QuotaExceededError";
      const kind = full ? "full" : error instanceof Changed ? "changed" : giveUp.signal.aborted ? "stopped" : "network";
      fault = { kind, path: error instanceof Changed ? error.message : null };
    }
  }

  // Files that no version in use has are dropped: the current one, and that of every page still open.
  async function clean() {
    const cache = await caches.open(NOTES);
    const notes = (await cache.keys()).map((request) => request.url.slice(noteUrl("").length));
    const named = (kind) => notes.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
    if (named("list/").length === 1 && named("client/").length < 20) return; // not worth the trouble
    const young = (name) => Date.now() - (births.get(name) ?? 0) < 60_000;
    const used = new Set([await read("current"), ...named("list/").filter(young)]);
    for (const id of named("client/")) {
      if (young(id) || (await self.clients.get(id))) {
        used.add(await versionOf(id));
      } else {
        versions.delete(id);
        await cache.delete(noteUrl(`client/${id}`));
      }
    }
    const keys = new Set();
    for (const version of named("list/")) {
      if (used.has(version)) {
        for (const [path, file] of Object.entries((await listOf(version)).files)) keys.add(keyOf(path, file));
      } else {
        lists.delete(version);
        await cache.delete(noteUrl(`list/${version}`));
      }
    }
    const files = await caches.open(FILES);
    for (const request of await files.keys()) if (!keys.has(request.url)) await files.delete(request);
  }

  // What a page shows of all this. Bytes of each half: in the version in use, and kept of it.
  async function state(id) {
    const list = await currentList();
    if (!list) return { version: null, fault };
    const has = await allStored();
    const [all, kept] = [{ pages: 0, live: 0 }, { pages: 0, live: 0 }];
    for (const [path, file] of Object.entries(list.files)) {
      const half = isLive(path) ? "live" : "pages";
      all[half] += file[1];
      if (has.has(keyOf(path, file))) kept[half] += file[1];
    }
    const pages = Object.entries(list.pages).filter(([path]) => has.has(keyOf(path, list.files[path])));
    const newer = await isOld(id, list);
    return { version: list.version, newer, want: await read("want"), all, kept, pages, progress, fault };
  }

  // Whether an open page would be another one if it were opened now: itself, or a script or style of the site.
  async function isOld(id, list) {
    const mine = await listOf(await versionOf(id));
    if (!mine || mine.version === list.version) return false;
    const { url } = (await self.clients.get(id)) ?? { url: ROOT };
    const counts = Object.keys(mine.files).filter((path) => /^_\/.*\.(js|css)$/.test(path));
    return [pathOf(url), ...counts].some((path) => mine.files[path]?.[0] !== list.files[path]?.[0]);
  }

  const windows = () => self.clients.matchAll({ includeUncontrolled: true, type: "window" });
  async function tell(news) {
    for (const client of await windows()) if (client.url.startsWith(ROOT)) client.postMessage({ vertebra: news });
  }
  async function announce() {
    for (const client of await windows()) {
      if (client.url.startsWith(ROOT)) client.postMessage({ vertebra: { state: await state(client.id) } });
    }
  }

  async function byRange(request, response) {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("Range") ?? "");
    if (!range) return response;
    const blob = await response.blob();
    const first = Number(range[1]);
    const last = Math.min(range[2] === "" ? Infinity : Number(range[2]), blob.size - 1);
    const headers = new Headers(response.headers);
    if (first > last) {
      headers.set("Content-Range", `bytes */${blob.size}`);
      return new Response(null, { status: 416, headers });
    }
    headers.set("Content-Range", `bytes ${first}-${last}/${blob.size}`);
    headers.set("Content-Length", last - first + 1);
    return new Response(blob.slice(first, last + 1), { status: 206, headers });
  }

  // No room for a page that was merely opened is no reason to fail it.
  const quietly = (keeping) => keeping.catch((error) => console.info(`not kept: ${error.message}`));

  // Whatever a page asks for: a file of the page's own version, or none.
  async function part(event, path) {
    const mine = await versionOf(event.clientId);
    const list = await (mine === null ? currentList() : listOf(mine));
    if (!list) return fetch(event.request);
    await belongs(event.resultingClientId, list.version); // a worker that the page starts
    const file = list.files[path];
    if (!file) return mine === null ? fetch(event.request) : new Response(null, { status: 404 });
    const kept = await stored(path, file);
    if (kept) return byRange(event.request, kept);
    try {
      const { response, keeping } = await download(path, file);
      event.waitUntil(quietly(keeping));
      return byRange(event.request, response);
    } catch (error) {
      if (error instanceof Changed && mine === null) return fetch(event.request);
      if (error instanceof Changed) event.waitUntil(outdated(event.clientId));
      return Response.error();
    }
  }

  // A page asked for a file that the server has no more.
  async function outdated(id) {
    await update();
    (await self.clients.get(id))?.postMessage({ vertebra: { outdated: true } });
  }

  async function page(event, path) {
    const id = event.resultingClientId;
    const list = await currentList();
    if (!list) return fetch(event.request);
    event.waitUntil(update());
    const kept = list.files[path] && (await stored(path, list.files[path]));
    if (kept) {
      await belongs(id, list.version);
      return kept;
    }
    let fresh;
    try {
      fresh = await whole(event.request.url, { cache: "no-cache", redirect: "manual" });
    } catch {
      await belongs(id, list.version);
      return offline(list);
    }
    const { response, bytes } = fresh;
    if (response.type === "opaqueredirect") return response;
    const hash = response.ok ? await sha256(bytes) : null;
    const has = (each) => each?.files[path]?.[0] === hash;
    // A page of no known version (a hotspot's login page, an upload half done) is shown as it is and not kept.
    const of = hash && (has(list) ? list : await newest().then((newer) => has(newer) && newer, () => null));
    await belongs(id, of ? of.version : "");
    if (of) event.waitUntil(quietly(put(path, of.files[path], remade(response, bytes))));
    return remade(response, bytes);
  }

  // Our own page in place of one that is neither kept nor to be had. The address stays, so that reloading tries again, and
  // links lead to where they would from the root.
  async function offline(list) {
    const kept = await stored("offline.html", list.files["offline.html"]);
    if (!kept) return Response.error();
    const text = (await kept.text()).replace(/\b(?:(?:href|src)="(?!["#/]|\w+:)|data-root=")/g, `$&${ROOT}`);
    return new Response(text, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
  }

  // A page tells what it shows; the first one was loaded before this worker was there, and lazy pictures come late.
  async function visited(client, addresses) {
    const list = await currentList();
    const own = pathOf(client.url);
    if (!list || !list.files[own]) return;
    const mine = (await versionOf(client.id)) ?? list.version;
    if (mine !== list.version) return;
    try {
      // The page itself last: once it is there it is whole.
      for (const path of new Set([...addresses.map(pathOf), own])) {
        const file = list.files[path];
        if (file && !(await stored(path, file))) await (await download(path, file)).keeping;
      }
      await belongs(client.id, mine);
    } catch (error) {
      if (error instanceof Changed) await update();
    }
  }

  async function remove() {
    giveUp.abort();
    await working;
    lists.clear();
    versions.clear();
    await caches.delete(FILES);
    await caches.delete(NOTES);
  }

  const DEEDS = {
    state: async () => {},
    visited: (client, { addresses }) => visited(client, addresses),
    update: async () => ((await currentList()) ? update() : null),
    keep: async (client, { want }) => {
      await write("want", want);
      await working; // one that did not know of the wish
      await update();
    },
    stop: async () => {
      await write("want", null);
      giveUp.abort();
      await working;
      fault = null;
    },
    remove,
  };

  self.addEventListener("message", (event) => {
    const deed = DEEDS[event.data?.vertebra];
    if (!deed) return;
    const done = async () => {
      await deed(event.source, event.data);
      event.ports[0]?.postMessage(await state(event.source.id));
    };
    event.waitUntil(done());
  });

  self.addEventListener("fetch", (event) => {
    const { method, url, mode } = event.request;
    const path = pathOf(url);
    if (method !== "GET" || path === null || UNLISTED.includes(path)) return;
    event.respondWith(mode === "navigate" ? page(event, path) : part(event, path));
  });

  async function ready() {
    if (!(await currentList())) await update();
    if (fault) throw new Error(`the site's list of files could not be had: ${fault.kind}`);
    await self.skipWaiting();
  }
  self.addEventListener("install", (event) => event.waitUntil(ready()));
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
})();
