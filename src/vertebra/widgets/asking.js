// What widgets that ask the kernel have in common. Python puts it before a widget's own module, as it does style.css.

const PATIENCE = 3000; // ms without an answer before a silent kernel is said to be silent

// A text as it may stand in HTML.
const clean = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// A value with its unit in full, for who hears it.
const spelled = (value) => [[/ ?°C?/, t(" degrees")], ["mL", t("millilitres")], ["kg", t("kilograms")], [" min ", t(" minutes ")], ["%", t("percent")]]
  .reduce((text, [unit, word]) => text.replace(unit, word), value);

// The folder of this lesson on the server, as the address bar has it.
const folder = () => decodeURIComponent(/\/(?:tree|notebooks)\/(.*)$/.exec(location.pathname)?.[1] ?? "").split("/").slice(0, -1);

// A link to a lesson, or a section of it. JupyterLab opens it in its own tab if told so in its way; elsewhere the browser
// follows it.
function link(file, anchor, text) {
  const path = [...folder(), file].join("/");
  const told = clean(JSON.stringify(anchor ? { path, id: `#${anchor}` } : { path }));
  const href = anchor ? `${file}#${anchor}` : file;
  return `<a href="${clean(encodeURI(href))}" data-commandlinker-command="rendermime:handle-local-link" data-commandlinker-args="${told}">${clean(text)}</a>`;
}

// The bytes that stand as base64 in a text.
function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i); // several times as fast as Uint8Array.from
  return bytes;
}

// Grey bytes of a picture to the pixels of a canvas, opaque.
function paintGrey(canvas, grey, size) {
  canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = 0xff000000 | (grey[i] * 0x010101);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Opens a section named `label` in a widget's place and returns what its module works with. One question goes to the
// kernel at a time; what changed meanwhile is asked when the answer is there. `silence` is said if none comes.
function opened({ model, el }, name, label, markup, silence) {
  const id = `${name}${Math.random().toString(36).slice(2, 10)}`; // this module is loaded anew for each widget
  const about = model.get("about");
  const root = document.createElement("section");
  root.className = `vt ${name}`;
  root.setAttribute("aria-label", label);
  root.dataset.lmSuppressShortcuts = "true";
  root.innerHTML = markup(id, about);
  speak(root);
  el.append(root);
  const part = (which) => root.querySelector(`[data-part="${which}"]`);
  const state = { ...model.get("wanted") };
  state.sent = state.seq;
  let late, spoken;

  // JupyterLab must not hear our keys: pressing d twice would delete the cell.
  const hush = (event) => event.key !== "Escape" && event.stopPropagation();
  for (const key of ["keydown", "keyup", "keypress", "contextmenu"]) root.addEventListener(key, hush);

  const say = (sentence) => {
    part("problem").textContent = sentence;
    part("problem").hidden = !sentence;
  };

  const ask = (patience = PATIENCE) => {
    const waiting = model.get("shown").seq < state.sent;
    state.stale = waiting;
    if (waiting) return;
    const { sent, stale, ...wanted } = state;
    state.sent += 1;
    clearTimeout(late);
    late = setTimeout(() => say(`${silence}: ${t("the lesson is not running. Press “Start this lesson” again.")}`), patience);
    model.set("wanted", { ...wanted, seq: state.sent });
    model.save_changes();
  };

  // A screen reader hears where things came to rest, not every step on the way, and nothing twice.
  const tell = (text, pause = 400) => {
    clearTimeout(spoken);
    spoken = setTimeout(() => {
      if (model.get("shown").seq < state.sent) return; // the answer that is still to come will be told
      if (part("told").textContent !== text) part("told").textContent = text;
    }, pause);
  };

  // Puts each slider where `state` has it, and beside it its value as `worded(name, value)` has it.
  const showSliders = (worded) => {
    for (const input of root.querySelectorAll("[data-slider]")) {
      const name = input.dataset.slider;
      const value = worded(name, state[name]);
      input.value = state[name];
      input.setAttribute("aria-valuetext", spelled(value));
      root.querySelector(`[data-value="${name}"]`).textContent = value;
    }
  };

  // Prints a page of its own, as JupyterLab would print its whole window.
  const print = (page) => {
    root.querySelector("iframe")?.remove();
    const frame = Object.assign(document.createElement("iframe"), { className: "vt-visually-hidden", tabIndex: -1, srcdoc: page });
    frame.title = t("The page as it is printed");
    frame.setAttribute("aria-hidden", "true");
    frame.addEventListener("load", () => {
      frame.contentWindow.focus();
      frame.contentWindow.print();
    });
    root.append(frame);
  };

  // Draws what is shown, now and whenever an answer comes. Returns what ends it all, `close` of the module included.
  const follow = (draw, close = () => {}) => {
    const onShown = () => {
      const shown = model.get("shown");
      if (shown.seq >= state.sent) {
        clearTimeout(late);
        if (!model.get("problem")) say("");
      }
      draw(shown);
      root.dataset.seq = shown.seq;
      if (state.stale) ask();
    };
    const onProblem = () => say(model.get("problem"));
    model.on("change:shown", onShown);
    model.on("change:problem", onProblem);
    onShown();
    onProblem();
    return () => {
      close();
      clearTimeout(late);
      clearTimeout(spoken);
      model.off("change:shown", onShown);
      model.off("change:problem", onProblem);
    };
  };

  return { id, about, root, part, state, ask, tell, showSliders, print, follow };
}

