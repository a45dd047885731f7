// The anatomy viewer, browser half: a small z-buffer on a 2-D canvas. No WebGL, because locked hospital PCs and browsers
// without a graphics card have none, and because the same picture comes out everywhere and can be tested.
// Frame: x to the patient's right, y anterior, z cranial, millimetres. The projection is parallel, as on an anatomical plate.

// --- where one looks from. Azimuth 0 is from the front and grows to the patient's left; elevation 90 is from above.
export const VIEWS = [
  { name: t("Anterior"), azimuth: 0, elevation: 0, seen: t("from the front") },
  { name: t("Posterior"), azimuth: 180, elevation: 0, seen: t("from behind") },
  { name: t("Left lateral"), azimuth: 90, elevation: 0, seen: t("from the patient's left") },
  { name: t("Right lateral"), azimuth: 270, elevation: 0, seen: t("from the patient's right") },
  { name: t("Superior"), azimuth: 180, elevation: 90, seen: t("from above") },
  { name: t("Inferior"), azimuth: 0, elevation: -90, seen: t("from below, as on an axial CT") },
];

const snap = (value) => (Math.abs(value) < 1e-12 ? 0 : value);

// The rows of a camera are the directions of the screen (right, up, towards the viewer) in the patient's frame.
export function camera(azimuth, elevation) {
  const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
  const [ca, sa, ce, se] = [Math.cos(a), Math.sin(a), Math.cos(e), Math.sin(e)];
  return [-ca, -sa, 0, se * sa, -se * ca, ce, -ce * sa, ce * ca, se].map(snap);
}

// Letters of the patient's directions at the four edges of the picture; between two axes both, the larger first.
export function edgeLetters(rows) {
  const letters = (x, y, z) =>
    [[x, "RL"], [y, "AP"], [z, "SI"]]
      .filter(([value]) => Math.abs(value) > 0.38)
      .sort((p, q) => Math.abs(q[0]) - Math.abs(p[0]))
      .map(([value, pair]) => pair[value > 0 ? 0 : 1])
      .join("");
  const [r, u] = [rows.slice(0, 3), rows.slice(3, 6)];
  const away = (v) => v.map((value) => -value);
  return { right: letters(...r), left: letters(...away(r)), top: letters(...u), bottom: letters(...away(u)) };
}

function quaternion([a, b, c, d, e, f, g, h, i]) {
  const trace = a + e + i;
  let q;
  if (trace > 0) q = [1 + trace, h - f, c - g, d - b];
  else if (a > e && a > i) q = [h - f, 1 + a - e - i, b + d, c + g];
  else if (e > i) q = [c - g, b + d, 1 + e - a - i, f + h];
  else q = [d - b, c + g, f + h, 1 + i - a - e];
  const length = Math.hypot(...q);
  return q.map((value) => value / length);
}

function rotation([w, x, y, z]) {
  return [
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  ];
}

// From one camera to another along the shortest turn.
export function between(from, to, share) {
  const p = quaternion(from);
  let q = quaternion(to);
  let dot = p.reduce((sum, value, k) => sum + value * q[k], 0);
  if (dot < 0) [q, dot] = [q.map((value) => -value), -dot];
  const angle = Math.acos(Math.min(dot, 1));
  if (angle < 1e-6) return to;
  const [s, t] = [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
  return rotation(p.map((value, k) => s * value + t * q[k]));
}

// --- meshes: packed by anatomy.py as base64 of int16 positions, uint16 faces, int8 normals and a region for each face
export function decode(scene) {
  const bytes = Uint8Array.from(atob(scene.packed), (letter) => letter.charCodeAt(0)).buffer;
  return scene.meshes.map(({ start, vertices, faces, origin, step }) => {
    let at = start;
    const take = (Kind, length) => {
      const block = new Kind(bytes.slice(at, at + length * Kind.BYTES_PER_ELEMENT));
      at += length * Kind.BYTES_PER_ELEMENT;
      return block;
    };
    const positions = Float32Array.from(take(Int16Array, 3 * vertices), (value, k) => value * step + origin[k % 3]);
    const corners = take(Uint16Array, 3 * faces);
    const normals = take(Int8Array, 3 * vertices);
    return { positions, corners, normals, regions: take(Uint8Array, faces) };
  });
}

const LAMP = [-0.42, 0.5, 0.757]; // over the reader's left shoulder, as engravers light a plate

const frames = new WeakMap();
function emptyFrame(owner, width, height) {
  let frame = frames.get(owner);
  if (!frame || frame.width !== width || frame.height !== height) {
    const n = width * height;
    frame = { width, height, depth: new Float32Array(n), light: new Float32Array(n), id: new Uint8Array(n) };
    frames.set(owner, frame);
  }
  frame.depth.fill(-1e9);
  frame.id.fill(0);
  frame.box = [width, height, 0, 0];
  return frame;
}

// Draw the faces whose region is shown. Result, a pixel: depth in mm towards the viewer, light 0..1, id = region (0: none).
// `owner` is any object: a frame of the same owner is drawn over, so that nothing is allocated while turning. With `glowing`
// only what `kindle` lit is drawn, up to a smooth border: parts are told apart face by face, which alone looks like a saw.
export function rasterise(meshes, shown, rows, { width, height, scale, centre }, owner = {}, glowing = false) {
  const frame = emptyFrame(owner, width, height);
  const { depth, light, id, box } = frame;
  const [r0, r1, r2, u0, u1, u2, t0, t1, t2] = rows;
  for (const mesh of meshes) {
    const { positions, normals, corners, regions, glow } = mesh;
    const n = positions.length / 3;
    const screen = (mesh.screen ??= new Float32Array(4 * n));
    for (let k = 0, j = 0; k < 3 * n; k += 3, j += 4) {
      const x = positions[k] - centre[0], y = positions[k + 1] - centre[1], z = positions[k + 2] - centre[2];
      screen[j] = width / 2 + scale * (r0 * x + r1 * y + r2 * z);
      screen[j + 1] = height / 2 - scale * (u0 * x + u1 * y + u2 * z);
      screen[j + 2] = t0 * x + t1 * y + t2 * z;
      const a = normals[k] / 127, b = normals[k + 1] / 127, c = normals[k + 2] / 127;
      const nx = r0 * a + r1 * b + r2 * c, ny = u0 * a + u1 * b + u2 * c, nz = t0 * a + t1 * b + t2 * c;
      const key = nx * LAMP[0] + ny * LAMP[1] + nz * LAMP[2];
      screen[j + 3] = 0.14 + 0.6 * Math.max(key, 0) + 0.13 * (1 + ny) + 0.1 * Math.max(nz, 0);
    }
    for (let f = 0, k = 0; f < regions.length; f += 1, k += 3) {
      const region = regions[f];
      if (!shown[region]) continue;
      if (glowing && glow[corners[k]] < 0.5 && glow[corners[k + 1]] < 0.5 && glow[corners[k + 2]] < 0.5) continue;
      const a = 4 * corners[k], b = 4 * corners[k + 1], c = 4 * corners[k + 2];
      const ax = screen[a], ay = screen[a + 1], bx = screen[b], by = screen[b + 1], cx = screen[c], cy = screen[c + 1];
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      // Counter-clockwise from outside is clockwise on a screen whose y goes down; the rest is the far side of its solid.
      if (area > -1e-9) continue;
      const x0 = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5)), x1 = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
      const y0 = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5)), y1 = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
      if (x0 > x1 || y0 > y1) continue;
      const over = 1 / area;
      // Weights of b and c, and what they grow by for each pixel to the right and down.
      const vx = (cy - ay) * over, vy = (ax - cx) * over, wx = (ay - by) * over, wy = (bx - ax) * over;
      const az = screen[a + 2], bz = screen[b + 2] - az, cz = screen[c + 2] - az;
      const al = screen[a + 3], bl = screen[b + 3] - al, cl = screen[c + 3] - al;
      const ag = glowing ? glow[corners[k]] : 1, bg = glowing ? glow[corners[k + 1]] - ag : 0, cg = glowing ? glow[corners[k + 2]] - ag : 0;
      for (let y = y0; y <= y1; y += 1) {
        const px = x0 + 0.5 - ax, py = y + 0.5 - ay;
        let v = px * vx + py * vy, w = px * wx + py * wy, p = y * width + x0;
        for (let x = x0; x <= x1; x += 1, p += 1, v += vx, w += wx) {
          if (v < 0 || w < 0 || v + w > 1) continue;
          const z = az + v * bz + w * cz;
          // What lies in one plane, such as the cut ends of the sac and of what is in it, belongs to the first.
          if (z <= depth[p] + 0.15 || ag + v * bg + w * cg < 0.5) continue;
          depth[p] = z;
          light[p] = al + v * bl + w * cl;
          id[p] = region;
        }
      }
      if (x0 < box[0]) box[0] = x0;
      if (y0 < box[1]) box[1] = y0;
      if (x1 > box[2]) box[2] = x1;
      if (y1 > box[3]) box[3] = y1;
    }
  }
  return frame;
}

// Give each vertex a glow, the share of lit faces round it, smoothed over its neighbours.
export function kindle(meshes, lit) {
  for (const mesh of meshes) {
    const { corners, regions, positions } = mesh;
    const n = positions.length / 3;
    const glow = (mesh.glow ??= new Float32Array(n));
    if (!mesh.used.some((region) => lit.has(region))) {
      glow.fill(0);
      continue;
    }
    let face = Float32Array.from(regions, (region) => (lit.has(region) ? 1 : 0));
    const count = new Float32Array(n);
    for (const corner of corners) count[corner] += 1;
    for (let round = 0; round < 3; round += 1) {
      glow.fill(0);
      for (let k = 0; k < corners.length; k += 1) glow[corners[k]] += face[Math.floor(k / 3)];
      for (let k = 0; k < n; k += 1) if (count[k]) glow[k] /= count[k];
      face = face.map((_, k) => (glow[corners[3 * k]] + glow[corners[3 * k + 1]] + glow[corners[3 * k + 2]]) / 3);
    }
  }
}

// How much a pixel lies below its surroundings (mm): what darkens hollows and the joints between the parts.
function hollow(frame, radius) {
  const { width, depth, id, box: [x0, y0, x1, y1] } = frame;
  const n = width * frame.height;
  const sums = (frame.sums ??= new Float32Array(n)), counts = (frame.counts ??= new Float32Array(n));
  const blur = (frame.blur ??= new Float32Array(n));
  for (let y = y0; y <= y1; y += 1) {
    let sum = 0, count = 0;
    for (let x = x0 - radius; x <= x1; x += 1) {
      const add = y * width + x + radius, drop = y * width + x - radius - 1;
      if (x + radius <= x1 && id[add]) { sum += depth[add]; count += 1; }
      if (x - radius - 1 >= x0 && id[drop]) { sum -= depth[drop]; count -= 1; }
      if (x >= x0) { sums[y * width + x] = sum; counts[y * width + x] = count; }
    }
  }
  for (let x = x0; x <= x1; x += 1) {
    let sum = 0, count = 0;
    for (let y = y0 - radius; y <= y1; y += 1) {
      const add = (y + radius) * width + x, drop = (y - radius - 1) * width + x;
      if (y + radius <= y1) { sum += sums[add]; count += counts[add]; }
      if (y - radius - 1 >= y0) { sum -= sums[drop]; count -= counts[drop]; }
      if (y >= y0) blur[y * width + x] = count > 0 ? sum / count : 0;
    }
  }
  return blur;
}

const mix = (a, b, share) => a.map((value, k) => value + (b[k] - value) * share);

// One colour as a plate shades it: 256 tones from its shadow over itself to its light.
export function tones(colour, ink) {
  const tone = new Uint8Array(768);
  for (let k = 0; k < 256; k += 1) {
    const t = k / 255;
    const dark = mix(colour.map((value) => value * 0.5), ink, 0.18);
    const made = t < 0.72 ? mix(dark, colour, t / 0.72) : mix(colour, [255, 255, 255], (t - 0.72) * 1.7);
    tone.set(made.map(Math.round), 3 * k);
  }
  return tone;
}

export const [PLAIN, LIT, FADED, NEAR] = [0, 1, 2, 3];

// Colour a frame. `standing` gives for each region PLAIN, LIT, FADED or NEAR (under the pointer); `glow` is a frame of the
// lit parts alone, which shine through what covers them; `space` a frame of openings, laid over what is behind them.
export function paint(frame, { palette, standing, glow, space, line, image }) {
  const { width, depth, light, id, box } = frame;
  const { ink, paper, lit, regionTones, litTones } = palette;
  const out = image.data;
  out.fill(0);
  const x0 = Math.max(box[0], line), y0 = Math.max(box[1], line);
  const x1 = Math.min(box[2], width - 1 - line), y1 = Math.min(box[3], frame.height - 1 - line);
  const blur = box[0] <= box[2] ? hollow(frame, Math.max(2, Math.round(width / 90))) : null;
  for (let y = y0; y <= y1; y += 1) {
    for (let x = x0; x <= x1; x += 1) {
      const p = y * width + x, region = id[p];
      const opening = space && space.id[p] && standing[space.id[p]] === LIT && space.depth[p] > depth[p];
      if (!region && !opening) continue;
      let r = 0, g = 0, b = 0, alpha = 255;
      if (region) {
        const z = depth[p];
        const shining = glow && glow.id[p], lying = shining && glow.depth[p] > z - 0.05; // at the surface, or behind it
        const state = lying ? LIT : standing[region] === LIT ? FADED : standing[region];
        const shade = light[p] - Math.min(0.3, Math.max(0, blur[p] - z) * 0.035);
        const tone = 3 * Math.max(0, Math.min(255, Math.round(shade * 255)));
        const made = lying ? litTones : regionTones[region];
        [r, g, b] = [made[tone], made[tone + 1], made[tone + 2]];
        if (state === FADED) {
          r += (paper[0] - r) * 0.58; g += (paper[1] - g) * 0.58; b += (paper[2] - b) * 0.58;
        } else if (state === NEAR) {
          r += (lit[0] - r) * 0.22; g += (lit[1] - g) * 0.22; b += (lit[2] - b) * 0.22;
        }
        const rim = shining && !(glow.id[p - line] && glow.id[p + line] && glow.id[p - line * width] && glow.id[p + line * width]);
        if (shining && !lying) {
          const through = 3 * Math.max(0, Math.min(255, Math.round(glow.light[p] * 255)));
          const share = rim ? 0.8 : 0.4;
          r += (litTones[through] - r) * share; g += (litTones[through + 1] - g) * share; b += (litTones[through + 2] - b) * share;
        }
        // Lines: where this pixel stands in front of what is beside it, and more softly where another part begins.
        const left = p - line, up = p - line * width, right = p + line, down = p + line * width;
        const step = Math.max(2 * z - depth[left] - depth[right], 2 * z - depth[up] - depth[down]);
        let stroke = Math.max(0, Math.min(0.85, (step - 0.9) * 0.4));
        if (lying && rim) stroke = 0.8;
        else if ((id[left] && regionTones[id[left]] !== regionTones[region]) || (id[up] && regionTones[id[up]] !== regionTones[region]))
          stroke = Math.max(stroke, 0.45);
        if (state === FADED) stroke *= 0.55;
        r += (ink[0] - r) * stroke; g += (ink[1] - g) * stroke; b += (ink[2] - b) * stroke;
      } else alpha = 0;
      if (opening) {
        const rim = !space.id[p - line] || !space.id[p + line] || !space.id[p - line * width] || !space.id[p + line * width];
        const share = rim ? 0.95 : 0.5;
        if (!region) { [r, g, b] = lit; alpha = 255 * share; }
        else { r += (lit[0] - r) * share; g += (lit[1] - g) * share; b += (lit[2] - b) * share; }
      }
      const o = 4 * p;
      out[o] = r; out[o + 1] = g; out[o + 2] = b; out[o + 3] = alpha;
    }
  }
  return image;
}

// For each region the visible place that lies deepest inside it, its clearance and its number of pixels.
export function places({ id, width, height }, regions) {
  const room = new Float32Array(width * height);
  const relax = (p, q, cost) => {
    const limit = id[q] === id[p] ? room[q] + cost : cost / 2;
    if (limit < room[p]) room[p] = limit;
  };
  const around = [[-1, 0, 1], [0, -1, 1], [-1, -1, 1.414], [1, -1, 1.414]];
  const pass = (back) => {
    for (let k = 0; k < width * height; k += 1) {
      const p = back ? width * height - 1 - k : k;
      if (!id[p]) continue;
      if (!back) room[p] = 1e6;
      const x = p % width, y = (p - x) / width;
      for (const [dx, dy, cost] of around) {
        const [qx, qy] = back ? [x - dx, y - dy] : [x + dx, y + dy];
        if (qx < 0 || qy < 0 || qx >= width || qy >= height) room[p] = Math.min(room[p], 0.5);
        else relax(p, qy * width + qx, cost);
      }
    }
  };
  pass(false);
  pass(true);
  const found = Array.from({ length: regions + 1 }, () => ({ x: 0, y: 0, room: 0, size: 0 }));
  for (let p = 0; p < width * height; p += 1) {
    if (!id[p]) continue;
    const place = found[id[p]];
    place.size += 1;
    if (room[p] > place.room) Object.assign(place, { x: (p % width) + 0.5, y: Math.floor(p / width) + 0.5, room: room[p] });
  }
  return found;
}

// The slots of a column of labels in this order: each as near to its place as the others allow.
function settle(column, top, bottom, gap) {
  const blocks = [];
  for (const label of column) {
    let block = { labels: [label], size: label.height, sum: label.y - label.height / 2, start: 0 };
    for (;;) {
      const room = Math.max(top, bottom - block.size);
      block.start = Math.min(room, Math.max(top, block.sum / block.labels.length));
      const before = blocks.at(-1);
      if (!before || before.start + before.size + gap <= block.start) break;
      blocks.pop();
      const sum = before.sum + block.sum - block.labels.length * (before.size + gap);
      block = { labels: [...before.labels, ...block.labels], size: before.size + gap + block.size, sum, start: 0 };
    }
    blocks.push(block);
  }
  for (const block of blocks) for (const label of block.labels) label.slot = block.start + offset(block, label, gap);
}

const offset = (block, label, gap) =>
  block.labels.slice(0, block.labels.indexOf(label)).reduce((sum, each) => sum + each.height + gap, 0);

// Do the leader lines of two labels of one column cross? `edge` is the column's x.
function crossed(p, q, edge) {
  const turned = (ax, ay, bx, by, cx, cy) => Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
  const [py, qy] = [p.slot + p.height / 2, q.slot + q.height / 2];
  return (
    turned(edge, py, p.x, p.y, edge, qy) !== turned(edge, py, p.x, p.y, q.x, q.y) &&
    turned(edge, qy, q.x, q.y, edge, py) !== turned(edge, qy, q.x, q.y, p.x, p.y)
  );
}

// Put labels [{x, y, height}] into columns at both margins: none over another, leader lines uncrossed. Adds side and slot.
export function layout(labels, { width, top, bottom, margin = 0, gap = 4 }) {
  const sides = { left: [], right: [] };
  const load = (side) => sides[side].reduce((sum, label) => sum + label.height + gap, 0);
  // The outermost choose first; what is in the middle goes where there is more room.
  for (const label of [...labels].sort((p, q) => Math.abs(q.x - width / 2) - Math.abs(p.x - width / 2))) {
    const own = label.x < width / 2 ? "left" : "right", other = own === "left" ? "right" : "left";
    const central = Math.abs(label.x - width / 2) < width * 0.05;
    const full = load(own) + label.height > bottom - top;
    label.side = full || (central && load(other) < load(own)) ? other : own;
    sides[label.side].push(label);
  }
  for (const [side, column] of Object.entries(sides)) {
    const edge = side === "left" ? margin : width - margin;
    column.sort((p, q) => p.y - q.y);
    settle(column, top, bottom, gap);
    for (let tries = 0; tries < 40; tries += 1) {
      const k = column.findIndex((label, i) => i + 1 < column.length && crossed(label, column[i + 1], edge));
      if (k < 0) break;
      [column[k], column[k + 1]] = [column[k + 1], column[k]];
      settle(column, top, bottom, gap);
    }
  }
  return labels;
}

// A small generator of random numbers, so that a test may know the order of the questions (mulberry32).
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// --- the page
const SMALL = 240; // columns of the small picture in which labels and questions look for their places
const TURN = 15; // degrees for one press of an arrow key
const GUTTER = 26; // px at each edge for the letters of direction
const KINDS = { bone: t("Bone"), disc: t("Disc"), ligament: t("Ligaments"), nerve: t("Nerves and their coverings"), vessel: t("Vessel"), space: t("Spaces") };
const SOFT = ["disc", "ligament", "nerve", "vessel"];

const markup = (id) => `
  <div class="va-head">
    <h3 data-part="title" data-taught></h3>
    <fieldset class="va-choices"><legend class="vt-visually-hidden">${t("What to do")}</legend>
      <label><input type="radio" name="${id}-mode" value="explore" checked> ${t("Explore")}</label>
      <label><input type="radio" name="${id}-mode" value="drill"> ${t("Find it")}</label>
    </fieldset>
    <fieldset class="va-choices" data-part="variants" hidden><legend class="vt-visually-hidden">${t("Which vertebra")}</legend></fieldset>
  </div>
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <h3 class="va-question" data-part="question" aria-live="polite" hidden></h3>
  <div class="va-stage">
    <p class="va-view"><strong data-part="view"></strong> <span data-part="seen"></span></p>
    <div class="va-picture" data-part="picture" tabindex="0" role="application" aria-describedby="${id}-keys">
      <canvas data-part="canvas"></canvas>
      <svg data-part="labels" data-taught aria-hidden="true"></svg>
      <span class="va-letter va-top" data-letter="top"></span><span class="va-letter va-bottom" data-letter="bottom"></span>
      <span class="va-letter va-left" data-letter="left"></span><span class="va-letter va-right" data-letter="right"></span>
      <span class="va-tip" data-part="tip" data-taught hidden></span>
    </div>
    <div data-part="markers" role="group" aria-label="${t("Numbered places in the picture")}" hidden></div>
  </div>
  <div class="va-bar">
    <div class="va-stepper" role="group" aria-label="${t("Fixed views")}" data-part="stepper">
      <button type="button" data-step="-1" aria-label="${t("Previous view")}">‹</button>
      ${VIEWS.map(({ name }, i) => `<button type="button" data-view="${i}"><span class="va-key">${i + 1}</span> ${name}</button>`).join("")}
      <button type="button" data-step="1" aria-label="${t("Next view")}">›</button>
    </div>
    <div class="va-stepper" role="group" aria-label="${t("Turn freely")}" data-part="turner">
      <button type="button" data-turn="-1,0" aria-label="${t("Turn to the left")}">←</button>
      <button type="button" data-turn="0,1" aria-label="${t("Turn upwards")}">↑</button>
      <button type="button" data-turn="0,-1" aria-label="${t("Turn downwards")}">↓</button>
      <button type="button" data-turn="1,0" aria-label="${t("Turn to the right")}">→</button>
      <button type="button" data-part="back" disabled>${t("Back to the fixed view")}</button>
    </div>
  </div>
  <div class="va-below" data-part="exploring">
    <div class="va-parts" data-part="parts"></div>
    <div class="va-card" data-part="card" aria-live="polite"></div>
  </div>
  <div class="va-below" data-part="drilling" hidden>
    <div class="va-card"><p class="va-score" data-part="score"></p><div data-part="feedback" aria-live="polite"></div>
      <p class="va-actions"><button type="button" class="vt-primary" data-part="next" hidden>${t("Next question")}</button></p>
    </div>
    <div class="va-card">
      <p class="vt-note">${t("Click or tap it in the picture. The letters at the edges are the patient's directions.")}</p>
      <label class="va-check"><input type="checkbox" data-part="numbered"> ${t("Numbered places, to answer by keyboard")}</label>
    </div>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told"></p>
  <p class="vt-note" id="${id}-keys"><span data-part="keys"></span> <span data-part="limits" data-taught></span></p>`;

const EXPLORE_KEYS = t("Keys 1 to 6 choose a view, Page Up and Page Down step through them, the arrow keys turn, Home goes back to the fixed view. Drag to turn; click a part to name it.");
const DRILL_KEYS = t("With numbered places on, keys 1 to 9 answer.");

const capital = (sentence) => sentence[0].toUpperCase() + sentence.slice(1);
const rgb = (text) => {
  const hex = text.trim().slice(1);
  return [0, 2, 4].map((k) => parseInt(hex.length === 3 ? hex[k / 2].repeat(2) : hex.slice(k, k + 2), 16));
};

function render({ model, el }) {
  const id = `va${Math.random().toString(36).slice(2, 10)}`; // this module is loaded anew for each widget
  const root = document.createElement("section");
  root.className = "vt va";
  root.dataset.lmSuppressShortcuts = "true";
  root.innerHTML = markup(id);
  speak(root);
  el.append(root);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const [picture, canvas, svg] = [part("picture"), part("canvas"), part("labels")];
  const ink = canvas.getContext("2d");
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const state = {
    mode: "explore", view: 0, fixed: true, azimuth: 0, elevation: 0, rows: camera(0, 0),
    pointed: "", hovered: 0, hidden: new Set(), drill: null,
  };
  let scene, meshes, solids, spaces, regionsOf, partOf, palette, frame, size, late;
  let back = null; // the link in the text that brought the reader here from out of sight
  const [solidKey, glowKey, spaceKey, smallKey, smallSpaceKey] = [{}, {}, {}, {}, {}];

  // JupyterLab must not hear our keys: pressing d twice would delete the cell.
  const hush = (event) => event.key !== "Escape" && event.stopPropagation();
  for (const name of ["keydown", "keyup", "keypress", "contextmenu"]) root.addEventListener(name, hush);

  const say = (sentence) => {
    part("problem").textContent = sentence;
    part("problem").hidden = !sentence;
  };

  // --- what is lit: in a drill only the answer, and only once it was given
  const litPart = () => (state.mode === "explore" ? state.pointed || model.get("selected") : "");
  const litRegions = () => {
    if (state.mode === "drill") return state.drill?.answered ? [state.drill.target] : [];
    return (regionsOf[litPart()] ?? []).filter((region) => !state.hidden.has(litPart()));
  };

  const relight = () => {
    root.dataset.lit = litPart();
    markLinks();
    show();
  };

  // --- drawing
  const measurePalette = () => {
    const style = getComputedStyle(root);
    const colour = (name) => rgb(style.getPropertyValue(name));
    const line = colour("--va-line");
    const byTissue = {};
    for (const tissue of Object.keys(KINDS)) byTissue[tissue] = tones(colour(`--va-${tissue}`), line);
    palette = {
      ink: line, paper: colour("--va-ground"), lit: colour("--va-lit"), litTones: tones(colour("--va-lit"), line),
      regionTones: [null, ...scene.regions.map((region) => byTissue[partOf[region.part].tissue])],
    };
  };

  const fit = (width, height) => {
    const numbers = width < 620;
    root.classList.toggle("va-narrow", numbers); // its letters stand in the corners and leave the width to the picture
    const margin = numbers ? (state.mode === "drill" ? 10 : 38) : GUTTER + (state.mode === "drill" ? 8 : 144);
    const scale = Math.min((width - 2 * margin) / scene.extent[0], (height - 58) / scene.extent[1]);
    return { width, height, scale, centre: scene.centre, numbers };
  };
  const sized = (columns) => {
    const q = columns / size.width;
    return { width: columns, height: Math.round(size.height * q), scale: size.scale * q, centre: scene.centre, q };
  };

  // One byte a region: is it drawn?
  const mask = (wanted) => {
    const shown = new Uint8Array(scene.regions.length + 1);
    scene.regions.forEach(({ part: name }, k) => { shown[k + 1] = wanted(k + 1, name) && !state.hidden.has(name) ? 1 : 0; });
    return shown;
  };

  const draw = (fine) => {
    const sharp = Math.min(3, Math.max(2, devicePixelRatio || 1));
    const target = sized(Math.round(size.width * (fine ? Math.min(sharp, Math.sqrt(2.4e6 / (size.width * size.height))) : state.coarse)));
    const began = performance.now();
    const { width, height, q } = target;
    const lit = new Set(litRegions());
    const standing = new Uint8Array(scene.regions.length + 1);
    if (lit.size) standing.fill(FADED);
    if (state.hovered) for (const region of regionsOf[scene.regions[state.hovered - 1].part]) standing[region] = NEAR;
    if (state.drill?.answered) standing[state.drill.chosen] = NEAR;
    for (const region of lit) standing[region] = LIT;
    frame = rasterise(solids, mask(() => true), state.rows, target, solidKey);
    frame.q = q;
    const among = (list) => list.some((mesh) => mesh.used.some((region) => lit.has(region)));
    if (state.kindled !== [...lit].join()) kindle(solids, lit);
    state.kindled = [...lit].join();
    const glow = among(solids) && rasterise(solids, mask(() => true), state.rows, target, glowKey, true);
    const space = among(spaces) && rasterise(spaces, mask((region) => lit.has(region)), state.rows, target, spaceKey);
    if (space) { // an opening may lie beside everything else
      const [a, b] = [frame.box, space.box];
      frame.box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
    }
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
      state.image = null;
    }
    state.image ??= ink.createImageData(width, height);
    ink.putImageData(paint(frame, { palette, standing, glow, space, line: Math.max(1, Math.round(q)), image: state.image }), 0, 0);
    const took = performance.now() - began;
    // A slow machine turns in half resolution.
    if (!fine) state.coarse = took > 45 ? 0.5 : took < 12 ? 1 : state.coarse;
  };

  let asked = 0, resting = 0, turning = 0;
  // While something moves the picture is coarse and without labels; at rest it is drawn finely.
  const show = (moving = false) => {
    if (!size) return;
    cancelAnimationFrame(asked);
    clearTimeout(resting);
    asked = requestAnimationFrame(() => {
      if (moving) {
        draw(false);
        svg.replaceChildren();
        resting = setTimeout(() => show(), 140);
      } else {
        draw(true);
        drawLabels();
      }
      showLetters();
    });
  };

  const showLetters = () => {
    for (const [edge, text] of Object.entries(edgeLetters(state.rows))) root.querySelector(`[data-letter="${edge}"]`).textContent = text;
  };

  // Where each region can be seen from a camera: its place in CSS px, its clearance and its size.
  const seen = (rows) => {
    const target = sized(SMALL);
    const main = rasterise(solids, mask(() => true), rows, target, smallKey);
    const found = places(main, scene.regions.length);
    if (spaces.length) {
      const open = rasterise(spaces, mask(() => true), rows, target, smallSpaceKey);
      for (let p = 0; p < open.id.length; p += 1) if (main.depth[p] > open.depth[p]) open.id[p] = 0;
      // An opening is found only by who looks along it.
      const along = (region) => Math.abs(rows[6 + "xyz".indexOf(partOf[scene.regions[region - 1].part].axis)]) > 0.7;
      places(open, scene.regions.length).forEach((place, region) => { if (place.size && along(region)) found[region] = place; });
    }
    return found.map(({ x, y, room, size: pixels }) => ({ x: x / target.q, y: y / target.q, room: room / target.q, size: pixels }));
  };

  const drawLabels = () => {
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    const told = [];
    if (state.mode === "explore" && state.fixed) {
      const found = seen(state.rows);
      const labels = [];
      const load = { left: 0, right: 0 };
      for (const { id: name } of scene.parts) {
        const own = regionsOf[name].map((region) => found[region]).filter((place) => place.size > 12 && place.room > 2.2);
        if (!own.length || state.hidden.has(name)) continue;
        // Of several alike (left and right, upper and lower) the clearest; of two as clear the one where there is more room.
        const best = Math.max(...own.map((place) => place.room));
        const [place] = own
          .filter((candidate) => candidate.room > 0.75 * best)
          .sort((p, q) => load[p.x < size.width / 2 ? "left" : "right"] - load[q.x < size.width / 2 ? "left" : "right"]);
        load[place.x < size.width / 2 ? "left" : "right"] += 1;
        labels.push({ name, x: place.x, y: place.y });
        told.push(partOf[name].name);
      }
      placeLabels(labels);
    }
    const { name, seen: from } = VIEWS[state.view];
    const where = state.fixed ? t("{view} view, seen {from}.", { view: name, from }) : t("Turned freely.");
    part("told").textContent = state.mode === "drill" ? "" : `${where}${told.length ? ` ${t("In sight: {parts}.", { parts: told.join(", ") })}` : ""}`;
  };

  const placeLabels = (labels) => {
    const lit = litPart();
    const text = (name) => (size.numbers ? [String(partOf[name].number)] : fold(partOf[name].name));
    for (const label of labels) Object.assign(label, { lines: text(label.name), height: 0 });
    for (const label of labels) label.height = size.numbers ? 22 : 16 * label.lines.length;
    layout(labels, { width: size.width, top: 40, bottom: size.height - (size.numbers ? 30 : 12), margin: size.numbers ? 40 : GUTTER + 148, gap: size.numbers ? 6 : 9 });
    const svgNode = (tag, attributes, ...children) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
      node.append(...children);
      return node;
    };
    for (const { name, x, y, side, slot, height, lines } of labels) {
      const edge = size.numbers ? 24 : GUTTER + 132;
      const [inner, sign] = side === "left" ? [edge, 1] : [size.width - edge, -1];
      const middle = slot + height / 2;
      const kind = `va-label${lit === name ? " va-on" : ""}${partOf[name].tissue === "space" ? " va-open" : ""}`;
      const d = `M${inner + 4 * sign},${middle}L${inner + 16 * sign},${middle}L${x},${y}`;
      const group = svgNode("g", { class: kind, "data-name": name });
      group.append(svgNode("path", { class: "va-halo", d }), svgNode("path", { d }), svgNode("circle", { cx: x, cy: y, r: 2.6 }));
      if (size.numbers) group.append(svgNode("circle", { class: "va-number", cx: inner - 10 * sign, cy: middle, r: 11 }));
      lines.forEach((line, k) => {
        const at = size.numbers
          ? { x: inner - 10 * sign, y: middle + 4.5, "text-anchor": "middle" }
          : { x: inner, y: slot + 12.5 + 16 * k, "text-anchor": side === "left" ? "end" : "start" };
        group.append(svgNode("text", at, line));
      });
      svg.append(group);
      // The longest names are set a little narrower, clear of the letter at the edge.
      for (const line of group.querySelectorAll("text"))
        if (line.getComputedTextLength() > 126) {
          line.setAttribute("textLength", 126);
          line.setAttribute("lengthAdjust", "spacingAndGlyphs");
        }
    }
  };

  // A long name goes on two lines of about equal length.
  const fold = (name) => {
    if (name.length < 17 || !name.includes(" ")) return [name];
    const words = name.split(" ");
    const cuts = words.slice(1).map((_, k) => [words.slice(0, k + 1).join(" "), words.slice(k + 1).join(" ")]);
    return cuts.sort((p, q) => Math.max(...p.map((line) => line.length)) - Math.max(...q.map((line) => line.length)))[0];
  };

  // --- turning
  const showStepper = () => {
    root.querySelectorAll("[data-view]").forEach((button, i) => {
      if (i === state.view && state.fixed) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
    part("back").disabled = state.fixed;
    const { name, seen: from } = VIEWS[state.view];
    part("view").textContent = state.fixed ? t("{view} view", { view: name }) : t("Turned freely");
    part("seen").textContent = state.fixed ? from : t("from the {view} view", { view: name.toLowerCase() });
    picture.setAttribute("aria-label", `${scene.title}, ${state.fixed ? t("{view} view", { view: name.toLowerCase() }) : t("turned freely")}`);
  };

  const goTo = (azimuth, elevation, whenThere = () => {}) => {
    cancelAnimationFrame(turning);
    Object.assign(state, { azimuth, elevation });
    const [from, to] = [state.rows, camera(azimuth, elevation)];
    if (still.matches || from.every((value, k) => Math.abs(value - to[k]) < 1e-6)) {
      state.rows = to;
      show();
      return whenThere();
    }
    const began = performance.now();
    const step = () => {
      const t = Math.min(1, (performance.now() - began) / 480);
      state.rows = t < 1 ? between(from, to, t * t * (3 - 2 * t)) : to;
      if (t < 1) {
        show(true);
        turning = requestAnimationFrame(step);
      } else {
        show();
        whenThere();
      }
    };
    step();
  };

  const setView = (i) => {
    Object.assign(state, { view: (i + VIEWS.length) % VIEWS.length, fixed: true });
    showStepper();
    goTo(VIEWS[state.view].azimuth, VIEWS[state.view].elevation);
  };

  // Turn what is near by degrees to the right and upwards, as if held by the hand.
  const turn = (right, up) => {
    cancelAnimationFrame(turning);
    state.azimuth -= right;
    state.elevation = Math.max(-90, Math.min(90, state.elevation - up));
    state.rows = camera(state.azimuth, state.elevation);
    state.fixed = false;
    showStepper();
    show(true);
  };

  // --- selecting
  const select = (name) => {
    model.set("selected", name);
    model.save_changes();
  };

  const showSelected = () => {
    const name = model.get("selected");
    for (const button of part("parts").querySelectorAll("button[data-name]"))
      button.setAttribute("aria-pressed", String(button.dataset.name === name));
    const card = part("card");
    card.replaceChildren();
    const chosen = partOf[name];
    if (chosen) {
      card.append(make("h3", { "data-taught": "" }, capital(chosen.name)), make("p", { "data-taught": "" }, chosen.role));
      const all = make("button", { type: "button" }, t("Show all parts alike"));
      all.addEventListener("click", () => select(""));
      const actions = make("p", { class: "va-actions" }, all);
      if (back) {
        const there = back;
        const button = make("button", { type: "button" }, t("Back to the text"));
        button.addEventListener("click", () => {
          there.scrollIntoView({ block: "center", behavior: still.matches ? "auto" : "smooth" });
          there.focus({ preventScroll: true });
        });
        actions.append(button);
      }
      card.append(actions);
    } else {
      const hint = t("Choose a part in the list or in the picture: it lights up here, and so do its mentions in the text.");
      card.append(make("p", { class: "vt-note" }, hint));
    }
    relight();
  };

  const showParts = () => {
    const list = part("parts");
    list.replaceChildren();
    for (const [tissue, heading] of Object.entries(KINDS)) {
      const own = scene.parts.filter((each) => each.tissue === tissue);
      if (!own.length) continue;
      const rows = own.map((each) => {
        const button = make("button", { type: "button", "data-taught": "", "data-name": each.id, "aria-pressed": "false" },
          make("span", { class: `va-swatch va-${tissue}`, "aria-hidden": "true" }, String(each.number)), each.name);
        const row = make("li", {}, button);
        if (SOFT.includes(tissue)) {
          const box = make("input", { type: "checkbox", "data-hide": each.id, "aria-label": t("Show {name}", { name: each.name }), title: t("Show {name}", { name: each.name }) });
          box.checked = !state.hidden.has(each.id);
          row.prepend(box);
        }
        return row;
      });
      list.append(make("div", { role: "group", "aria-label": heading }, make("p", { class: "va-heading" }, heading), make("ul", {}, ...rows)));
    }
    if (scene.parts.some((each) => SOFT.includes(each.tissue))) {
      const box = make("input", { type: "checkbox", "data-hide-all": "" });
      box.checked = true;
      list.prepend(make("label", { class: "va-check" }, box, t("Show soft parts")));
    }
  };

  const hide = (names, hidden) => {
    for (const name of names) {
      if (hidden) state.hidden.add(name);
      else state.hidden.delete(name);
      root.querySelector(`[data-hide="${name}"]`).checked = !hidden;
    }
    const soft = scene.parts.filter((each) => SOFT.includes(each.tissue));
    const all = root.querySelector("[data-hide-all]");
    const gone = soft.filter((each) => state.hidden.has(each.id)).length;
    Object.assign(all, { checked: gone === 0, indeterminate: gone > 0 && gone < soft.length });
    show();
  };

  // The region drawn at a point of the picture (CSS px) and the opening there: [solid, space], 0 for none.
  const pick = (x, y) => {
    const column = Math.floor(x * frame.q), row = Math.floor(y * frame.q);
    if (column < 0 || row < 0 || column >= frame.width || row >= frame.height) return [0, 0];
    const p = row * frame.width + column;
    const open = rasterise(spaces, mask(() => true), state.rows, { ...sized(frame.width), height: frame.height }, spaceKey);
    return [frame.id[p], open.id[p] && open.depth[p] > frame.depth[p] ? open.id[p] : 0];
  };

  const tip = (region, x, y) => {
    part("tip").hidden = !region;
    if (!region) return;
    part("tip").textContent = scene.regions[region - 1].name;
    part("tip").style.transform = `translate(${Math.min(x + 14, size.width - 190)}px, ${y > 40 ? y - 34 : y + 18}px)`;
  };

  const hover = (region, x = 0, y = 0) => {
    tip(region, x, y);
    if (region === state.hovered) return;
    state.hovered = region;
    show();
  };

  let drag = null;
  const at = (event) => {
    const box = picture.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  picture.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [x, y] = at(event);
    drag = { x, y, moved: false };
    if (state.mode === "explore") picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (state.mode === "drill" || !frame) return;
    if (!drag) {
      if (event.pointerType === "mouse") hover(pick(x, y).find(Boolean) ?? 0, x, y);
      return;
    }
    if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < 5) return;
    hover(0);
    turn((x - drag.x) * 0.45, (drag.y - y) * 0.45);
    Object.assign(drag, { x, y, moved: true });
  });
  picture.addEventListener("pointerup", (event) => {
    const clicked = drag && !drag.moved;
    drag = null;
    if (!clicked) return;
    const [x, y] = at(event);
    const label = document.elementsFromPoint(event.clientX, event.clientY).map((node) => node.closest?.(".va-label")).find(Boolean);
    if (state.mode === "drill") return answerAt(x, y);
    if (label && root.contains(label)) return select(label.dataset.name);
    const region = pick(x, y).find(Boolean);
    if (region) select(scene.regions[region - 1].part);
    else if (model.get("selected")) select("");
  });
  picture.addEventListener("pointercancel", () => { drag = null; });
  picture.addEventListener("pointerleave", () => hover(0));

  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const turns = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
    if (state.mode === "drill") {
      if (digit < 0 || !part("numbered").checked || !state.drill?.markers[digit]) return;
      answer(state.drill.markers[digit]);
    } else if (digit >= 0 && digit < VIEWS.length) setView(digit);
    else if (event.key === "PageUp" || event.key === "PageDown") setView(state.view + (event.key === "PageUp" ? -1 : 1));
    else if (event.key === "Home") setView(state.view);
    else if (turns[event.key]) turn(...turns[event.key].map((way) => way * TURN));
    else return;
    event.preventDefault();
  });

  root.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.dataset.view) setView(Number(button.dataset.view));
    else if (button.dataset.step) setView(state.view + Number(button.dataset.step));
    else if (button.dataset.turn) turn(...button.dataset.turn.split(",").map((way) => Number(way) * TURN));
    else if (button.dataset.name) select(model.get("selected") === button.dataset.name ? "" : button.dataset.name);
    else if (button.dataset.marker) answer(state.drill.markers[Number(button.dataset.marker)]);
    else if (button.dataset.part === "back") setView(state.view);
    else if (button.dataset.part === "next") ask();
  });
  root.addEventListener("input", ({ target }) => {
    if (target.dataset.hide) hide([target.dataset.hide], !target.checked);
    else if ("hideAll" in target.dataset) hide(scene.parts.filter((each) => SOFT.includes(each.tissue)).map((each) => each.id), !target.checked);
    else if (target.name === `${id}-mode`) setMode(target.value);
    else if (target.name === `${id}-variant`) want(target.value);
    else if (target.dataset.part === "numbered") showMarkers();
  });
  // The list lights a part under the pointer or focus for as long as it is there.
  const point = (name) => {
    if (state.pointed === name) return;
    state.pointed = name;
    relight();
  };
  const listed = (event) => event.target.closest?.("button[data-name]")?.dataset.name ?? "";
  part("parts").addEventListener("pointerover", (event) => event.pointerType === "mouse" && point(listed(event)));
  part("parts").addEventListener("pointerleave", () => point(""));

  // --- other vertebrae than the one it opened with
  const want = (variant) => {
    model.set("wanted", variant);
    model.save_changes();
    clearTimeout(late);
    late = setTimeout(() => say(t("The picture stands still: the lesson is not running. Press “Start this lesson” again.")), 8000);
  };

  // --- find it
  const setMode = (mode) => {
    state.mode = mode;
    const drilling = mode === "drill";
    part("exploring").hidden = part("stepper").hidden = part("turner").hidden = drilling;
    part("drilling").hidden = part("question").hidden = !drilling;
    root.classList.toggle("va-drilling", drilling);
    part("keys").textContent = drilling ? DRILL_KEYS : EXPLORE_KEYS;
    relight();
    hover(0);
    svg.replaceChildren();
    size = fit(size.width, size.height);
    if (drilling) {
      state.hidden.clear();
      for (const box of part("parts").querySelectorAll("input")) Object.assign(box, { checked: true, indeterminate: false });
      const views = VIEWS.map(({ azimuth, elevation }) => seen(camera(azimuth, elevation)));
      const largest = views[0].map((_, region) => Math.max(...views.map((found) => found[region]?.size ?? 0)));
      state.drill = { right: 0, asked: 0, queue: [], markers: [], largest };
      ask();
    } else {
      state.drill = null;
      part("markers").hidden = true;
      setView(state.view);
      showSelected();
    }
  };

  const chance = random(model.get("scene").seed);
  const shuffle = (list) => {
    for (let k = list.length - 1; k > 0; k -= 1) {
      const j = Math.floor(chance() * (k + 1));
      [list[k], list[j]] = [list[j], list[k]];
    }
    return list;
  };

  // A question is asked only in a view in which its answer can be hit, and not as a sliver of what another view shows.
  const ask = () => {
    const { drill } = state;
    for (let tries = 0; tries < 2 * scene.regions.length; tries += 1) {
      if (!drill.queue.length) drill.queue = shuffle(scene.regions.map((_, k) => k + 1));
      const target = drill.queue.pop();
      for (const view of shuffle([...VIEWS.keys()])) {
        const azimuth = VIEWS[view].azimuth + (chance() - 0.5) * 36;
        const elevation = Math.max(-90, Math.min(90, VIEWS[view].elevation + (chance() - 0.5) * 24));
        const found = seen(camera(azimuth, elevation));
        if (found[target].size < Math.max(25, drill.largest[target] / 3) || found[target].room < 6) continue;
        Object.assign(drill, { target, answered: false, asked: drill.asked + 1, view, markers: chooseMarkers(found, target), found });
        part("question").textContent = t("{n}. Find the {part}.", { n: drill.asked, part: scene.regions[target - 1].name });
        part("feedback").replaceChildren();
        part("next").hidden = true;
        part("view").textContent = t("Turned");
        part("seen").textContent = t("near the {view} view", { view: VIEWS[view].name.toLowerCase() });
        picture.setAttribute("aria-label", t("{title}, turned, near the {view} view", { title: scene.title, view: VIEWS[view].name.toLowerCase() }));
        part("markers").hidden = true;
        showScore();
        goTo(azimuth, elevation, showMarkers);
        return;
      }
    }
    say(t("There is no part to ask about in this picture."));
  };

  // The answer and up to six other places, in reading order, so that the numbers say nothing.
  const chooseMarkers = (found, target) => {
    const chosen = [target];
    const far = (p, q) => Math.hypot(found[p].x - found[q].x, found[p].y - found[q].y) > 30;
    const others = shuffle(scene.regions.map((_, k) => k + 1).filter((region) => found[region].size > 20 && found[region].room > 5));
    // The same structure elsewhere and known confusions first: they are what the question is about.
    const asked = scene.regions[target - 1].part;
    const rank = (region) => {
      const { part: name } = scene.regions[region - 1];
      return name === asked ? 0 : scene.confusions[asked]?.[name] ? 1 : 2;
    };
    for (const region of others.sort((p, q) => rank(p) - rank(q)))
      if (chosen.length < 7 && chosen.every((other) => far(region, other))) chosen.push(region);
    return chosen.sort((p, q) => found[p].y - found[q].y || found[p].x - found[q].x);
  };

  const showMarkers = () => {
    const { drill } = state;
    const box = part("markers");
    box.hidden = !drill || drill.answered || !part("numbered").checked;
    if (box.hidden) return;
    box.replaceChildren(...drill.markers.map((region, k) => {
      const { x, y } = drill.found[region];
      const button = make("button", { type: "button", "data-marker": String(k), "aria-label": t("Place {n}", { n: k + 1 }) }, String(k + 1));
      button.style.left = `${x}px`;
      button.style.top = `${y}px`;
      return button;
    }));
  };

  const answerAt = (x, y) => {
    const { drill } = state;
    if (!drill || drill.answered) return;
    // A fingertip is wide: what lies within a few pixels counts as hit.
    let hit = 0;
    for (const [dx, dy] of [[0, 0], [5, 0], [-5, 0], [0, 5], [0, -5]]) {
      const under = pick(x + dx, y + dy);
      if (under.includes(drill.target)) { hit = drill.target; break; }
      hit ||= under.find(Boolean) ?? 0;
    }
    if (hit) return answer(hit);
    part("feedback").replaceChildren(make("p", {}, t("There is nothing at that place. Try again: it does not count.")));
  };

  const showScore = () => {
    const { right, asked: n, answered } = state.drill;
    const done = answered ? n : n - 1;
    part("score").textContent = done ? t("{right} of {done} correct", { right, done }) : t("Not answered yet");
  };

  const answer = (region) => {
    const { drill } = state;
    if (!drill || drill.answered) return;
    Object.assign(drill, { answered: true, chosen: region });
    const [wanted, got] = [scene.regions[drill.target - 1], scene.regions[region - 1]];
    const right = region === drill.target;
    drill.right += right ? 1 : 0;
    showScore();
    const lines = [make("p", { class: right ? "va-good" : "va-bad" }, right
      ? t("Correct: the {part}.", { part: wanted.name })
      : t("No, that is the {other}. The {part} is lit now.", { other: got.name, part: wanted.name }))];
    const mixed = wanted.side !== got.side ? "side" : "level";
    const why = wanted.part === got.part ? scene.mixed[mixed] : scene.confusions[wanted.part]?.[got.part];
    if (!right && why) lines.push(make("p", { "data-taught": "" }, why));
    lines.push(make("p", { "data-taught": "" }, `${capital(partOf[wanted.part].name)}: ${partOf[wanted.part].role}`));
    part("feedback").replaceChildren(...lines);
    part("next").hidden = false;
    const here = root.contains(document.activeElement) && document.activeElement !== document.body;
    part("markers").hidden = true;
    if (here) part("next").focus({ preventScroll: true });
    show();
  };

  // --- the text lights the picture, the picture the text: links like [pedicle](#part-pedicle) anywhere in the page
  const linked = (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="#part-"]') : null;
    const name = link?.getAttribute("href").slice("#part-".length);
    return name && partOf[name] ? [name, link] : [];
  };
  const distance = (box, other) => Math.abs((box.top + box.bottom) / 2 - (other.top + other.bottom) / 2);
  // Of several viewers that have the part one comes into sight: none if one is in sight, else the nearest to the link.
  const comeIntoSight = (name, link) => {
    back = null;
    const boxes = [...document.querySelectorAll(".va")]
      .filter((other) => other.dataset.parts?.split(" ").includes(name))
      .map((other) => [other, other.querySelector(".va-stage").getBoundingClientRect()]);
    const inSight = boxes.some(([, box]) => box.height && box.top > -box.height / 3 && box.bottom < innerHeight + box.height / 3);
    const from = link.getBoundingClientRect();
    const [nearest] = boxes.sort((p, q) => distance(p[1], from) - distance(q[1], from))[0];
    if (inSight || nearest !== root) return;
    back = link;
    root.querySelector(".va-stage").scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
  };
  const onLink = {
    click: (event) => {
      const [name, link] = linked(event);
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (!name) {
        // What only another viewer has is lit there, and one part at a time.
        const other = event.target.closest?.('a[href^="#part-"]')?.getAttribute("href").slice("#part-".length);
        const known = [...document.querySelectorAll(".va")].some((each) => each.dataset.parts?.split(" ").includes(other));
        if (other && known && state.mode === "explore" && model.get("selected")) select("");
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      if (state.mode === "drill") return; // no help from the text while it asks
      comeIntoSight(name, link);
      select(name);
    },
    pointerover: (event) => {
      if (!root.contains(event.target) && event.pointerType === "mouse") point(linked(event)[0] ?? "");
    },
    focusin: (event) => { if (!root.contains(event.target)) point(linked(event)[0] ?? ""); },
  };
  for (const [name, listener] of Object.entries(onLink)) document.addEventListener(name, listener, true);

  const markLinks = () => {
    const lit = new Set([...document.querySelectorAll(".va[data-lit]")].map((other) => other.dataset.lit));
    for (const link of document.querySelectorAll('a[href^="#part-"]')) {
      const on = lit.has(link.getAttribute("href").slice("#part-".length));
      if (on === link.classList.contains("vt-part-lit")) continue;
      link.classList.toggle("vt-part-lit", on);
      if (on) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  // JupyterLab takes cells out of the page and puts them back while one scrolls.
  let marking = 0;
  const watch = new MutationObserver((records) => {
    if (!records.some((record) => record.addedNodes.length && !root.contains(record.target))) return;
    cancelAnimationFrame(marking);
    marking = requestAnimationFrame(markLinks);
  });
  watch.observe(document.body, { childList: true, subtree: true });

  // --- beginning and end
  const open = () => {
    scene = model.get("scene");
    partOf = Object.fromEntries(scene.parts.map((each, k) => [each.id, Object.assign(each, { number: k + 1 })]));
    regionsOf = {};
    scene.regions.forEach((region, k) => (regionsOf[region.part] ??= []).push(k + 1));
    meshes = decode(scene);
    for (const mesh of meshes) mesh.used = [...new Set(mesh.regions)];
    const isSpace = (mesh) => partOf[scene.regions[mesh.used[0] - 1].part].tissue === "space";
    [solids, spaces] = [meshes.filter((mesh) => !isSpace(mesh)), meshes.filter(isSpace)];
    state.coarse ??= 1;
    state.kindled = null;
    state.hidden = new Set([...state.hidden].filter((name) => partOf[name]));
    state.hovered = 0;
    clearTimeout(late);
    root.setAttribute("aria-label", t("Anatomy: {title}", { title: scene.title }));
    root.dataset.parts = scene.parts.map((each) => each.id).join(" ");
    part("title").textContent = scene.title;
    part("limits").textContent = scene.limits;
    part("keys").textContent = EXPLORE_KEYS;
    part("variants").hidden = scene.variants.length < 2;
    part("variants").replaceChildren(part("variants").firstElementChild, ...scene.variants.map(([name, label]) => {
      const radio = make("input", { type: "radio", name: `${id}-variant`, value: name });
      radio.checked = name === scene.variant;
      return make("label", { "data-taught": "" }, radio, label);
    }));
    measurePalette();
    showParts();
    for (const box of part("parts").querySelectorAll("[data-hide]")) box.checked = !state.hidden.has(box.dataset.hide);
    if (state.mode === "drill") {
      root.querySelector(`[name="${id}-mode"][value="explore"]`).checked = true;
      if (size) setMode("explore");
    }
    if (size) size = fit(size.width, size.height);
    showStepper();
    showSelected();
  };

  const resize = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width < 40 || contentRect.height < 40) return;
    measurePalette(); // a cell below the window is rendered outside the page, where no colour is known
    size = fit(contentRect.width, contentRect.height);
    if (state.drill && !state.drill.answered) { // the numbered places move with the picture
      const found = seen(camera(state.azimuth, state.elevation));
      state.drill.found = found;
      showMarkers();
    }
    show();
  });
  resize.observe(picture);
  const recolour = () => { measurePalette(); show(); };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", recolour);
  const theme = new MutationObserver(recolour);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });

  const onProblem = () => { clearTimeout(late); say(model.get("problem")); };
  const onSelected = () => { if (scene) showSelected(); };
  const listeners = { "change:scene": open, "change:selected": onSelected, "change:problem": onProblem };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  open();
  onProblem();
  return () => {
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
    for (const [name, listener] of Object.entries(onLink)) document.removeEventListener(name, listener, true);
    for (const observer of [watch, resize, theme]) observer.disconnect();
    dark.removeEventListener("change", recolour);
    for (const timer of [late, resting]) clearTimeout(timer);
    for (const request of [asked, turning, marking]) cancelAnimationFrame(request);
    delete root.dataset.lit;
    root.remove();
    // Links that only this viewer lit go out with it.
    model.get("selected") && document.querySelectorAll("a.vt-part-lit").forEach((link) => {
      const name = link.getAttribute("href").slice("#part-".length);
      if ([...document.querySelectorAll(".va[data-lit]")].some((other) => other.dataset.lit === name)) return;
      link.classList.remove("vt-part-lit");
      link.removeAttribute("aria-current");
    });
  };
}

export default { render };
