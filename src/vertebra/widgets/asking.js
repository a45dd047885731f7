// What widgets that ask the kernel have in common. Python puts it before a widget's own module, as it does style.css.

const PATIENCE = 3000; // ms without an answer before a silent kernel is said to be silent

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
  el.append(root);
  const part = (which) => root.querySelector(`[data-part="${which}"]`);
  const state = { ...model.get("wanted") };
  state.sent = state.seq;
  let late;

  // JupyterLab must not hear our keys: pressing d twice would delete the cell.
  const hush = (event) => event.key !== "Escape" && event.stopPropagation();
  for (const key of ["keydown", "keyup", "keypress", "contextmenu"]) root.addEventListener(key, hush);

  const say = (sentence) => {
    part("problem").textContent = sentence;
    part("problem").hidden = !sentence;
  };

  const ask = () => {
    const waiting = model.get("shown").seq < state.sent;
    state.stale = waiting;
    if (waiting) return;
    const { sent, stale, ...wanted } = state;
    state.sent += 1;
    clearTimeout(late);
    late = setTimeout(() => say(`${silence}: the lesson is not running. Press “Start this lesson” again.`), PATIENCE);
    model.set("wanted", { ...wanted, seq: state.sent });
    model.save_changes();
  };

  const answered = (seq) => {
    if (seq < state.sent) return;
    clearTimeout(late);
    if (!model.get("problem")) say("");
  };

  return { id, about, root, part, state, say, ask, answered, close: () => clearTimeout(late) };
}

