// The cement clock, browser half. It asks the kernel for pictures of its own width and shows them; nothing is computed here.

const SLIDERS = {
  room: [t("Room temperature"), (value) => `${value} °C`, 0.5],
  volume: [t("Cement injected"), (value) => `${value} mL`, 0.5],
  minute: [t("Injected at"), (value) => t("{minutes} min after mixing began", { minutes: value.toFixed(1) }), 0.1],
};
const NARROW = 640; // px: below that the two pictures of heat stand one above the other

const range = (id, name, [low, high]) =>
  `<input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="${SLIDERS[name][2]}">`;

const slider = (id, name, ranges) => `
  <div class="cu-slider"><label for="${id}-${name}">${SLIDERS[name][0]}</label>
    <output for="${id}-${name}" data-value="${name}"></output>${range(id, name, ranges[name])}</div>`;

const radios = (id, name, choices) => Object.entries(choices)
  .map(([value, text]) => `<label class="cu-radio"><input type="radio" name="${id}-${name}" data-choice="${name}" value="${value}"> <span${name === "cement" ? " data-taught" : ""}>${text}</span></label>`)
  .join("");

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <div class="cu-choices">
    <fieldset><legend>${t("Cement")}</legend>${radios(id, "cement", about.cements)}</fieldset>
    <div>${slider(id, "room", about.ranges)}</div>
  </div>
  <h3 class="cu-verdict" data-part="verdict" data-taught></h3>
  <p class="cu-words" data-part="window" data-taught></p>
  <p class="vt-note">${t("Viscosity says how hard a liquid is to move, in pascal-seconds (Pa s): water 0.001, honey about 10 [unreferenced]. Each line is ten times the one below.")}</p>
  <figure><div data-part="clock" data-taught role="img"></div></figure>
  <div class="cu-when" data-part="when">${range(id, "minute", about.ranges.minute)}
    <p><label for="${id}-minute">${SLIDERS.minute[0]}</label><output for="${id}-minute" data-value="minute"></output></p></div>
  <div class="cu-heat">
    <h3>${t("How hot it gets when it is injected then")}</h3>
    <div>${slider(id, "volume", about.ranges)}</div>
    <fieldset><legend class="vt-visually-hidden">${t("Where it goes")}</legend>${radios(id, "place", about.places)}</fieldset>
    <p class="cu-words" data-part="heat" data-taught></p>
    <figure><div data-part="history" data-taught role="img"></div></figure>
    <figure><div data-part="section" data-taught role="img"></div></figure>
    <div class="cu-table"><table><caption class="vt-visually-hidden">${t("Highest temperature, and for how long it is above 45 °C")}</caption>
      <thead><tr><th scope="col">${t("Place")}</th><th scope="col">${t("Peak")}</th><th scope="col">${t("Above 45 °C")}</th></tr></thead>
      <tbody data-part="rows" data-taught></tbody></table>
      <p class="vt-note">${t("45 °C is the limit from which heat was timed in pigs' vertebrae [lai2011]. Above 100 °C monomer boils [unreferenced]; the model leaves that out.")}</p></div>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <details><summary>${t("About this model")}</summary><dl data-taught>${Object.entries(about.model)
    .map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}
    ${Object.entries(about.basis).map(([name, text]) => `<dt>${t("Cement of {name}", { name })}</dt><dd>${text}</dd>`).join("")}</dl></details>
  <p class="vt-note">${t("Teaching model, not reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

function render({ model, el }) {
  const { id, about, root, part, state, ask, tell, showSliders, follow } = opened(
    { model, el }, "cu", t("Cement clock"), markup, t("The clock stands still"),
  );

  const showControls = () => {
    showSliders((name, value) => SLIDERS[name][1](value));
    for (const input of root.querySelectorAll("[data-choice]")) input.checked = state[input.dataset.choice] === input.value;
  };

  const change = (sharp) => {
    state.sharp = sharp;
    showControls();
    ask();
  };

  // The pictures are drawn at the width they are shown in, so that their words keep their size.
  const fit = () => {
    const free = part("clock").parentElement.clientWidth;
    const [low, high] = about.ranges.width;
    const width = Math.min(Math.max(Math.floor(free / 10) * 10, low), high);
    // The thumb's middle runs from half a thumb in: the margins of the axis, less that, and from the range's first minute on.
    const axis = width - about.margins[0] - about.margins[1];
    const shrunk = Math.min(1, free / width); // on the narrowest page the picture is scaled to fit
    const at = (minute) => shrunk * (about.margins[0] + (axis * minute) / about.axis);
    part("when").style.setProperty("--cu-left", `${at(about.ranges.minute[0]) - 8}px`);
    part("when").style.setProperty("--cu-right", `${free - at(about.ranges.minute[1]) - 8}px`);
    root.toggleAttribute("data-narrow", width < NARROW);
    if (!free || width === state.width) return;
    state.width = width;
    ask();
  };

  const draw = ({ drawings, readout }) => {
    ["clock", "history", "section"].forEach((name, which) => {
      // Ids of patterns and gradients are made this widget's own: two may stand on one page.
      part(name).innerHTML = drawings[which].replaceAll("cu-set", `${id}-${name}-set`).replaceAll("cu-glow", `${id}-glow`);
    });
    part("clock").setAttribute("aria-label", `${t("Viscosity against minutes since mixing.")} ${readout.window}`);
    part("history").setAttribute("aria-label", `${t("Temperature against minutes after injection.")} ${readout.heat}`);
    part("section").setAttribute("aria-label", `${t("Section through cement and bone, coloured by the highest temperature.")} ${readout.heat}`);
    const verdict = part("verdict");
    verdict.textContent = `${readout.sign} ${readout.verdict}`;
    verdict.className = `cu-verdict ${{ "✓": "cu-good", "!": "cu-wait" }[readout.sign] ?? "cu-stop"}`;
    part("window").textContent = readout.window;
    part("heat").textContent = readout.heat;
    part("rows").innerHTML = readout.rows
      .map(([place, peak, above], which) => `<tr><th scope="row"><i class="cu-swatch cu-place-${which}" aria-hidden="true"></i>${place}</th><td>${peak}</td><td>${above}</td></tr>`).join("");
    tell(readout.told);
  };

  root.addEventListener("input", ({ target }) => {
    if (!target.dataset.slider) return;
    state[target.dataset.slider] = Number(target.value);
    change(false);
  });
  root.addEventListener("change", ({ target }) => {
    if (target.dataset.choice) state[target.dataset.choice] = target.value;
    else if (!target.dataset.slider) return;
    change(true);
  });

  showControls();
  const watch = new ResizeObserver(fit);
  watch.observe(root);
  return follow(draw, () => watch.disconnect());
}

export default { render };
