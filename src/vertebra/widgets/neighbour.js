// What cement does to the neighbour, browser half. It asks the kernel and paints what comes back; nothing is computed here.

const SLIDERS = {
  cement: [t("Cement in the lower body"), (value) => `${value} mL`, 0.5],
  contact: [t("Cement reaches the endplates"), (value) => (value === 0 ? t("not at all") : value === 100 ? t("fully") : `${value} %`), 5],
  bone_volume: [t("Bone volume, of all bodies"), (value) => `${value} %`, 0.5],
  damage: [t("Damage by the fracture"), (value) => (value ? `${value} %` : t("none")), 5],
  wedge: [t("Wedge of L1"), (value) => `${value}°`, 1],
};
const FIELD = [-25, -5, 50, 67]; // mm, of the section's picture: left, margin above and below (negative), width, height
const SIDE = [-46, -3, 78, 99];
const DOTS = 11; // of a canvas, a millimetre

const slider = (id, name, [low, high]) => `
  <div class="nb-slider"><label for="${id}-${name}">${SLIDERS[name][0]}</label>
    <output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="${SLIDERS[name][2]}"></div>`;

const radios = (id, name, choices) => Object.entries(choices)
  .map(([value, text]) => `<label><input type="radio" name="${id}-${name}" data-choice="${name}" value="${value}"> <span>${text}</span></label>`)
  .join("");

const picture = (name, [x, y, wide, high]) => `
  <div class="nb-picture" role="img" data-part="${name}">
    <canvas data-part="${name}-canvas" width="${wide * DOTS}" height="${high * DOTS}"></canvas>
    <svg viewBox="${x} ${y} ${wide} ${high}" aria-hidden="true" data-part="${name}-lines"></svg></div>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <fieldset class="nb-switch"><legend>${t("Before and after the cement, what stays the same?")}</legend>
    <div>${radios(id, "control", about.same)}</div></fieldset>
  <h3 class="nb-verdict" data-part="verdict" data-taught></h3>
  <div class="nb-top">
    <figure>${picture("section", FIELD)}
      <figcaption>
        <span class="nb-ramp" aria-hidden="true" style="background:linear-gradient(to right, ${about.colours.join(", ")})"></span>
        <span class="nb-ends"><span>${t("no strain")}</span><span>${t("bone yields ({strain})", { strain: about.yield })}</span></span>
        <span class="nb-key"><span><i class="nb-cement"></i>${t("cement")}</span><span><i class="nb-disc"></i>${t("disc, pressure in MPa")}</span></span>
        <span class="vt-note">${t("Movements up and down are drawn {lift} times; the disc's own shortening is left out.", { lift: about.lift })}</span>
      </figcaption></figure>
    <div>
      <div data-part="chart"></div>
      <p class="vt-note">${t("Upright marks: published, each for its own study's cement and bone.")}</p>
      <p data-part="words" data-taught></p>
    </div>
  </div>
  <div class="nb-desk">
    <fieldset><legend>${t("Cement")}</legend>
      ${slider(id, "cement", about.ranges.cement)}<p class="vt-note nb-fill" data-part="fill" data-taught></p>
      ${slider(id, "contact", about.ranges.contact)}
    </fieldset>
    <fieldset><legend>${t("Bone")}</legend>${slider(id, "bone_volume", about.ranges.bone_volume)}${slider(id, "damage", about.ranges.damage)}</fieldset>
    <fieldset><legend>${t("Try")}</legend>
      <div class="nb-presets">${Object.keys(about.presets).map((name) => `<button type="button" data-preset="${name}" data-taught>${name}</button>`).join("")}</div>
    </fieldset>
  </div>
  <div class="nb-part">
    <h3>${t("The treated body itself")}</h3>
    <div data-part="body"></div>
  </div>
  <div class="nb-part">
    <h3>${t("And the lean? The same spine from the side")}</h3>
    <div class="nb-lean">
      <figure>${picture("side", SIDE)}<figcaption class="vt-note">${t("Front on the left, as on a film. Movements are drawn {sway} times.", { sway: about.sway })}</figcaption></figure>
      <div>
        ${slider(id, "wedge", about.ranges.wedge)}
        <label class="nb-check"><input type="checkbox" data-flag="compensated"> <span>${t("Hips and spine take back {compensation} of the lean (fitted to [rohlmann2006])", { compensation: about.compensation })}</span></label>
        <p class="nb-title" id="${id}-lean">${t("Strain in the front of T12, the neighbour above")}</p>
        <div data-part="lean"></div>
        <p data-part="leaning" data-taught></p>
        <p class="vt-note">${t("Measured in cadavers with badly worn discs: the front half bore 18 % of the load upright and 58 % stooping [pollintine2004].")}</p>
      </div>
    </div>
  </div>
  <div class="nb-part">
    <h3>${t("Do neighbours really break more often?")}</h3>
    <p>${t("More pressure in a model is not a fracture. What has been seen in patients and in the laboratory:")}</p>
    <ul data-taught>${about.evidence.map((text) => `<li>${text}</li>`).join("")}</ul>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <details><summary>${t("About this model")}</summary><dl data-taught>${Object.entries(about.model)
    .map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}</dl></details>
  <p class="vt-note">${t("Teaching model, not reviewed by a clinician. Not a forecast for a patient.")}</p>`;

const decode = (text, Kind) => new Kind(bytesOf(text).buffer);

// The shades 0 to 254 of bone as colours, then that of a disc.
function palette(colours, disc) {
  const rgb = colours.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
  const shades = Array.from({ length: 255 }, (_, shade) => {
    const at = (shade / 254) * (rgb.length - 1);
    const [i, t] = [Math.min(Math.floor(at), rgb.length - 2), at - Math.min(Math.floor(at), rgb.length - 2)];
    return `rgb(${rgb[i].map((low, k) => Math.round(low + t * (rgb[i + 1][k] - low))).join(",")})`;
  });
  return [...shades, disc];
}

function paint(canvas, [left, top, , high], meshes, colours) {
  const context = canvas.getContext("2d");
  context.setTransform(DOTS, 0, 0, -DOTS, -left * DOTS, (high + top) * DOTS);
  context.clearRect(-500, -500, 1000, 1000);
  context.lineWidth = 0.12;
  for (const { points, quads, shades, mirror } of meshes) {
    const at = decode(points, Int16Array);
    const corners = decode(quads, Uint16Array);
    decode(shades, Uint8Array).forEach((shade, element) => {
      context.fillStyle = context.strokeStyle = colours[shade];
      context.beginPath();
      for (let i = 0; i < 4; i += 1) {
        const point = 2 * corners[4 * element + i];
        context.lineTo(((mirror ? -1 : 1) * at[point]) / 100, at[point + 1] / 100);
      }
      context.closePath();
      context.fill();
      context.stroke();
    });
  }
}

// No line ends between a number and its unit.
const unbroken = (text) => text.replace(/(\d) (%|N\b)/g, "$1\u00a0$2");

// A picture's overlay counts downwards, the model upwards.
const down = ([, top, , high], y) => (high + 2 * top - y).toFixed(2);

function sectionLines({ cement, bodies, disc, pressures, height }) {
  const line = cement.map(([r, z]) => `${r},${down(FIELD, z)}`).join("L");
  const text = (x, y, words, kind = "") => `<text x="${x}" y="${down(FIELD, y)}" class="${kind}">${words}</text>`;
  return `${line ? `<path class="nb-edge" d="M0,${down(FIELD, cement[0][1])}L${line}L0,${down(FIELD, cement.at(-1)[1])}"/>` : ""}
    <path class="nb-axis" d="M0,${down(FIELD, -2)}V${down(FIELD, height + 2)}"/>
    ${text(-9.2, disc - 0.9, pressures[0], "nb-number")}${text(9.2, disc - 0.9, pressures[1], "nb-number")}
    ${text(-9.2, height + 2, t("without"))}${text(9.2, height + 2, t("with cement"))}
    <text transform="translate(-21.2 ${down(FIELD, bodies[1])}) rotate(-90)">${t("neighbour")}</text>
    <text transform="translate(-21.2 ${down(FIELD, bodies[0])}) rotate(-90)">${t("treated")}</text>`;
}

function sideLines({ labels, cement }) {
  return `<path class="nb-edge" d="${cement.length ? `M${cement.map(([x, y]) => `${x},${down(SIDE, y)}`).join("L")}Z` : ""}"/>
    ${labels.map(([name, , y]) => `<text x="21" y="${down(SIDE, y - 1.3)}" class="nb-level">${name}</text>`).join("")}`;
}

function changes({ rows, end }, control, same) {
  const share = (value) => `${(100 * Math.max(0, Math.min(value, end))) / end}%`;
  return `<div role="group" aria-label="${t("Changes by the cement")}">
    ${rows.map(({ label, values, texts, intact, intact_text: before, published }) => `
      <div class="nb-row"><p class="nb-title" data-taught>${label}</p>
      ${Object.keys(same).map((name, i) => {
        const paper = published[name];
        const chosen = name === control;
        return `<div class="nb-line ${chosen ? "nb-chosen" : ""} nb-${name}"><span class="nb-name">${name === "load" ? t("same load") : t("same shortening")}</span>
          <span class="nb-track"><span class="nb-bar" style="width:${share(values[i])}"></span>
            ${paper ? `<span class="nb-paper" style="left:${share(paper[0])}"></span>` : ""}
            ${chosen && intact !== null && intact > 0.2 ? `<span class="nb-intact" style="left:${share(intact)}"></span>` : ""}</span>
          <span class="nb-value">${texts[i]}</span>
          ${paper ? `<span class="nb-cited">${t("published {value}", { value: paper[1] })} [${paper[2]}]</span>` : ""}
          ${chosen && intact !== null && intact > 0.2 ? `<span class="nb-cited">${t("before the fracture {before} (dashed)", { before })}</span>` : ""}</div>`;
      }).join("")}</div>`).join("")}</div>`;
}

function bars({ body, whole }) {
  return body.map(({ label, values }) => `
    <div class="nb-row"><p class="nb-title">${t("{label}, intact = 100 %", { label })}</p>
    ${[t("without cement"), t("with cement")].map((name, i) => `<div class="nb-line nb-chosen nb-body"><span class="nb-name">${name}</span>
      <span class="nb-track"><span class="nb-bar" style="width:${(100 * values[i]) / whole}%"></span><span class="nb-whole" style="left:${10000 / whole}%"></span></span>
      <span class="nb-value">${values[i]} %</span></div>`).join("")}</div>`).join("");
}

function leanBars({ lean, most }) {
  return lean.map(([name, value, text]) => `<div class="nb-line nb-chosen nb-strain"><span class="nb-name" data-taught>${name}</span>
    <span class="nb-track"><span class="nb-bar" style="width:${(100 * value) / most}%"></span></span><span class="nb-value">${text}</span></div>`).join("");
}

function render({ model, el }) {
  const { about, root, part, state, ask, tell, showSliders, follow } = opened(
    { model, el }, "nb", t("Cement and the neighbour"), markup, t("Nothing moves"),
  );

  const showControls = () => {
    showSliders((name, value) => SLIDERS[name][1](value));
    for (const input of root.querySelectorAll("[data-choice]")) input.checked = state[input.dataset.choice] === input.value;
    root.querySelector("[data-flag]").checked = state.compensated;
  };

  const change = () => {
    showControls();
    ask();
  };

  const draw = ({ section, side, readout, described }) => {
    // JupyterLab may load the style sheet after the first picture.
    const disc = getComputedStyle(root).getPropertyValue("--vt-disc") || "#b9d6e6";
    const colours = palette(about.colours, disc);
    paint(part("section-canvas"), FIELD, section.halves.map((half, i) => ({ ...half, mirror: i === 0 })), colours);
    paint(part("side-canvas"), SIDE, [side], colours);
    part("section-lines").innerHTML = sectionLines(section);
    part("side-lines").innerHTML = sideLines(side);
    part("section").setAttribute("aria-label", described);
    part("side").setAttribute("aria-label", `${t("Three vertebrae from the side.")} ${readout.leaning}`);
    part("verdict").textContent = readout.verdict;
    part("chart").innerHTML = changes(readout, state.control, about.same);
    part("words").textContent = unbroken(readout.words);
    part("fill").textContent = readout.fill;
    part("body").innerHTML = bars(readout);
    part("lean").innerHTML = leanBars(readout);
    part("leaning").textContent = unbroken(readout.leaning);
    root.dataset.control = state.control;
    tell(readout.told);
  };

  root.addEventListener("input", ({ target }) => {
    if (!target.dataset.slider) return;
    state[target.dataset.slider] = Number(target.value);
    change();
  });
  root.addEventListener("change", ({ target }) => {
    if (target.dataset.choice) state[target.dataset.choice] = target.value;
    else if (target.dataset.flag) state[target.dataset.flag] = target.checked;
    else return;
    change();
  });
  root.addEventListener("click", ({ target }) => {
    const preset = about.presets[target.dataset.preset];
    if (!preset) return;
    Object.assign(state, preset);
    change();
  });

  // The canvases hold colours of the theme they were painted in.
  const themed = new MutationObserver(() => draw(model.get("shown")));
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  showControls();
  return follow(draw, () => themed.disconnect());
}

export default { render };
