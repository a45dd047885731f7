// Load against strength, browser half. It asks the kernel and shows what comes back; nothing is computed here.

const SLIDERS = {
  body_weight: [t("Body weight"), (value) => `${value} kg`, 1],
  lift: [t("Mass lifted"), (value) => `${value} kg`, 1],
  bone_volume: [t("Bone volume in the core"), (value) => `${value} %`, 0.5],
  wedge: [t("Height already lost in front"), (value) => `${value} %`, 5],
};
const SIGNS = { safe: "✓", close: "!", over: "✕" };

const slider = (id, name, [low, high]) => `
  <div class="ld-slider"><label for="${id}-${name}">${SLIDERS[name][0]}</label>
    <output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="${SLIDERS[name][2]}"></div>`;

const row = (id, name, label) => `
  <label class="ld-row ld-posture" data-row="${name}"><span class="ld-label">
    <input type="radio" name="${id}-posture" value="${name}"> <span>${label}</span></span>
    <span class="ld-track"><span class="ld-bar"></span><span class="ld-value"></span></span></label>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <h3 class="ld-verdict" data-part="verdict" data-taught></h3>
  <div class="ld-top">
    <figure class="ld-figure" data-taught><div data-part="figure" role="img"></div><figcaption data-part="why"></figcaption></figure>
    <div>
      <fieldset class="ld-chart" data-part="chart"><legend class="vt-visually-hidden">${t("Posture")}</legend>
        <div class="ld-row" aria-hidden="true"><div class="ld-names" data-part="names"></div></div>
        ${Object.entries(about.postures).map(([name, label]) => row(id, name, label)).join("")}
        <div class="ld-row" aria-hidden="true"><div class="ld-unit"><b>${t("load, kN")}</b>${t("as if this lay on it")}</div>
          <div class="ld-axis" data-part="axis"></div></div>
      </fieldset>
      <p class="ld-words" data-part="words" data-taught></p>
    </div>
  </div>
  <div class="ld-desk">
    <fieldset><legend>${t("Bone")}</legend>
      <div class="ld-bone"><img data-part="lattice" alt="" width="280" height="280">
        <div>${slider(id, "bone_volume", about.ranges.bone_volume)}
          <p data-part="score" data-taught></p><p class="vt-note" data-part="lost" data-taught></p></div></div>
    </fieldset>
    <fieldset><legend>${t("Person")}</legend>
      <div class="ld-pick"><label for="${id}-level">${t("Vertebra")}</label>
        <select id="${id}-level" data-part="level">${about.levels.map((level) => `<option>${level}</option>`).join("")}</select></div>
      ${slider(id, "body_weight", about.ranges.body_weight)}${slider(id, "lift", about.ranges.lift)}
      <p class="vt-note" data-part="empty" hidden>${t("The hands are empty in this posture.")}</p>
    </fieldset>
    <fieldset><legend>${t("Old wedge fracture")}</legend>
      ${slider(id, "wedge", about.ranges.wedge)}
      <div class="ld-pick" role="radiogroup" aria-label="${t("Where")}">${Object.entries(about.where)
        .map(([value, text]) => `<label><input type="radio" name="${id}-where" value="${value}"> ${text}</label>`).join("")}</div>
      <label class="ld-check"><input type="checkbox" data-part="balance"> <span>${t("Hips and spine balance it")}</span></label>
      <p class="vt-note" data-part="leans" data-taught></p>
    </fieldset>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <details><summary>${t("About this model")}</summary><dl data-taught>${Object.entries(about.model)
    .map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}</dl></details>
  <p class="vt-note">${t("Teaching model, not reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

function render({ model, el }) {
  const { about, root, part, state, ask, tell, showSliders, follow } = opened(
    { model, el }, "ld", t("Load against strength"), markup, t("Nothing moves"),
  );

  const showControls = () => {
    showSliders((name, value) => SLIDERS[name][1](value));
    for (const input of root.querySelectorAll('[type="radio"]')) {
      input.checked = input.value === state[input.name.split("-")[1]];
      // No body is modelled below the last.
      input.disabled = input.value === "below" && state.level === about.levels.at(-1);
    }
    part("level").value = state.level;
    part("balance").checked = state.balance;
  };

  const change = () => {
    showControls();
    ask();
  };

  const showChart = ({ end, low, middle, high, rows, ticks }, level) => {
    const share = (force) => `${(100 * force) / end}%`;
    const box = part("chart");
    for (const [name, force] of Object.entries({ low, middle, high })) box.style.setProperty(`--${name}`, share(force));
    part("names").innerHTML = `<span style="left:${share((low + high) / 2)}">${t("may break")}</span>
      <span style="left:${share(low / 2)}">${t("holds")}</span><span style="left:${share((high + end) / 2)}">${t("breaks")}</span>`;
    const [may, ...others] = [...part("names").children].map((name) => [name, name.getBoundingClientRect()]);
    for (const [name, at] of others) name.hidden = at.left < may[1].right + 4 && at.right > may[1].left - 4;
    const width = part("axis").clientWidth;
    for (const { name, load, text, mass, grade } of rows) {
      const line = root.querySelector(`[data-row="${name}"]`);
      line.style.setProperty("--load", share(load));
      const value = line.querySelector(".ld-value");
      value.textContent = `${SIGNS[grade]} ${text}`;
      value.classList.toggle("ld-left", width * (1 - load / end) < 84);
      line.title = t("{posture}: {load} on {level}, as if {mass} lay on it", { posture: about.postures[name], load: text, level, mass });
    }
    part("axis").innerHTML = ticks
      .map(({ at, text, mass }) => `<span style="left:${share(at)}"><b>${text}</b>${mass}</span>`).join("");
  };

  const draw = (shown) => {
    part("figure").innerHTML = shown.figure;
    part("figure").setAttribute("aria-label", shown.described);
    part("why").textContent = shown.readout.why;
    part("lattice").src = shown.lattice;
    part("lattice").alt = `${t("Computed trabecular bone, 8 millimetres wide, {density}.", { density: shown.bone.bone })} ${shown.bone.lattice}`;
    part("score").textContent = shown.bone.score;
    part("lost").textContent = shown.bone.lattice;
    part("leans").textContent = shown.bone.leans;
    part("empty").hidden = shown.lifts;
    const verdict = part("verdict");
    verdict.textContent = `${SIGNS[shown.readout.grade]} ${shown.readout.verdict}`;
    verdict.className = `ld-verdict ld-${shown.readout.grade}`;
    part("words").textContent = shown.readout.words;
    showChart(shown.chart, state.level);
    tell(shown.readout.told);
  };

  root.addEventListener("input", ({ target }) => {
    if (!target.dataset.slider) return;
    state[target.dataset.slider] = Number(target.value);
    change();
  });
  root.addEventListener("change", ({ target }) => {
    if (target.type === "radio") state[target.name.split("-")[1]] = target.value;
    else if (target.dataset.part === "level") {
      state.level = target.value;
      if (state.level === about.levels.at(-1)) state.where = "here";
    } else if (target.dataset.part === "balance") state.balance = target.checked;
    else return;
    change();
  });

  // Labels are placed by their measured width: measure again when the page gives the chart room, and when it resizes.
  const resized = new ResizeObserver(() => part("axis").clientWidth && showChart(model.get("shown").chart, state.level));
  resized.observe(part("axis"));
  showControls();
  return follow(draw, () => resized.disconnect());
}

export default { render };
