// The CT browser, browser half: it unpacks the voxels once and needs nobody after that. Every volume has its axes to the
// patient's left, back and feet (vertebra/widgets/ct.py turns it so), which is how all three pictures run: no flips here.

export const PLANES = {
  axial: { across: 0, down: 1, through: 2, letters: "RLAP", way: t("from head to feet") },
  sagittal: { across: 1, down: 2, through: 0, letters: "APSI", way: t("from the patient's right to the left") },
  coronal: { across: 0, down: 2, through: 1, letters: "RLSI", way: t("from front to back") },
};
const NAMES = { axial: t("axial"), sagittal: t("sagittal"), coronal: t("coronal") };
const WINDOWS = { bone: [400, 1800], soft: [40, 400] };
const WINDOW_NAMES = { bone: t("Bone"), soft: t("Soft tissue") };
// Okabe-Ito; a name stands beside every outline that is large enough, so nobody has to tell them by colour.
const KINDS = {
  vertebra: ["#f0e442", t("vertebra")], disc: ["#56b4e9", t("disc")], canal: ["#e58fc0", t("canal and cord")], rib: ["#e69f00", t("rib")],
  vessel: ["#ff7a3d", t("vessel")], muscle: ["#2fc79a", t("muscle")], organ: ["#c3ccd6", t("organ")],
};
const CROSS = "#ffb000";
const TARGET = "#56d4ff";
const FONT = "system-ui, sans-serif";

// --- the volume: numbers without a page

async function inflate(text, [ni, nj, nk]) {
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let n = 0; n < letters.length; n++) packed[n] = letters.charCodeAt(n);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const volume = new Uint8Array(await new Response(stream).arrayBuffer());
  for (let row = 0; row < nj * nk; row++) for (let n = row * ni + 1; n < (row + 1) * ni; n++) volume[n] += volume[n - 1];
  return volume;
}

export const unpack = async (record) => ({
  ...record,
  image: await inflate(record.image, record.shape),
  labels: await inflate(record.labels, record.shape),
});

const index = ({ shape }, [i, j, k]) => i + shape[0] * (j + shape[1] * k);
const clampTo = (value, low, high) => Math.min(Math.max(value, low), high);
export const inside = ({ shape }, at) => at.map((n, axis) => clampTo(Math.round(n), 0, shape[axis] - 1));
export const world = ({ origin, spacing }, at) => at.map((n, axis) => origin[axis] - n * spacing[axis]);
export const voxel = (scan, xyz) => inside(scan, xyz.map((mm, axis) => (scan.origin[axis] - mm) / scan.spacing[axis]));
export const hounsfield = (scan, at) => scan.hu[scan.image[index(scan, at)]];
const NOTHING = t("not labelled");
export const nameOf = ({ name, part }) => (part ? `${name}, ${part}` : name || NOTHING);
export const structure = (scan, at) => nameOf(scan.table[scan.labels[index(scan, at)]]);

// The level whose body lies nearest in height: what an axial picture is called by.
const levelAt = (scan, at) =>
  scan.levels.reduce((best, level) => (Math.abs(level.centre[2] - at[2]) < Math.abs(best.centre[2] - at[2]) ? level : best)).name;

// Where the picture of a plane lies: `left` and `top` are mm of the volume at the picture's corner, `scale` px per mm,
// the same on both axes whatever the voxels are.
export function frame(plane, { shape, spacing }, width, zoom, corner) {
  const [wide, high] = [plane.across, plane.down].map((axis) => shape[axis] * spacing[axis]);
  const scale = (width * zoom) / wide;
  const height = (width * high) / wide;
  const [left, top] = [clampTo(corner[0], 0, wide - width / scale), clampTo(corner[1], 0, high - height / scale)];
  const [across, down] = [spacing[plane.across], spacing[plane.down]];
  return {
    scale, width, height, left, top,
    toPixel: (at) => [((at[plane.across] + 0.5) * across - left) * scale, ((at[plane.down] + 0.5) * down - top) * scale],
    toVoxel: ([x, y], at) => {
      const moved = [...at];
      moved[plane.across] = clampTo(Math.floor((x / scale + left) / across), 0, shape[plane.across] - 1);
      moved[plane.down] = clampTo(Math.floor((y / scale + top) / down), 0, shape[plane.down] - 1);
      return moved;
    },
  };
}

export function slice(volume, { shape }, plane, at) {
  const step = [1, shape[0], shape[0] * shape[1]];
  const [wide, high] = [shape[plane.across], shape[plane.down]];
  const cut = new Uint8Array(wide * high);
  for (let row = 0; row < high; row++) {
    let from = at[plane.through] * step[plane.through] + row * step[plane.down];
    for (let n = row * wide; n < (row + 1) * wide; n++, from += step[plane.across]) cut[n] = volume[from];
  }
  return cut;
}

// Found, if the mark lies on the structure, or on nothing labelled within `near` mm of it; and the way to its nearest voxel.
export function judge(scan, target, at, near) {
  const wanted = scan.table.map((_, code) => target.codes.includes(code));
  const [ni, nj, nk] = scan.shape;
  let [best, nearest, n] = [Infinity, at, 0];
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni; i++, n++) {
        if (!wanted[scan.labels[n]]) continue;
        const far = ((i - at[0]) * scan.spacing[0]) ** 2 + ((j - at[1]) * scan.spacing[1]) ** 2 + ((k - at[2]) * scan.spacing[2]) ** 2;
        if (far < best) [best, nearest] = [far, [i, j, k]];
      }
  const distance = Math.sqrt(best);
  const code = scan.labels[index(scan, at)];
  const here = world(scan, at);
  const away = world(scan, nearest).map((mm, axis) => mm - here[axis]);
  return { found: wanted[code] || (code === 0 && distance <= near), distance, away, marked: structure(scan, at) };
}

export function inWords(away) {
  const ways = [[t("to the patient's right"), t("to the patient's left")], [t("further forward"), t("further back")], [t("further up"), t("further down")]];
  const steps = away.flatMap((mm, axis) => (Math.abs(mm) < 0.5 ? [] : [`${Math.round(Math.abs(mm))} mm ${ways[axis][mm > 0 ? 0 : 1]}`]));
  return steps.length > 1 ? t("{ways} and {way}", { ways: steps.slice(0, -1).join(", "), way: steps.at(-1) }) : steps.join("");
}

// Marching squares over a slightly smoothed mask, so that an outline follows the anatomy and not the voxels' corners.
// In the upright planes only along the fine axis: the slices are too far apart to smooth across them.
export function outline(mask, wide, high, upright) {
  const [w, h] = [wide + 2, high + 2];
  let field = new Float32Array(w * h);
  for (let row = 0; row < high; row++) for (let x = 0; x < wide; x++) field[(row + 1) * w + x + 1] = mask[row * wide + x];
  for (const step of upright ? [1, 1] : [1, w]) {
    const smooth = new Float32Array(w * h);
    for (let n = step; n < w * h - step; n++) smooth[n] = (field[n - step] + 2 * field[n] + field[n + step]) / 4;
    field = smooth;
  }
  const path = new Path2D();
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1]];
  for (let y = 0; y < h - 1; y++)
    for (let x = 0; x < w - 1; x++) {
      const values = corners.map(([dx, dy]) => field[(y + dy) * w + x + dx] - 0.45);
      if (values.every((v) => v > 0) || values.every((v) => v <= 0)) continue;
      const crossings = [];
      for (let edge = 0; edge < 4; edge++) {
        const [a, b] = [values[edge], values[(edge + 1) % 4]];
        if (a > 0 === b > 0) continue;
        const [[ax, ay], [bx, by]] = [corners[edge], corners[(edge + 1) % 4]];
        const t = a / (a - b);
        crossings.push([x + ax + t * (bx - ax) - 1, y + ay + t * (by - ay) - 1]);
      }
      for (let n = 0; n + 1 < crossings.length; n += 2) {
        path.moveTo(...crossings[n]);
        path.lineTo(...crossings[n + 1]);
      }
    }
  return path;
}

function outlinesOf(scan, plane, at, wantedCodes) {
  const cut = slice(scan.labels, scan, plane, at);
  const [wide, high] = [scan.shape[plane.across], scan.shape[plane.down]];
  const groups = new Map();
  for (let n = 0; n < cut.length; n++) {
    const code = cut[n];
    if (!code || (wantedCodes && !wantedCodes.includes(code))) continue;
    const { name, kind } = scan.table[code];
    const key = wantedCodes ? "target" : kind === "canal" ? t("spinal canal") : name; // the cord lies in the canal

    if (!groups.has(key)) groups.set(key, { name: key, kind, mask: new Uint8Array(cut.length), count: 0, x: 0, y: 0, from: wide, to: 0 });
    const group = groups.get(key);
    group.mask[n] = 1;
    group.count += 1;
    group.x += n % wide;
    group.y += Math.floor(n / wide);
    group.from = Math.min(group.from, n % wide);
    group.to = Math.max(group.to, n % wide);
  }
  const across = scan.spacing[plane.across];
  return [...groups.values()].map(({ name, kind, mask, count, x, y, from, to }) => ({
    name, kind, centre: [x / count, y / count], path: outline(mask, wide, high, plane.down === 2),
    broad: (to - from + 1) * across, area: count * across * scan.spacing[plane.down],
  }));
}

const shuffled = (list) => {
  const mixed = [...list];
  for (let n = mixed.length - 1; n > 0; n--) {
    const other = Math.floor(Math.random() * (n + 1));
    [mixed[n], mixed[other]] = [mixed[other], mixed[n]];
  }
  return mixed;
};

// --- the page

const markup = (id, scans, about) => `
  <div class="ct-head">
    <fieldset class="ct-modes" ${about.drill ? "" : "hidden"}><legend class="vt-visually-hidden">${t("What to do")}</legend>
      <label><input type="radio" name="${id}-mode" value="look" checked> ${t("Look around")}</label>
      <label><input type="radio" name="${id}-mode" value="find"> ${t("Find the structure")}</label>
    </fieldset>
    <fieldset class="ct-modes" ${scans.length > 1 ? "" : "hidden"}><legend class="vt-visually-hidden">${t("Which CT")}</legend>
      ${scans.map((scan, n) => `<label><input type="radio" name="${id}-scan" value="${n}" ${n ? "" : "checked"}> ${scan.tab}</label>`).join("")}
    </fieldset>
    <p class="ct-case"><strong data-part="title" data-taught></strong> <span class="vt-note" data-part="note" data-taught></span></p>
  </div>
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <div class="ct-drill" data-part="drill" hidden>
    <p class="ct-task" data-part="task"></p>
    <p class="ct-feedback" data-part="feedback" role="status"></p>
    <p class="ct-row"><button type="button" class="vt-primary" data-act="commit">${t("This is it")}</button>
      <button type="button" data-act="reveal">${t("Show me")}</button>
      <button type="button" class="vt-primary" data-act="next" hidden>${t("Next structure")}</button>
      <span class="vt-note" data-part="score"></span></p>
  </div>
  <div class="ct-planes" data-part="planes">${Object.entries(PLANES).map(([name, plane]) => `
    <figure data-plane="${name}">
      <figcaption><strong>${NAMES[name][0].toUpperCase() + NAMES[name].slice(1)}</strong> <span class="vt-note" data-part="${name}-at"></span></figcaption>
      <div class="ct-view" role="application" tabindex="0" aria-label="${t("{plane} plane", { plane: NAMES[name] })}" aria-describedby="${id}-keys"><canvas></canvas></div>
      <input type="range" min="0" step="1" data-slice="${name}" aria-label="${t("{plane} slice, {way}", { plane: NAMES[name], way: plane.way })}">
    </figure>`).join("")}
  </div>
  <div class="ct-readout">
    <p><span>${t("At the crosshair")}</span> <strong data-part="structure"></strong></p>
    <p><span>${t("CT number")}</span> <strong data-part="hu"></strong></p>
    <p><span>${t("Nearest level")}</span> <strong data-part="level"></strong></p>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told"></p>
  <div class="ct-controls">
    <div class="ct-row" role="group" aria-label="${t("Jump to a level")}" data-part="jump"></div>
    <fieldset><legend>${t("Grey values")}</legend>
      <div class="ct-row">${Object.keys(WINDOWS).map((name) => `<button type="button" data-window="${name}" aria-pressed="false">${WINDOW_NAMES[name]}</button>`).join("")}</div>
      ${[["level", t("Level"), -500, 1500, 10], ["width", t("Width"), 50, 3000, 10]].map(([name, text, min, max, step]) => `
      <div class="ct-slider"><label for="${id}-${name}">${text}</label><output for="${id}-${name}" data-value="${name}"></output>
        <input type="range" id="${id}-${name}" data-slider="${name}" min="${min}" max="${max}" step="${step}"></div>`).join("")}
    </fieldset>
    <fieldset><legend>${t("Picture")}</legend>
      <div class="ct-slider"><label for="${id}-zoom">${t("Zoom")}</label><output for="${id}-zoom" data-value="zoom"></output>
        <input type="range" id="${id}-zoom" data-slider="zoom" min="1" max="5" step="0.5"></div>
      <label class="ct-choice">${t("Enlarge")} <select data-part="large"><option value="">${t("none")}</option>
        ${Object.keys(PLANES).map((name) => `<option value="${name}">${NAMES[name]}</option>`).join("")}</select></label>
      <label class="ct-choice" data-part="outlines-choice"><input type="checkbox" data-part="outlines"> ${t("Outline the structures")}</label>
    </fieldset>
    <ul class="ct-legend" data-part="legend" hidden aria-label="${t("Colours of the outlines")}">${Object.values(KINDS).map(([colour, text]) =>
      `<li><span style="background:${colour}"></span>${text}</li>`).join("")}</ul>
  </div>
  <p class="vt-note" id="${id}-keys">${t("Click or tap a picture, then drag. Keys in a picture: arrows move the crosshair (with Shift 10 mm), Page Up and Page Down or the wheel go through the slices, + and − zoom, Home goes back to the start")}<span data-part="enter-key" hidden>${t(", Enter answers")}</span>.
    ${t("R, L, A, P, S, I: the patient's right, left, front, back, head and feet.")}</p>
  <p class="vt-note" data-part="credit" data-taught></p>
  <p class="vt-note">${t("Teaching aid, not reviewed by a clinician.")} <span data-part="limits" data-taught></span></p>`;

function render({ model, el }) {
  // Drawn by lot: every widget on a page has a copy of this file of its own, so a count would begin anew in each.
  const id = `ct${Math.random().toString(36).slice(2, 10)}`;
  const records = model.get("scans");
  const about = model.get("about");
  const root = document.createElement("section");
  root.className = "vt ct";
  root.setAttribute("aria-label", t("CT browser"));
  root.setAttribute("aria-busy", "true");
  root.dataset.lmSuppressShortcuts = "true";
  root.innerHTML = markup(id, records, about);
  speak(root);
  el.append(root);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const all = (selector) => root.querySelectorAll(selector);
  part("credit").textContent = about.credit;
  part("limits").textContent = about.limits;

  const scans = []; // unpacked, in the order of `records`
  const start = voxel(records[0], model.get("crosshair"));
  const state = { scan: 0, at: start, level: 400, width: 1800, zoom: 1, outlines: false, mode: "look" };
  const drill = { queue: [], target: null, judged: true, asked: 0, found: 0, begin: "" };
  const planes = Object.entries(PLANES).map(([name, plane]) => {
    const figure = root.querySelector(`[data-plane="${name}"]`);
    const view = figure.querySelector(".ct-view");
    return {
      ...plane, name, figure, view, canvas: view.querySelector("canvas"), slider: figure.querySelector("input"),
      store: document.createElement("canvas"), corner: [0, 0], drawn: {}, frame: null,
    };
  });
  const scan = () => scans[state.scan];
  const hidden = () => state.mode === "find" && !drill.judged; // a question is open: no names, no levels, no outlines

  // JupyterLab must not hear our keys: pressing d twice would delete the cell.
  const hush = (event) => event.key !== "Escape" && event.stopPropagation();
  for (const name of ["keydown", "keyup", "keypress", "contextmenu"]) root.addEventListener(name, hush);

  const say = (sentence) => {
    part("problem").textContent = sentence;
    part("problem").hidden = !sentence;
  };

  // --- drawing
  const greys = () => {
    const low = state.level - state.width / 2;
    return Uint8Array.from(scan().hu, (hu) => Math.round(clampTo(((hu - low) / state.width) * 255, 0, 255)));
  };

  const paint = (plane, grey) => {
    const key = [state.scan, state.at[plane.through], state.level, state.width].join();
    if (plane.drawn.picture === key) return;
    plane.drawn.picture = key;
    const cut = slice(scan().image, scan(), plane, state.at);
    const [wide, high] = [scan().shape[plane.across], scan().shape[plane.down]];
    if (plane.store.width !== wide || plane.store.height !== high) Object.assign(plane.store, { width: wide, height: high });
    const pixels = new ImageData(wide, high);
    const words = new Uint32Array(pixels.data.buffer);
    for (let n = 0; n < cut.length; n++) words[n] = grey[cut[n]] * 0x010101 + 0xff000000;
    plane.store.getContext("2d").putImageData(pixels, 0, 0);
  };

  const outlines = (plane, codes) => {
    const key = [state.scan, state.at[plane.through], codes].join();
    const slot = codes ? "target" : "outlines";
    if (plane.drawn[slot]?.key !== key) plane.drawn[slot] = { key, groups: outlinesOf(scan(), plane, state.at, codes) };
    return plane.drawn[slot].groups;
  };

  const write = (pen, text, x, y, size, edge = 0) => {
    pen.font = `650 ${size}px ${FONT}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineWidth = 3;
    pen.lineJoin = "round";
    pen.strokeStyle = "rgba(0, 0, 0, 0.8)";
    pen.fillStyle = "#ffffff";
    const half = pen.measureText(text).width / 2 + edge;
    const within = clampTo(x, half, Math.max(half, pen.canvas.clientWidth - half));
    pen.strokeText(text, within, y);
    pen.fillText(text, within, y);
  };

  // The picture moves only when the crosshair would leave it.
  const follow = (plane, width) => {
    const probe = frame(plane, scan(), width, state.zoom, plane.corner);
    const spot = probe.toPixel(state.at);
    plane.corner = [probe.left, probe.top].map((corner, n) => {
      const size = n ? probe.height : probe.width;
      const margin = size * 0.12;
      return corner + (Math.min(spot[n] - margin, 0) + Math.max(spot[n] - size + margin, 0)) / probe.scale;
    });
    plane.frame = frame(plane, scan(), width, state.zoom, plane.corner);
    plane.corner = [plane.frame.left, plane.frame.top];
  };

  const drawPlane = (plane, grey) => {
    const width = plane.view.clientWidth;
    if (!width) return;
    follow(plane, width);
    paint(plane, grey);
    const { height, scale, left, top } = plane.frame;
    const [wide, high] = [width, height].map((px) => Math.round(px * (window.devicePixelRatio || 1)));
    if (plane.canvas.width !== wide || plane.canvas.height !== high) Object.assign(plane.canvas, { width: wide, height: high });
    const pen = plane.canvas.getContext("2d");
    pen.setTransform(wide / width, 0, 0, high / height, 0, 0);
    pen.imageSmoothingQuality = "high";
    const [sa, sd] = [scan().spacing[plane.across], scan().spacing[plane.down]];
    pen.drawImage(plane.store, left / sa, top / sd, width / scale / sa, height / scale / sd, 0, 0, width, height);

    const stroke = (path, colour, line) => {
      const placed = new Path2D();
      placed.addPath(path, new DOMMatrix([sa * scale, 0, 0, sd * scale, (sa / 2 - left) * scale, (sd / 2 - top) * scale]));
      pen.lineCap = "round";
      for (const [ink, thick] of [["rgba(0, 0, 0, 0.55)", line + 1.5], [colour, line]]) {
        Object.assign(pen, { strokeStyle: ink, lineWidth: thick });
        pen.stroke(placed);
      }
    };
    if (state.outlines && !hidden()) {
      const groups = outlines(plane, null);
      for (const { path, kind } of groups) stroke(path, KINDS[kind][0], 1.25);
      for (const { name, area, broad, centre } of groups) {
        const [x, y] = [((centre[0] + 0.5) * sa - left) * scale, ((centre[1] + 0.5) * sd - top) * scale];
        // A name where it fits; the line under the pictures says it for the rest.
        if (area * scale * scale > 900 && broad * scale > 6 * name.length) write(pen, name, x, y, 11, 22);
      }
    }
    if (state.mode === "find" && drill.judged && drill.target)
      for (const { path } of outlines(plane, drill.target.codes)) stroke(path, TARGET, 2.25);

    const [x, y] = plane.frame.toPixel(state.at);
    const gap = Math.max(7, 2.5 * scale);
    for (const [ink, thick] of [["rgba(0, 0, 0, 0.6)", 3], [CROSS, 1.25]]) {
      Object.assign(pen, { strokeStyle: ink, lineWidth: thick });
      pen.beginPath();
      for (const [x1, y1, x2, y2] of [[0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height]]) {
        pen.moveTo(x1, y1);
        pen.lineTo(x2, y2);
      }
      pen.stroke();
    }
    [[11, height / 2], [width - 11, height / 2], [width / 2, 11], [width / 2, height - 11]].forEach(([lx, ly], n) =>
      write(pen, plane.letters[n], lx, ly, 14));
    const bar = [50, 20, 10, 5].find((mm) => mm * scale < width / 2 - 24) ?? 5; // clear of the letter in the middle
    pen.fillStyle = "rgba(0, 0, 0, 0.8)";
    pen.fillRect(9, height - 12, bar * scale + 2, 5);
    pen.fillStyle = "#ffffff";
    pen.fillRect(10, height - 11, bar * scale, 3);
    write(pen, `${bar} mm`, 10 + (bar * scale) / 2, height - 21, 11);
  };

  let asked;
  let telling;
  const show = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(draw);
  };

  const draw = () => {
    if (!scan()) return;
    const grey = greys();
    const level = levelAt(scan(), state.at);
    for (const plane of planes) {
      drawPlane(plane, grey);
      const [n, count] = [state.at[plane.through] + 1, scan().shape[plane.through]];
      part(`${plane.name}-at`).textContent = t("slice {n} of {count}", { n, count });
      Object.assign(plane.slider, { max: count - 1, value: n - 1 });
      plane.slider.setAttribute("aria-valuetext", hidden() ? t("slice {n} of {count}", { n, count }) : t("slice {n} of {count}, nearest level {level}", { n, count, level }));
    }
    const [name, hu] = [structure(scan(), state.at), hounsfield(scan(), state.at)];
    const number = (hu) => (hu === scan().hu[0] ? t("below {hu} HU", { hu }) : hu === scan().hu.at(-1) ? t("above {hu} HU", { hu }) : t("about {hu} HU", { hu }));
    part("structure").textContent = hidden() ? t("hidden") : name;
    part("hu").textContent = number(hu).replace("-", "−");
    part("level").textContent = hidden() ? t("hidden") : level;
    part("jump").hidden = part("outlines-choice").hidden = hidden();
    part("legend").hidden = hidden() || !state.outlines;
    for (const slider of all("[data-slider]")) {
      const value = state[slider.dataset.slider];
      slider.value = value;
      const text = slider.dataset.slider === "zoom" ? `${value} ×` : `${String(value).replace("-", "−")} HU`;
      slider.setAttribute("aria-valuetext", text);
      root.querySelector(`[data-value="${slider.dataset.slider}"]`).textContent = text;
    }
    for (const button of all("[data-window]")) {
      const [middle, width] = WINDOWS[button.dataset.window];
      button.setAttribute("aria-pressed", String(state.level === middle && state.width === width));
    }
    // A screen reader hears where the crosshair came to rest, not every voxel on the way.
    clearTimeout(telling);
    telling = setTimeout(() => {
      part("told").textContent = hidden() ? `${number(hu)}.` : `${name}. ${number(hu)}. ${t("Nearest level {level}.", { level })}`;
    }, 400);
  };

  // --- moving
  let saving;
  const go = (at) => {
    state.at = inside(scan(), at);
    show();
    clearTimeout(saving);
    saving = setTimeout(() => {
      model.set("crosshair", world(scan(), state.at).map((mm) => Math.round(mm * 1000) / 1000));
      model.save_changes();
    }, 250);
  };
  const step = (axis, by) => go(state.at.map((n, a) => (a === axis ? n + by : n)));
  const zoomTo = (zoom) => {
    state.zoom = clampTo(zoom, 1, 5);
    for (const plane of planes) {
      const width = plane.view.clientWidth;
      const { scale, height } = frame(plane, scan(), width || 1, state.zoom, [0, 0]);
      const [x, y] = [plane.across, plane.down].map((axis) => (state.at[axis] + 0.5) * scan().spacing[axis]);
      plane.corner = [x - width / scale / 2, y - height / scale / 2];
    }
    show();
  };
  const enlarge = (name) => {
    part("planes").dataset.large = name;
    for (const plane of planes) plane.figure.toggleAttribute("data-big", plane.name === name);
    show();
  };
  const setScan = (n) => {
    const place = scan() ? world(scan(), state.at) : null;
    state.scan = n;
    if (place) state.at = voxel(scan(), place);
    part("title").textContent = records[n].title;
    part("note").textContent = records[n].note;
    part("title").classList.toggle("ct-computed", records[n].computed);
    const size = ({ across, down }) => [across, down].map((axis) => scan().shape[axis] * scan().spacing[axis]);
    part("planes").style.setProperty("--ct-columns", planes.map((plane) => `minmax(0, ${size(plane)[0]}fr)`).join(" "));
    for (const plane of planes) {
      plane.view.style.aspectRatio = size(plane).join(" / ");
    }
    part("jump").innerHTML = `<span class="ct-label">${t("Jump to")}</span>${scan().levels
      .map(({ name }) => `<button type="button" data-level="${name}">${name}</button>`).join("")}`;
    show();
  };

  for (const plane of planes) {
    const { view } = plane;
    const point = (event) => {
      const box = view.getBoundingClientRect();
      go(plane.frame.toVoxel([event.clientX - box.left, event.clientY - box.top], state.at));
    };
    let dragging = false;
    let turned = 0;
    view.addEventListener("pointerdown", (event) => {
      // The first touch of a picture may be the start of scrolling the page: it counts only as a tap, see click.
      if (!scan() || event.button || (event.pointerType === "touch" && !view.matches(":focus"))) return;
      dragging = true;
      view.setPointerCapture(event.pointerId);
      point(event);
    });
    view.addEventListener("pointermove", (event) => dragging && point(event));
    for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, () => { dragging = false; });
    view.addEventListener("click", (event) => scan() && point(event));
    view.addEventListener("wheel", (event) => {
      // A picture nobody chose lets the page scroll.
      if (!scan() || !view.matches(":focus")) return;
      event.preventDefault();
      if (event.ctrlKey) return zoomTo(state.zoom - Math.sign(event.deltaY) / 2);
      turned += event.deltaMode ? event.deltaY * 30 : event.deltaY;
      const steps = Math.trunc(turned / 40);
      turned -= steps * 40;
      if (steps) step(plane.through, steps);
    }, { passive: false });
    view.addEventListener("keydown", (event) => {
      if (!scan() || event.altKey || event.ctrlKey || event.metaKey) return;
      const moves = {
        ArrowLeft: [plane.across, -1], ArrowRight: [plane.across, 1], ArrowUp: [plane.down, -1], ArrowDown: [plane.down, 1],
        PageUp: [plane.through, -1], PageDown: [plane.through, 1],
      };
      const move = moves[event.key];
      if (move) step(move[0], move[1] * (event.shiftKey ? Math.round(10 / scan().spacing[move[0]]) : 1));
      else if (event.key === "Home") go(state.mode === "find" && drill.begin ? drill.begin : start);
      else if (event.key === "+" || event.key === "-") zoomTo(state.zoom + (event.key === "+" ? 0.5 : -0.5));
      else if (event.key === "Enter" && state.mode === "find") {
        if (!event.repeat) drill.judged ? next() : answer(false); // a key held down answers no question it did not show
      }
      else return;
      event.preventDefault();
    });
    plane.slider.addEventListener("input", () => step(plane.through, Number(plane.slider.value) - state.at[plane.through]));
  }

  // --- the drill
  const showScore = () => {
    part("score").textContent = drill.asked ? t("Score: {found} of {asked} found", { found: drill.found, asked: drill.asked }) : "";
    const open = !drill.judged;
    for (const [act, shown] of [["commit", open], ["reveal", open], ["next", !open]]) root.querySelector(`[data-act="${act}"]`).hidden = !shown;
  };
  const ask = () => {
    if (!drill.queue.length) drill.queue = shuffled(scan().targets);
    drill.target = drill.queue.shift();
    drill.judged = false;
    const others = scan().levels.filter(({ name }) => !drill.target.ask.includes(name));
    const begin = others[Math.floor(Math.random() * others.length)];
    drill.begin = begin.centre;
    part("task").innerHTML = t("Find <strong>{structure}</strong>.", { structure: drill.target.ask });
    part("task").append(` ${t("You start in the body of {level}.", { level: begin.name })}`);
    part("feedback").textContent = "";
    part("feedback").className = "ct-feedback";
    showScore();
    go(begin.centre);
  };
  const next = () => {
    ask();
    (drill.view ?? planes[1].view).focus({ preventScroll: true });
  };
  const answer = (gaveUp) => {
    const { found, distance, away, marked } = judge(scan(), drill.target, state.at, about.near);
    const right = found && !gaveUp;
    drill.judged = true;
    drill.asked += 1;
    drill.found += right ? 1 : 0;
    // What was missed comes again after three others.
    if (!right) drill.queue.splice(Math.min(3, drill.queue.length), 0, drill.target);
    const { ask } = drill.target;
    const where = distance < 0.5 ? "" : ` ${t("From there the nearest edge of {structure} is {mm} mm away: {way}.", { structure: ask, mm: Math.round(distance), way: inWords(away) })}`;
    const close = marked === NOTHING ? t("right at its edge") : marked;
    part("feedback").textContent = right
      ? t("Found: {close}.", { close })
      : `${gaveUp ? "" : marked === NOTHING ? t("Not found: you marked nothing that has a label.") : t("Not found: you marked {structure}.", { structure: marked })}${where} ` +
        t("The crosshair has moved into it; its outline is drawn in blue.");
    part("feedback").className = `ct-feedback ${right ? "ct-right" : "ct-wrong"}`;
    if (!right) go(drill.target.best);
    showScore();
    show();
    model.set("score", { asked: drill.asked, found: drill.found });
    model.save_changes();
    if (!root.querySelector(".ct-view:focus")) root.querySelector('[data-act="next"]').focus({ preventScroll: true });
  };
  const setMode = (mode) => {
    state.mode = mode;
    part("drill").hidden = part("enter-key").hidden = mode !== "find";
    if (mode !== "find") return show();
    if (drill.judged) ask();
  };

  root.addEventListener("focusin", ({ target }) => {
    if (target.classList.contains("ct-view")) drill.view = target;
  });
  root.addEventListener("input", ({ target }) => {
    if (!scan()) return;
    if (target.dataset.slider === "zoom") zoomTo(Number(target.value));
    else if (target.dataset.slider) state[target.dataset.slider] = Number(target.value);
    else if (target.dataset.part === "outlines") state.outlines = target.checked;
    else if (target.dataset.part === "large") enlarge(target.value);
    else if (target.name === `${id}-mode`) setMode(target.value);
    else if (target.name === `${id}-scan`) setScan(Number(target.value));
    else return;
    show();
  });
  root.addEventListener("click", ({ target }) => {
    if (!scan()) return;
    const { window: preset, level, act } = target.dataset;
    if (preset) [state.level, state.width] = WINDOWS[preset];
    else if (level) go(scan().levels.find(({ name }) => name === level).centre);
    else if (act === "next") next();
    else if (act) answer(act === "reveal");
    else return;
    show();
  });

  const onCrosshair = () => {
    const at = scan() && voxel(scan(), model.get("crosshair"));
    if (!at || hidden() || at.join() === state.at.join()) return;
    state.at = at;
    show();
  };
  model.on("change:crosshair", onCrosshair);
  const watch = new ResizeObserver(show);
  for (const { view } of planes) watch.observe(view);

  if (typeof DecompressionStream === "undefined")
    say(t("This browser is too old to unpack the CT: it needs Chrome or Edge 80, Firefox 113 or Safari 16.4, or newer."));
  else
    Promise.all(records.map(unpack)).then((unpacked) => {
      scans.push(...unpacked);
      setScan(0);
      root.setAttribute("aria-busy", "false");
    }, (error) => say(t("The CT could not be unpacked ({message}). Run this cell again.", { message: error.message })));

  return () => {
    clearTimeout(saving);
    clearTimeout(telling);
    cancelAnimationFrame(asked);
    watch.disconnect();
    model.off("change:crosshair", onCrosshair);
  };
}

export default { render };
