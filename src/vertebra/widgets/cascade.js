// The fracture cascade, browser half. It asks the kernel and shows what comes back; nothing is computed here.

const ARMS = ["a", "b"];
const SIGNS = { good: "✓", even: "=", warn: "!", bad: "✕" };

const options = (pairs) => pairs.map(([value, label]) => `<option value="${value}">${label}</option>`).join("");

const arm = (id, name, about) => `
  <fieldset class="fc-plan"><legend>${t("Plan {letter}", { letter: name.toUpperCase() })}</legend>
    <div class="fc-field"><label for="${id}-${name}_drug">${t("Drug")}</label>
      <select id="${id}-${name}_drug" data-name="${name}_drug" data-taught>${options(Object.entries(about.drugs))}</select></div>
    <div class="fc-field"><label for="${id}-${name}_start">${t("Started")}</label>
      <select id="${id}-${name}_start" data-name="${name}_start">${options(about.starts)}</select></div>
    <div class="fc-field"><label for="${id}-${name}_stop">${t("Then")}</label>
      <select id="${id}-${name}_stop" data-name="${name}_stop">${options(about.stops)}</select></div>
    <div class="fc-field fc-slide"><label for="${id}-${name}_taken">${t("Taken by")}</label>
      <output for="${id}-${name}_taken" data-value="${name}_taken"></output>
      <input type="range" id="${id}-${name}_taken" data-slider="${name}_taken" min="${about.ranges[`${name}_taken`][0]}"
        max="${about.ranges[`${name}_taken`][1]}" step="10"></div>
  </fieldset>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <div class="fc-who">
    <div class="fc-field"><label for="${id}-who">${t("Broken vertebrae so far")}</label>
      <select id="${id}-who" data-name="who"><optgroup label="${t("by number")}">${options(Object.entries(about.numbers))}</optgroup>
        <optgroup label="${t("by the worst one’s grade")}">${options(Object.entries(about.grades))}</optgroup></select></div>
    <div class="fc-field"><label for="${id}-age">${t("Age of the last fracture")}</label>
      <select id="${id}-age" data-name="age">${options(Object.entries(about.ages))}</select></div>
    <div class="fc-field fc-slide"><label for="${id}-year">${t("Look at year")}</label>
      <output for="${id}-year" data-value="year"></output>
      <input type="range" id="${id}-year" data-slider="year" min="${about.ranges.year[0]}" max="${about.ranges.year[1]}" step="1"></div>
  </div>
  <div class="fc-plans">${ARMS.map((name) => arm(id, name, about)).join("")}</div>
  <h3 class="fc-verdict" data-part="verdict" data-taught></h3>
  <p data-part="words" data-taught></p><p data-part="fate" data-taught></p>
  <div class="fc-arms">${ARMS.map((name) => `
    <figure class="fc-arm"><figcaption><strong>${t("Plan {letter}", { letter: name.toUpperCase() })}</strong> <span data-part="named-${name}" data-taught></span></figcaption>
      <div data-part="figure-${name}" data-taught role="img"></div></figure>`).join("")}</div>
  <table class="fc-table"><caption class="vt-visually-hidden">${t("1,000 women by further vertebral fractures")}</caption>
    <thead><tr><th scope="col">${t("Further fractures")}</th><th scope="col">${t("Plan A")}</th><th scope="col">${t("Plan B")}</th></tr></thead>
    <tbody>${about.kinds.map((kind, number) => `
      <tr><th scope="row"><span class="fc-swatch fc-kind${number}"></span>${kind}</th>${ARMS.map(
        (name) => `<td data-part="count-${name}-${number}"></td>`).join("")}</tr>`).join("")}
      <tr class="fc-total"><th scope="row">${t("broke again, with interval")}</th>${ARMS.map(
        (name) => `<td data-part="total-${name}" data-taught></td>`).join("")}</tr></tbody></table>
  <p class="vt-note">${t("Dashed: 95 % interval, from the numbers of women in the trials.")}
    <span class="fc-swatch fc-ring"></span> ${t("Rings: spared by plan B. The scale of the charts changes; the 1,000 dots do not.")}</p>
  <ul class="fc-warnings" data-part="warnings" data-taught></ul>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <details><summary>${t("About this model")}</summary><dl data-taught>${Object.entries(about.model)
    .map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join("")}</dl></details>
  <p class="vt-note">${t("Teaching model, not medical advice, not reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

function render({ model, el }) {
  const { about, root, part, state, ask, tell, showSliders, follow } = opened(
    { model, el }, "fc", t("Fracture cascade"), markup, t("Nothing moves"),
  );

  const showControls = () => {
    for (const select of root.querySelectorAll("[data-name]")) select.value = state[select.dataset.name];
    showSliders((name, value) => (name === "year" ? `${value}` : `${value} %`));
    root.querySelector('[data-name="age"]').disabled = state.who === "0";
    for (const name of ARMS) {
      const none = state[`${name}_drug`] === "none";
      for (const each of ["start", "stop"]) root.querySelector(`[data-name="${name}_${each}"]`).disabled = none;
      root.querySelector(`[data-slider="${name}_taken"]`).disabled = none;
      // What has not begun cannot stop.
      for (const option of root.querySelector(`[data-name="${name}_stop"]`).options)
        option.disabled = Number(option.value) !== 0 && Number(option.value) <= state[`${name}_start`];
    }
  };

  const change = () => {
    if (state.who === "0") state.age = "any";
    for (const name of ARMS)
      if (state[`${name}_stop`] && state[`${name}_stop`] <= state[`${name}_start`]) state[`${name}_stop`] = 0;
    showControls();
    ask();
  };

  const draw = ({ readout, arms, warnings }) => {
    part("verdict").textContent = `${SIGNS[readout.grade]} ${readout.verdict}`;
    part("verdict").className = `fc-verdict fc-${readout.grade}`;
    part("words").textContent = readout.words;
    part("fate").textContent = readout.fate;
    for (const name of ARMS) {
      const { figure, described, counts, span } = arms[name];
      part(`figure-${name}`).innerHTML = figure;
      part(`figure-${name}`).setAttribute("aria-label", described);
      part(`named-${name}`).textContent = about.drugs[state[`${name}_drug`]];
      counts.forEach((count, number) => { part(`count-${name}-${number}`).textContent = count; });
      part(`total-${name}`).textContent = `${counts[1] + counts[2] + counts[3]} (${span})`;
    }
    part("warnings").replaceChildren(...warnings.map((text) =>
      Object.assign(document.createElement("li"), { textContent: text })));
    tell(readout.told);
  };

  root.addEventListener("input", ({ target }) => {
    if (!target.dataset.slider) return;
    state[target.dataset.slider] = Number(target.value);
    change();
  });
  root.addEventListener("change", ({ target }) => {
    const { name } = target.dataset;
    if (!name) return;
    state[name] = /_(start|stop)$/.test(name) ? Number(target.value) : target.value;
    change();
  });

  showControls();
  return follow(draw);
}

export default { render };
