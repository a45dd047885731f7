// The C-arm, browser half. It asks the kernel for two pictures of one scene and paints them; nothing is computed here.

const SLIDERS = {
  orbital: [t("Orbital angle"), "°"],
  tilt: [t("Tilt, + to the head"), "°"],
  lateral: [t("Entry, + away from the midline"), " mm"],
  cranial: [t("Entry, + upwards"), " mm"],
  convergence: [t("Turned towards the midline"), "°"],
  depth: [t("Tip beyond the pedicle's narrowest part"), " mm"],
};
const SLOW = 60000; // ms without an answer while a CT is read
const VIEWS = { AP: [0, 0], Lateral: [90, 0], "Oblique, left": [-30, 0], "Oblique, right": [30, 0] };
const NAMES = { AP: t("AP"), Lateral: t("Lateral"), "Oblique, left": t("Oblique, left"), "Oblique, right": t("Oblique, right") };

const slider = (id, name, [low, high]) => `
  <div class="ca-slider"><label for="${id}-${name}">${SLIDERS[name][0]}</label>
    <output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="1"></div>`;

const radios = (id, name, choices) => Object.entries(choices)
  .map(([value, text]) => `<label><input type="radio" name="${id}-${name}" data-choice="${name}" value="${value}"> ${text}</label>`)
  .join("");

const screen = (which, heading) => `
  <figure class="ca-screen">
    <figcaption><strong>${heading}</strong> <span data-part="name-${which}" data-taught></span></figcaption>
    <div class="ca-glass"><canvas data-part="canvas-${which}" role="img"></canvas>
      <span class="ca-side ca-left" data-part="left-${which}"></span>
      <span class="ca-side ca-right" data-part="right-${which}"></span>
      <div data-part="levels-${which}"></div>
      <span class="ca-tip" data-part="tip-${which}" hidden></span></div>
  </figure>`;

// The patient lies prone; the tube is under the table, as in most theatres. Left: from the feet. Right: from the side.
const ARC = `<path class="ca-arm" d="M0,-31A31,31 0 0 1 0,31"/><path class="ca-tube" d="M-5,27h10l3,9h-16z"/>
  <path class="ca-plate" d="M-13,-36h26v5h-26z"/><path class="ca-beam" d="M0,27L-12,-31H12Z"/>`;
const SKETCH = `
  <svg viewBox="-44 -44 176 88" class="ca-sketch" role="img" aria-label="${t("How the C-arm stands")}">
    <path class="ca-table" d="M-26,15h52"/><ellipse class="ca-body" rx="21" ry="13"/>
    <circle class="ca-bone" cy="-5" r="4.5"/><path class="ca-bone" d="M-1.2,-13h2.4v6h-2.4z"/>
    <g data-part="turn">${ARC}</g>
    <g transform="translate(88 0)"><path class="ca-table" d="M-34,15h68"/>
      <path class="ca-body" d="M-30,-8C-16,-15 16,-12 32,-9V12H-30Z"/>
      ${[-18, -9, 0, 9, 18].map((x) => `<rect class="ca-bone" x="${x - 3}" y="-9" width="6" height="7" rx="1.5"/>`).join("")}
      <text x="-32" y="24">${t("head")}</text><g data-part="rise">${ARC}</g></g>
  </svg>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <fieldset class="ca-row ca-sources"><legend class="vt-visually-hidden">${t("Who lies on the table")}</legend>
    ${radios(id, "source", about.sources)}</fieldset>
  <div class="ca-monitor" data-part="monitor">${screen(0, t("Chosen view"))}${screen(1, t("Perpendicular to it"))}</div>
  <h3 class="ca-verdict" data-part="verdict" data-taught hidden></h3>
  <p class="ca-wait" data-part="wait" hidden>${t("Reading the CT. The first time this takes some seconds …")}</p>
  <div class="ca-desk">
    <fieldset><legend>${t("C-arm")}</legend>
      <div class="ca-row ca-views">${Object.keys(VIEWS).map((name) => `<button type="button" data-view="${name}">${NAMES[name]}</button>`).join("")}</div>
      ${slider(id, "orbital", about.ranges.orbital)}${slider(id, "tilt", about.ranges.tilt)}
      ${SKETCH}
    </fieldset>
    <div>
      <fieldset class="ca-row"><legend>${t("Look")}</legend>${radios(id, "look", { film: t("film, bone bright"), fluoro: t("fluoroscope, bone dark") })}</fieldset>
      <fieldset data-part="needle"><legend>${t("Needle")}</legend>
        <label class="ca-check"><input type="checkbox" data-flag="needle"> <span>${t("Place a needle through a pedicle of {target}", { target: about.target })}</span></label>
        <p class="vt-note" data-part="only" hidden>${t("In the textbook spine only: its walls are known exactly.")}</p>
        <div data-part="placing" hidden>
          <div class="ca-row">${radios(id, "gauge", { "11G": "11 G", "13G": "13 G" })}</div>
          <div class="ca-row">${radios(id, "side", { left: t("left pedicle"), right: t("right pedicle") })}</div>
          ${["lateral", "cranial", "convergence", "depth"].map((name) => slider(id, name, about.ranges[name])).join("")}
          <p><button type="button" data-part="down">${t("Look down the needle")}</button></p>
        </div>
      </fieldset>
    </div>
  </div>
  <div class="ca-readout" data-part="readout" hidden></div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <p class="vt-note">${t("Teaching model, not reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

function render({ model, el }) {
  const desk = opened({ model, el }, "ca", t("C-arm"), markup, t("The pictures stand still"));
  const { about, root, part, state, showSliders, follow } = desk;

  const showControls = () => {
    showSliders((name, value) => `${value > 0 ? "+" : ""}${value}${SLIDERS[name][1]}`.replace("-", "−"));
    for (const input of root.querySelectorAll("[data-choice]")) input.checked = state[input.dataset.choice] === input.value;
    const model_ = state.source === "model";
    const box = root.querySelector("[data-flag]");
    box.checked = state.needle && model_;
    box.disabled = !model_;
    part("only").hidden = model_;
    part("placing").hidden = !(state.needle && model_);
    part("turn").setAttribute("transform", `rotate(${state.orbital})`);
    // Seen from the patient's right with the head on the left, a detector that goes to the head turns anticlockwise.
    part("rise").setAttribute("transform", `rotate(${-state.tilt})`);
  };

  const ask = () => {
    const slow = state.source !== state.painted;
    part("wait").hidden = !(slow && state.source !== "model");
    part("monitor").toggleAttribute("data-busy", !part("wait").hidden);
    // A waiting line must be on the screen before the kernel's answer can be.
    if (slow) requestAnimationFrame(() => setTimeout(() => desk.ask(SLOW)));
    else desk.ask();
  };

  const change = (sharp) => {
    state.sharp = sharp;
    showControls();
    ask();
  };

  const showReadout = (readout) => {
    // A screen reader hears where the C-arm came to rest, not every step on the way.
    if (state.sharp) desk.tell(readout.told);
    const box = part("readout");
    const verdict = part("verdict");
    box.hidden = verdict.hidden = !readout.verdict;
    if (box.hidden) return;
    // The verdict stands at the pictures, where the eye is while a hand moves the needle.
    verdict.textContent = `${readout.good ? "✓" : "✕"} ${readout.verdict}`;
    verdict.className = `ca-verdict ${readout.good ? "ca-good" : "ca-bad"}`;
    box.innerHTML = `<table><caption class="vt-visually-hidden">${t("The needle, measured in three dimensions")}</caption><tbody data-taught>${readout.rows
        .map(([name, value]) => `<tr><th scope="row">${name}</th><td>${value}</td></tr>`).join("")}</tbody></table>
      <p><strong>${t("Two pictures, one order.")}</strong> <span data-taught>${readout.order}</span> <span class="vt-note">${t("The rule: not over the medial border on AP before past the posterior wall on lateral [unreferenced].")}</span></p>`;
    state.down = readout.down;
  };

  const draw = (shown) => {
    part("wait").hidden = true;
    part("monitor").removeAttribute("data-busy");
    const bytes = bytesOf(shown.pixels);
    shown.marks.forEach((mark, which) => {
      const canvas = part(`canvas-${which}`);
      paintGrey(canvas, bytes.subarray(which * shown.size ** 2), shown.size);
      canvas.setAttribute("aria-label", t("X-ray picture, {view}; the patient's {side} is on the left. Levels {levels}.",
        { view: mark.name, side: mark.left, levels: Object.keys(mark.levels).join(", ") }));
      part(`name-${which}`).textContent = mark.name;
      part(`left-${which}`).textContent = mark.left;
      part(`right-${which}`).textContent = mark.right;
      part(`levels-${which}`).innerHTML = Object.entries(mark.levels)
        .map(([level, row]) => `<span class="ca-level" style="top:${row * 100}%">${level}</span>`).join("");
      const tip = part(`tip-${which}`);
      tip.hidden = !mark.tip;
      if (mark.tip) Object.assign(tip.style, { left: `${mark.tip[0] * 100}%`, top: `${mark.tip[1] * 100}%` });
    });
    part("monitor").dataset.look = state.look;
    state.painted = state.source;
    showReadout(shown.readout);
  };

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.slider) {
      state[target.dataset.slider] = Number(target.value);
      change(false);
    }
  });
  root.addEventListener("change", ({ target }) => {
    if (target.dataset.choice) state[target.dataset.choice] = target.value;
    else if (target.dataset.flag) state[target.dataset.flag] = target.checked;
    else if (!target.dataset.slider) return;
    change(true);
  });
  root.addEventListener("click", ({ target }) => {
    const view = VIEWS[target.dataset.view] ?? (target.dataset.part === "down" ? state.down : null);
    if (!view) return;
    const within = (value, [low, high]) => Math.min(Math.max(value, low), high);
    state.orbital = within(view[0], about.ranges.orbital);
    state.tilt = within(view[1], about.ranges.tilt);
    change(true);
  });

  state.painted = state.source;
  showControls();
  return follow(draw);
}

export default { render };
