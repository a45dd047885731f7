// Both procedures on one fracture, browser half. The kernel computes; here controls are read and answers painted.

const FIELDS = {
  loss: [t("Height lost in front"), " %"],
  bone_volume: [t("Bone in the body, of its volume"), " %"],
  weeks: [t("Weeks since it broke"), ""],
  minute: [t("Injected from minute"), t(" after mixing")],
  volume: [t("Cement"), " mL"],
  balloon: [t("Balloon volume, both together"), " mL"],
};

const slider = (id, name, [low, high, step]) => `
  <div class="sb-field"><label for="${id}-${name}">${FIELDS[name][0]}</label><output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="${step}"></div>`;

const select = (id, name, label, choices) => `
  <div class="sb-field"><label for="${id}-${name}">${label}</label>
    <select id="${id}-${name}" data-choice="${name}">${choices.map(([value, text]) => `<option value="${value}" data-taught>${text}</option>`).join("")}</select></div>`;

const arm = (number, title, views) => `
  <figure class="sb-arm"><figcaption>${title}</figcaption>
    <div class="sb-films">${views.map((view, i) => `
      <div class="sb-film"><canvas role="img" data-part="film-${number}-${i}" aria-label="${t("{procedure}, {view} picture", { procedure: title, view })}"></canvas><span data-taught>${view}</span></div>`).join("")}</div></figure>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <div class="sb-controls">
    <fieldset><legend>${t("The patient")}</legend>
      ${select(id, "level", t("Level"), about.levels.map((level) => [level, level]))}
      ${select(id, "fracture", t("Fracture"), about.fractures.map((name) => [name, name]))}
      ${["loss", "bone_volume", "weeks"].map((name) => slider(id, name, about.sliders[name])).join("")}</fieldset>
    <fieldset><legend>${t("The plan, for both")}</legend>
      ${select(id, "cement", t("Cement"), Object.entries(about.cements))}
      ${["minute", "volume", "balloon"].map((name) => slider(id, name, about.sliders[name])).join("")}
      <label class="sb-check"><input type="checkbox" data-flag="both"> <span>${t("through both pedicles")}</span></label></fieldset>
  </div>
  <div class="sb-arms" data-part="arms">${arm(0, t("Vertebroplasty"), about.views)}${arm(1, t("Balloon kyphoplasty"), about.views)}</div>
  <p class="sb-told" data-part="sums" data-taught></p>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <div class="sb-results" data-part="results">
    <div><h4>${t("What comes out")}</h4><div data-part="rows"></div></div>
    <div><h4>${t("Pressure in the bone")}</h4><div class="sb-chart" data-part="chart" data-taught></div>
      <p class="vt-note">${t("Each line of the grid is ten times the one below. 1 kPa is 7.5 mmHg.")}</p>
      <h4>${t("As published, not computed")}</h4>
      <table><caption class="vt-visually-hidden">${t("What sources report")}</caption><thead><tr><td></td><th scope="col">${t("Vertebroplasty")}</th><th scope="col">${t("Kyphoplasty")}</th></tr></thead>
        <tbody data-taught>${about.published.map(([name, one, two, source]) => `<tr><th scope="row">${name} [${source}]</th><td>${one}</td><td>${two}</td></tr>`).join("")}</tbody></table></div>
  </div>
  <details><summary>${t("About these models")}</summary>${Object.entries(about.models).map(([title, said]) => `
    <h4 data-taught>${title}</h4><dl data-taught>${Object.entries(said).map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}</dl>`).join("")}</details>
  <p class="vt-note" data-taught>${about.limits}</p>`;

function render({ model, el }) {
  const { about, root, part, state, ask, tell, showSliders, follow } = opened(
    { model, el }, "sb", t("Both procedures side by side"), markup, t("The pictures stand still"),
  );

  const showControls = () => {
    showSliders((name, value) => `${value}${FIELDS[name][1]}`);
    for (const input of root.querySelectorAll("[data-choice]")) input.value = state[input.dataset.choice];
    root.querySelector("[data-flag]").checked = state.both;
  };

  const change = (sharp) => {
    state.sharp = sharp;
    for (const name of ["sums", "results"]) part(name).toggleAttribute("data-rough", true); // of before, until the answer comes
    showControls();
    ask();
  };

  const draw = (shown) => {
    const bytes = bytesOf(shown.pixels);
    const area = shown.size ** 2;
    for (const number of [0, 1]) {
      about.views.forEach((_, i) => paintGrey(part(`film-${number}-${i}`), bytes.subarray((number * about.views.length + i) * area), shown.size));
    }
    // While a control moves the pictures are a sketch, and the numbers are those of before.
    part("arms").toggleAttribute("data-rough", !shown.sharp);
    for (const name of ["sums", "results"]) part(name).toggleAttribute("data-rough", !shown.sharp);
    if (shown.sharp) {
      part("sums").textContent = shown.told;
      tell(shown.told);
      part("chart").innerHTML = shown.chart;
      part("rows").innerHTML = `<table><caption class="vt-visually-hidden">${t("What was computed for each procedure")}</caption>
        <thead><tr><td></td><th scope="col">${t("Vertebroplasty")}</th><th scope="col">${t("Kyphoplasty")}</th></tr></thead><tbody data-taught>${shown.rows
          .map(([name, one, two]) => `<tr><th scope="row">${name}</th><td>${one}</td><td>${two}</td></tr>`).join("")}</tbody></table>`;
    }
  };

  root.addEventListener("input", ({ target }) => {
    if (!target.dataset.slider) return;
    state[target.dataset.slider] = Number(target.value);
    change(false);
  });
  root.addEventListener("change", ({ target }) => {
    if (target.dataset.choice) state[target.dataset.choice] = target.value;
    else if (target.dataset.flag) state[target.dataset.flag] = target.checked;
    else if (!target.dataset.slider) return;
    change(true);
  });

  showControls();
  return follow(draw);
}

export default { render };
