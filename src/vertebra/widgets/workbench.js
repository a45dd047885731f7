// The fracture workbench, browser half. The picture follows the sliders here, at once; every number shown comes from
// vertebra.measure in the kernel, and with it the cut through the model of vertebra.spine, drawn when the slider rests.
// Landmarks and poses are those of vertebra/spine/lateral.py, and a test holds the two together.

const RIM = Array.from({ length: 17 }, (_, i) => -1 + i / 8);
const WALL = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
const LEVELS = ["T12", "L1", "L2"];
const WHOLE = { anterior: 0, middle: 0, posterior: 0, wall: 0, superior_share: 1 };
const [WAIST, BULGE] = [1.2, 7]; // mm: of the walls while a slider moves, near to the model's

const quadratic = (back, middle, front, t) =>
  middle + (t * (front - back)) / 2 + t * t * ((front + back) / 2 - middle);

export function body(normal, shape) {
  const { anterior, middle, posterior, corners } = normal;
  const height = (t) => quadratic(posterior, middle, anterior, t);
  const loss = (t) => quadratic(shape.posterior * posterior, shape.middle * middle, shape.anterior * anterior, t);
  const between = (front, back, t) => back + ((t + 1) / 2) * (front - back);
  const superior = RIM.map((t) => [between(corners[0], corners[1], t), height(t) / 2 - shape.superior_share * loss(t)]);
  const inferior = RIM.map((t) => [between(corners[2], corners[3], t), -height(t) / 2 + (1 - shape.superior_share) * loss(t)]);
  const wall = (i, shift) =>
    WALL.map((v) => [0, 1].map((axis) => superior[i][axis] * (1 - v) + inferior[i][axis] * v + (axis ? 0 : shift(v))));
  const curve = (v) => WAIST * 4 * v * (1 - v);
  const broken = (v) => Math.sin(Math.PI * Math.min(v / Math.max(shape.wall, 1e-9), 1)) ** 2;
  const front = wall(16, (v) => -curve(v));
  const back = wall(0, (v) => curve(v) - BULGE * shape.wall * broken(v));
  const landmarks = [superior, inferior].flatMap((end) => [end[16], end[8], end[0]]);
  const outline = [...superior, ...front, ...[...inferior].reverse(), ...back.reverse()];
  return { superior, inferior, outline, landmarks };
}

const apply = ({ angle, x, y }, points) => {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return points.map(([a, b]) => [a * c - b * s + x, a * s + b * c + y]);
};

const chord = (endplate) => {
  const [a, b] = [endplate[0], endplate[16]];
  return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], angle: Math.atan2(b[1] - a[1], b[0] - a[0]) };
};

function standOn(upper, lower, lowerPose, disc) {
  const base = chord(apply(lowerPose, lower.superior));
  const foot = chord(upper.inferior);
  const angle = base.angle - foot.angle;
  const [[x, y]] = apply({ angle, x: 0, y: 0 }, [foot.middle]);
  return { angle, x: base.middle[0] - disc * Math.sin(base.angle) - x, y: base.middle[1] + disc * Math.cos(base.angle) - y };
}

export function lateral(shape, geometry, tilt = 0) {
  const bodies = {};
  for (const level of LEVELS) bodies[level] = body(geometry.levels[level], level === "L1" ? shape : WHOLE);
  const poses = { L2: { angle: tilt, x: 0, y: 0 } };
  poses.L1 = standOn(bodies.L1, bodies.L2, poses.L2, geometry.levels.L1.disc);
  poses.T12 = standOn(bodies.T12, bodies.L1, poses.L1, geometry.levels.T12.disc);
  const landmarks = (level) => apply(poses[level], bodies[level].landmarks);
  return { bodies, poses, landmarks };
}

const path = (points, closed = true) =>
  "M" + points.map(([x, y]) => `${(-x).toFixed(2)},${(-y).toFixed(2)}`).join("L") + (closed ? "Z" : "");

// What moves in the picture, as attributes by data-part: the same as lateral.parts in Python, given L1's `outline`.
export function parts(scene, geometry, outline = scene.bodies.L1.outline) {
  const moving = {};
  for (const level of LEVELS) {
    const { angle, x, y } = scene.poses[level];
    const { landmarks } = scene.bodies[level];
    const [top, foot] = [landmarks[2][1], landmarks[5][1]];
    const shift = foot + 0.75 * (top - foot) - geometry.levels[level].posterior / 4;
    const centre = scene.landmarks(level).reduce((sum, p) => [sum[0] + p[0] / 6, sum[1] + p[1] / 6], [0, 0]);
    moving[`${level}-pose`] = `translate(${-x} ${-y}) rotate(${(angle * 180) / Math.PI})`;
    moving[`${level}-arch`] = `translate(0 ${-shift})`;
    moving[`${level}-body`] = path(level === "L1" ? outline : geometry.levels[level].outline);
    moving[`${level}-label`] = `translate(${-centre[0]} ${-centre[1]})`;
  }
  for (const [upper, lower] of [["T12", "L1"], ["L1", "L2"]]) {
    const top = apply(scene.poses[upper], scene.bodies[upper].inferior);
    const floor = apply(scene.poses[lower], scene.bodies[lower].superior);
    const middle = (i, out) => [(top[i][0] + floor[i][0]) / 2 + out, (top[i][1] + floor[i][1]) / 2];
    moving[`${upper}-disc`] = path([...top, middle(16, 1), ...[...floor].reverse(), middle(0, -1)]);
  }
  const line = LEVELS.flatMap((level) => [2, 5].map((i) => scene.landmarks(level)[i]).map(([x, y]) => [x + geometry.sac, y]));
  const beyond = (end, next) => [end[0] + 2 * (end[0] - next[0]), end[1] + 2 * (end[1] - next[1])];
  moving.sac = path([beyond(line[0], line[1]), ...line, beyond(line[5], line[4])], false);
  const corners = scene.landmarks("L1");
  ["anterior", "middle", "posterior"].forEach((name, i) => {
    moving[`${name}-height`] = path([corners[i], corners[i + 3]], false);
  });
  return moving;
}

const SLIDERS = [
  ["anterior", t("Anterior height lost"), 70],
  ["middle", t("Middle height lost"), 70],
  ["posterior", t("Posterior height lost"), 60],
  ["wall", t("Posterior wall broken out"), 100],
];
const NAMES = { Normal: t("Normal"), Wedge: t("Wedge"), Biconcave: t("Biconcave"), Crush: t("Crush"), Burst: t("Burst") };
const PRESETS = {
  Normal: [0, 0, 0, 0, 1],
  Wedge: [35, 20, 0, 0, 1],
  Biconcave: [5, 35, 5, 0, 0.5],
  Crush: [40, 45, 35, 0, 0.5],
  Burst: [30, 35, 15, 60, 1],
};
const POINTS = [t("superior anterior"), t("superior middle"), t("superior posterior"), t("inferior anterior"), t("inferior middle"), t("inferior posterior")];
const GRADES = [t("0 none"), t("1 mild"), t("2 moderate"), t("3 severe")];

const markup = (id) => `
  <fieldset class="wb-modes"><legend class="vt-visually-hidden">${t("What to do")}</legend>
    <label><input type="radio" name="${id}-mode" value="shape" checked> ${t("Shape a fracture")}</label>
    <label><input type="radio" name="${id}-mode" value="measure"> ${t("Measure a film")}</label>
  </fieldset>
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <div class="wb-bench">
    <div class="wb-picture" data-part="picture" data-taught></div>
    <div data-part="shaping">
      <div class="wb-presets" role="group" aria-label="${t("Begin from")}">
        ${Object.keys(PRESETS).map((name) => `<button type="button" data-preset="${name}">${NAMES[name]}</button>`).join("")}
      </div>
      <fieldset><legend>${t("L1, compared with its normal self")}</legend>
        ${SLIDERS.map(([name, text, max]) => `
        <div class="wb-slider"><label for="${id}-${name}">${text}</label>
          <output for="${id}-${name}" data-value="${name}">0 %</output>
          <input type="range" id="${id}-${name}" data-slider="${name}" min="0" max="${max}" step="1" value="0"></div>`).join("")}
      </fieldset>
      <fieldset class="wb-choices"><legend>${t("Endplate that gave way")}</legend>
        <label><input type="radio" name="${id}-plate" value="1" checked> ${t("superior")}</label>
        <label><input type="radio" name="${id}-plate" value="0.5"> ${t("both")}</label>
        <label><input type="radio" name="${id}-plate" value="0"> ${t("inferior")}</label>
      </fieldset>
      <fieldset class="wb-choices"><legend>${t("Not in this picture")}</legend>
        <label><input type="checkbox" data-flag="oedema"> ${t("bone oedema on MRI")}</label>
        <label><input type="checkbox" data-flag="tension_band"> ${t("torn tension band")}</label>
      </fieldset>
    </div>
    <div data-part="measuring" hidden>
      <p data-part="task"></p>
      <fieldset class="wb-points"><legend>${t("Six points of L1")}</legend>
        ${POINTS.map((name, i) => `<label><input type="radio" name="${id}-point" value="${i}"${i ? "" : " checked"}>
          <span>${i + 1} ${name}</span> <span class="vt-note" data-place="${i}">${t("not placed")}</span></label>`).join("")}
      </fieldset>
      <p class="vt-note" id="${id}-keys">${t("Click or tap a corner in the picture. By keyboard: choose the point, go to the picture with Tab, move with the arrow keys (with Shift in large steps), Enter for the next point.")}</p>
      <p><button type="button" class="vt-primary" data-part="check" disabled>${t("Compare with the truth")}</button>
        <button type="button" data-part="next">${t("Next film")}</button></p>
    </div>
  </div>
  <div class="wb-readout" data-part="readout"></div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <div class="wb-readout" data-part="result" aria-live="polite" hidden></div>
  <p class="vt-note">${t("Teaching model, not reviewed by a clinician.")} <span data-part="limits" data-taught></span></p>`;

function render({ model, el }) {
  // Each widget loads this module anew, so a counter would give two of them on one page the same ids.
  const id = `wb${Math.random().toString(36).slice(2, 10)}`;
  const root = document.createElement("section");
  root.className = "vt wb";
  root.setAttribute("aria-label", t("Fracture workbench"));
  root.dataset.lmSuppressShortcuts = "true";
  root.innerHTML = markup(id);
  speak(root);
  el.append(root);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const geometry = model.get("geometry");
  part("picture").innerHTML = model.get("picture");
  part("limits").textContent = geometry.limits;
  const svg = part("picture").querySelector("svg");
  // The film's filters are named in the picture; a second workbench on the page needs names of its own.
  for (const filter of svg.querySelectorAll("filter")) {
    svg.style.setProperty(`--${filter.id}`, `url(#${id}-${filter.id})`);
    filter.id = `${id}-${filter.id}`;
  }
  const shaped = model.get("shape");
  const state = { ...shaped, mode: "shape", sent: shaped.seq, placed: Array(6).fill(null), active: 0, checked: false };
  let late, spoken;

  // JupyterLab must not hear our keys: pressing d twice would delete the cell.
  const hush = (event) => event.key !== "Escape" && event.stopPropagation();
  for (const name of ["keydown", "keyup", "keypress", "contextmenu"]) root.addEventListener(name, hush);

  const say = (sentence) => {
    part("problem").textContent = sentence;
    part("problem").hidden = !sentence;
  };

  // --- shaping
  const drawScene = (scene, outline) => {
    for (const [name, value] of Object.entries(parts(scene, geometry, outline))) {
      const node = svg.querySelector(`[data-part="${name}"]`);
      node.setAttribute(/pose|arch|label/.test(name) ? "transform" : "d", value);
    }
  };

  const showControls = () => {
    for (const [name] of SLIDERS) {
      const percent = Math.round(state[name] * 100);
      const slider = root.querySelector(`[data-slider="${name}"]`);
      slider.value = percent;
      slider.setAttribute("aria-valuetext", t("{percent} percent", { percent }));
      root.querySelector(`[data-value="${name}"]`).textContent = `${percent} %`;
    }
    for (const radio of root.querySelectorAll(`[name="${id}-plate"]`)) radio.checked = Number(radio.value) === state.superior_share;
    for (const box of root.querySelectorAll("[data-flag]")) box.checked = state[box.dataset.flag];
  };

  // One question to the kernel at a time; what changed meanwhile is asked when the answer is there.
  const ask = () => {
    const { anterior, middle, posterior, wall, superior_share, oedema, tension_band } = state;
    const waiting = model.get("readout").seq < state.sent;
    state.stale = waiting;
    if (waiting) return;
    state.sent += 1;
    model.set("shape", { seq: state.sent, anterior, middle, posterior, wall, superior_share, oedema, tension_band });
    model.save_changes();
    clearTimeout(late);
    late = setTimeout(() => say(t("The numbers stand still: the lesson is not running. Press “Start this lesson” again.")), 3000);
  };

  // The picture first; the question to the kernel goes out when it is on the screen.
  let asking;
  const change = () => {
    clearTimeout(resting);
    drawScene(lateral(state, geometry));
    showControls();
    cancelAnimationFrame(asking);
    asking = requestAnimationFrame(() => setTimeout(ask));
  };

  // The cut through the model takes the place of the quick outline when no further change came for a moment.
  let resting;
  const rest = (outline) => {
    clearTimeout(resting);
    resting = setTimeout(() => drawScene(lateral(state, geometry), outline), 120);
  };

  const onReadout = () => {
    const readout = model.get("readout");
    if (readout.seq >= state.sent) {
      clearTimeout(late);
      if (!model.get("problem")) say("");
    }
    const shares = readout.probabilities;
    part("readout").innerHTML = `
      <div class="wb-grade"><h3>${t("Genant grade <strong>{grade}</strong>", { grade: GRADES[readout.grade] })}</h3>
        <div class="wb-bar" role="img" aria-label="${t("Chance of each grade for one reader: {grades}", { grades: shares
          .map((share, grade) => t("grade {grade} {percent} percent", { grade, percent: Math.round(share * 100) })).join(", ") })}">
          ${shares.map((share, i) => `<span class="wb-g${i}" style="flex:${share}">${share > 0.07 ? `<b>${i}: ${Math.round(share * 100)} %</b>` : ""}</span>`).join("")}
        </div><p class="vt-note" data-taught>${readout.band}</p></div>
      <table><caption class="vt-visually-hidden">${t("Measured on the picture")}</caption><tbody data-taught>${readout.rows
        .map(([name, value, note]) => `<tr><th scope="row">${name}</th><td>${value}</td><td class="vt-note">${note}</td></tr>`)
        .join("")}</tbody></table>`;
    // A screen reader hears the one sentence that changed, not the whole table, and only where a slider comes to rest.
    clearTimeout(spoken);
    spoken = setTimeout(() => {
      if (readout.seq >= state.sent && part("told").textContent !== readout.told) part("told").textContent = readout.told;
    }, 400);
    if (state.stale) ask();
    else if (state.mode === "shape" && readout.seq === state.sent) rest(readout.outline);
  };

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.slider) state[target.dataset.slider] = Number(target.value) / 100;
    else if (target.dataset.flag) state[target.dataset.flag] = target.checked;
    else if (target.name === `${id}-plate`) state.superior_share = Number(target.value);
    else if (target.name === `${id}-mode`) return setMode(target.value);
    else if (target.name === `${id}-point`) return choose(Number(target.value));
    else return;
    change();
  });
  root.addEventListener("click", ({ target }) => {
    const preset = PRESETS[target.dataset.preset];
    if (!preset) return;
    SLIDERS.forEach(([name], i) => { state[name] = preset[i] / 100; });
    state.superior_share = preset[4];
    change();
  });

  // --- measuring
  const layer = document.createElementNS("http://www.w3.org/2000/svg", "g");
  svg.append(layer);
  const field = part("picture");

  const drawPoints = () => {
    const truth = state.checked ? model.get("result").truth : [];
    const cross = ([x, y], kind, label) =>
      `<g class="${kind}" transform="translate(${-x} ${-y})"><path d="M-2.6,0h5.2M0,-2.6v5.2"/><circle r="1.5"/>` +
      (label ? `<text x="2.4" y="-1.8">${label}</text>` : "") + "</g>";
    layer.innerHTML =
      truth.map((point) => cross(point, "w-truth", "")).join("") +
      state.placed.map((p, i) => (p ? cross(p, i === state.active ? "w-placed w-active" : "w-placed", i + 1) : "")).join("");
    state.placed.forEach((p, i) => {
      root.querySelector(`[data-place="${i}"]`).textContent = p ? `${p[0].toFixed(1)}, ${p[1].toFixed(1)} mm` : t("not placed");
    });
    part("check").disabled = state.checked || state.placed.some((p) => !p);
  };

  const choose = (i) => {
    state.active = i;
    root.querySelectorAll(`[name="${id}-point"]`)[i].checked = true;
    drawPoints();
  };

  const place = (point) => {
    if (state.checked) return;
    state.placed[state.active] = point.map((value) => Math.round(value * 100) / 100);
    drawPoints();
  };

  const next = () => {
    const open = state.placed.findIndex((p) => !p);
    choose(open < 0 ? (state.active + 1) % 6 : open);
  };

  const here = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [-point.x, -point.y];
  };
  let dragging = false;
  field.addEventListener("pointerdown", (event) => {
    if (state.mode !== "measure" || state.checked) return;
    event.preventDefault();
    field.focus();
    const point = here(event);
    const near = state.placed.findIndex((p) => p && Math.hypot(p[0] - point[0], p[1] - point[1]) < 3);
    if (near >= 0) choose(near);
    dragging = true;
    field.setPointerCapture(event.pointerId);
    place(point);
  });
  field.addEventListener("pointermove", (event) => { if (dragging) place(here(event)); });
  field.addEventListener("pointerup", () => {
    if (dragging && state.placed.some((p) => !p)) next();
    dragging = false;
  });
  field.addEventListener("keydown", (event) => {
    if (state.mode !== "measure" || state.checked) return;
    const step = event.shiftKey ? 3 : 0.5;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "Enter" || event.key === " ") {
      if (!state.placed[state.active]) place(start());
      next();
    } else if (moves[event.key]) {
      const [x, y] = state.placed[state.active] ?? start();
      place([x + moves[event.key][0], y + moves[event.key][1]]);
    } else return;
    event.preventDefault();
  });
  // A point that is moved before it was placed begins in the middle of the picture.
  const start = () => {
    const { x, y, width, height } = svg.viewBox.baseVal;
    return [-(x + width / 2), -(y + height / 2)];
  };

  const showCase = () => {
    const film = model.get("film");
    state.placed = Array(6).fill(null);
    state.checked = false;
    part("task").textContent = t("Film {number}. Where are the six points of L1, the middle vertebra?", { number: film.number });
    part("result").hidden = true;
    drawScene(lateral(film.shape, geometry, film.tilt), film.outline);
    choose(0);
  };

  const setMode = (mode) => {
    state.mode = mode;
    clearTimeout(resting);
    const measuring = mode === "measure";
    part("shaping").hidden = part("readout").hidden = measuring;
    part("measuring").hidden = !measuring;
    part("result").hidden = true;
    svg.classList.toggle("w-film", measuring);
    layer.innerHTML = "";
    for (const [name, value] of Object.entries({ tabindex: "0", role: "application", "aria-label": t("Film to measure"), "aria-describedby": `${id}-keys` })) {
      if (measuring) field.setAttribute(name, value);
      else field.removeAttribute(name);
    }
    if (measuring) showCase();
    else change();
  };

  part("check").addEventListener("click", () => {
    model.set("placed", { film: model.get("film").number, points: state.placed });
    model.save_changes();
  });
  part("next").addEventListener("click", () => {
    model.set("wanted_film", model.get("film").number + 1);
    model.save_changes();
    field.focus();
  });
  const onResult = () => {
    const result = model.get("result");
    if (state.mode !== "measure" || !result.lines || result.film !== model.get("film").number) return;
    state.checked = true;
    drawPoints();
    part("result").hidden = false;
    part("result").innerHTML = `<h3>${result.title}</h3><table><caption class="vt-visually-hidden">${t("Your points and the truth")}</caption>
      <thead><tr>${result.head.map((cell) => `<th scope="col">${cell}</th>`).join("")}</tr></thead><tbody>${result.rows
        .map(([name, ...cells]) => `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`)
        .join("")}</tbody></table>${result.lines.map((line) => `<p>${line}</p>`).join("")}`;
  };
  const onFilm = () => state.mode === "measure" && showCase();
  const onProblem = () => say(model.get("problem"));

  const listeners = { "change:readout": onReadout, "change:result": onResult, "change:film": onFilm, "change:problem": onProblem };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  showControls();
  drawScene(lateral(state, geometry), model.get("readout").outline);
  onReadout();
  onProblem();
  return () => {
    clearTimeout(late);
    clearTimeout(spoken);
    clearTimeout(resting);
    cancelAnimationFrame(asking);
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
  };
}

export default { render };
