// Leak routes, browser half. The kernel draws the pictures and says what is seen; here they are shown.

const PICTURES = {
  axial: t("Axial section"),
  sagittal: t("Sagittal section"),
  lateral: t("Lateral film"),
  AP: t("AP film"),
};
const SLIDERS = {
  volume: [t("Cement that leaked"), 0.05, (value) => `${value} mL`],
  place: [t("Where it leaves the bone"), 0.5, (value, ends) => (value === 0 ? t("in the middle") : value < 0 ? ends[0] : ends[1])],
  turn: [t("Patient turned on the table"), 1, (value) => (value ? `${value}°` : t("not at all: a true lateral"))],
};

const slider = (id, name, [low, high]) => `
  <div class="lk-field"><label for="${id}-${name}">${SLIDERS[name][0]}</label><output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="${SLIDERS[name][1]}"></div>`;

const choice = (id, name, legend, entries) => `
  <fieldset class="lk-choice"><legend>${legend}</legend>${entries.map(([value, text]) => `
    <label><input type="radio" name="${id}-${name}" data-choice="${name}" value="${value}"> <span${name === "route" ? " data-taught" : ""}>${text}</span></label>`).join("")}</fieldset>`;

const picture = (name) => `
  <figure class="lk-picture"><figcaption><b>${PICTURES[name]}</b> <span data-part="where-${name}" data-taught></span></figcaption>
    <div class="lk-frame"><img data-part="picture-${name}" alt="" width="240" height="240">
      <svg viewBox="0 0 100 100" aria-hidden="true" data-part="ring-${name}"></svg></div>
    ${name in { lateral: 1, AP: 1 } ? `<p class="lk-seen" data-part="seen-${name}"></p>` : name === "axial" ? '<p class="lk-seen" data-part="seen-CT"></p>' : '<p class="lk-key" data-part="key"></p>'}</figure>`;

const KEY = `<span class="lk-leak">${t("leak")}</span> <span class="lk-cement">${t("cement in the body")}</span> <span class="lk-sac">${t("sac")}</span>
  <span class="lk-nerve">${t("cord, nerves")}</span> <span class="lk-disc">${t("disc")}</span> <span class="lk-aorta">${t("aorta")}</span> <span class="lk-vein">${t("veins")}</span>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <h3 class="lk-told" data-part="headline" data-taught></h3>
  <div class="lk-pictures">${Object.keys(PICTURES).map(picture).join("")}</div>
  <div class="lk-switches">
    <label><input type="checkbox" data-flag="leak"> <span>${t("with the leak")}</span></label>
    <label><input type="checkbox" data-flag="point"> <span>${t("point it out on the films")}</span></label>
  </div>
  <div class="lk-desk">
    ${choice(id, "route", t("Route"), Object.entries(about.routes))}
    <div>
      <div class="lk-field"><label for="${id}-level">${t("Level")}</label>
        <select id="${id}-level" data-pick="level">${about.levels.map((level) => `<option>${level}</option>`).join("")}</select></div>
      ${Object.keys(SLIDERS).map((name) => slider(id, name, about.ranges[name])).join("")}
      ${choice(id, "look", t("Sections as"), Object.entries(about.looks))}
    </div>
  </div>
  <dl class="lk-said" data-part="said" data-taught></dl>
  <p class="vt-note" data-part="refs"></p>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <details><summary>${t("How often, and how it was looked for")}</summary>
    <table><thead><tr><th scope="col">${t("What")}</th><th scope="col">${t("Found")}</th><th scope="col">${t("Looked for with")}</th></tr></thead>
      <tbody data-taught>${about.rates.map(([what, found, looked, refs]) => `<tr><th scope="row">${what}</th><td>${found}</td><td>${looked} [${refs}]</td></tr>`).join("")}</tbody></table>
    <p>${t("What is found depends on how one looks: the numbers differ by more than the procedures do.")}</p></details>
  <details><summary>${t("About this model")}</summary><dl data-taught>${Object.entries(about.model)
    .map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}</dl></details>
  <p class="vt-note">${t("Teaching, not medical advice.")}${t(" Not yet reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

function render({ model, el }) {
  const { about, root, part, state, ask, tell, showSliders, follow } = opened(
    { model, el }, "lk", t("Leak routes"), markup, t("The pictures stand still"),
  );

  const showControls = () => {
    const { ends } = model.get("shown");
    showSliders((name, value) => SLIDERS[name][2](value, ends));
    for (const input of root.querySelectorAll("[data-choice]")) input.checked = input.value === state[input.dataset.choice];
    for (const input of root.querySelectorAll("[data-flag]")) input.checked = state[input.dataset.flag];
    root.querySelector("[data-pick]").value = state.level;
  };

  const draw = (shown) => {
    showControls();
    for (const [name, title] of Object.entries(PICTURES)) {
      part(`picture-${name}`).src = shown.pictures[name];
      const seen = shown.sight[name]?.[1];
      part(`picture-${name}`).alt = !state.leak ? t("{picture} of {level} without the leak", { picture: title, level: state.level })
        : `${t("{picture} of {level} with a leak", { picture: title, level: state.level })}${seen ? `, ${seen}` : ""}`;
      part(`where-${name}`).textContent = shown.where[name] ?? "";
      const ring = shown.rings[name];
      part(`ring-${name}`).innerHTML = ring && state.point
        ? `<circle cx="${100 * ring[0]}" cy="${100 * ring[1]}" r="${100 * ring[2]}"/>` : "";
    }
    for (const [name, [yes, words]] of Object.entries(shown.sight)) {
      const line = part(`seen-${name}`);
      line.lang = state.leak ? "en" : language;
      line.textContent = state.leak ? `${yes ? "✓" : "✕"} ${words}` : t("No leak in this picture");
      line.classList.toggle("lk-no", !yes && state.leak);
      line.classList.toggle("lk-off", !state.leak);
    }
    part("key").innerHTML = state.look === "drawing" ? KEY : t("Bright: cement and cortex");
    part("headline").textContent = shown.told;
    part("said").innerHTML = Object.entries(shown.said).map(([name, text]) => `<div><dt>${name}</dt><dd>${text}</dd></div>`).join("");
    part("refs").textContent = `[${shown.refs.join("; ")}]`;
    tell(shown.told);
  };

  const change = () => {
    showControls();
    ask();
  };
  root.addEventListener("input", ({ target }) => {
    if (!target.dataset.slider) return;
    state[target.dataset.slider] = Number(target.value);
    change();
  });
  root.addEventListener("change", ({ target }) => {
    if (target.dataset.choice) state[target.dataset.choice] = target.value;
    else if (target.dataset.flag) state[target.dataset.flag] = target.checked;
    else if (target.dataset.pick) state.level = target.value;
    else return;
    change();
  });

  return follow(draw);
}

export default { render };
