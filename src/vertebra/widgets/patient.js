// What widgets about one patient have in common: the controls that set what is known, and the invented patients.

const coded = (value) => JSON.stringify(value);

const choice = (id, { name, label, options }) => `
  <div class="pt-field"><label for="${id}-${name}" data-taught>${label}</label>
    <select id="${id}-${name}" data-choice="${name}" data-taught>${options
      .map(([value, text]) => `<option value='${coded(value)}'>${text}</option>`).join("")}</select></div>`;

const slider = (id, { name, label, range: [low, high] }) => `
  <div class="pt-field pt-slider"><label for="${id}-${name}" data-taught>${label}</label><output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="1">
    <label class="pt-check"><input type="checkbox" data-unknown="${name}"> <span>${t("not known")}<span class="vt-visually-hidden" data-taught>: ${label}</span></span></label></div>`;

const fieldGroup = (id, { legend, fields }) => `
  <fieldset><legend data-taught>${legend}</legend>${fields.map((field) => (field.range ? slider : choice)(id, field)).join("")}</fieldset>`;

const invented = (id, about) => `
  <div class="pt-example"><label for="${id}-example">${t("An invented patient")}</label>
    <select id="${id}-example" data-part="example"><option value="">${t("as set below")}</option>${Object.entries(about.examples)
      .map(([name, [text]]) => `<option value="${name}" data-taught>${text}</option>`).join("")}</select>
    <p data-part="story" data-taught hidden></p></div>`;

// Keeps controls and `state` together. `changed` is called when the reader has set something.
function patientControls({ about, root, part, state }, changed) {
  const fields = Object.fromEntries(about.groups.flatMap((each) => each.fields).map((field) => [field.name, field]));

  const show = () => {
    for (const select of root.querySelectorAll("[data-choice]")) {
      const { choice: name } = select.dataset;
      const value = coded(state[name]);
      // An invented patient may hold a number that is not among those on offer: it is added, not lost.
      if (![...select.options].some((option) => option.value === value)) {
        select.insertAdjacentHTML("afterbegin", `<option value='${value}'>${value.replace("-", "−")} ${fields[name].unit}</option>`);
      }
      select.value = value;
    }
    for (const input of root.querySelectorAll("[data-slider]")) {
      const { slider: name } = input.dataset;
      const unknown = state[name] === null;
      if (!unknown) input.value = state[name];
      input.disabled = unknown;
      const unit = state[name] === 1 ? fields[name].unit.replace(/s$/, "") : fields[name].unit;
      const value = unknown ? t("not known") : `${state[name]} ${unit}`;
      input.setAttribute("aria-valuetext", value);
      root.querySelector(`[data-value="${name}"]`).textContent = value;
      root.querySelector(`[data-unknown="${name}"]`).checked = unknown;
    }
    // Intact nerves have no new deficit, and OF 5 is a torn tension band.
    root.querySelector('[data-choice="new_deficit"]').disabled = state.neurology === "N0";
    root.querySelector('[data-choice="plc_injured"]').disabled = state.of_type === 5;
  };

  const set = (values) => {
    // Whoever was intact and is so no more has a deficit of unknown age.
    if (values.neurology !== undefined && state.neurology === "N0") state.new_deficit = null;
    Object.assign(state, values);
    if (state.neurology === "N0") state.new_deficit = false;
    if (state.of_type === 5) state.plc_injured = true;
    show();
    changed();
  };

  const tell = (name) => {
    const [, story, known] = about.examples[name] ?? [];
    part("example").value = name;
    part("story").textContent = story ?? "";
    part("story").hidden = !story;
    return known;
  };
  const alone = (values) => {
    tell("");
    set(values);
  };

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.slider) alone({ [target.dataset.slider]: Number(target.value) });
  });
  root.addEventListener("change", ({ target }) => {
    const { choice: chosen, unknown } = target.dataset;
    if (chosen) alone({ [chosen]: JSON.parse(target.value) });
    else if (unknown) {
      alone({ [unknown]: target.checked ? null : Number(root.querySelector(`[data-slider="${unknown}"]`).value) });
    } else if (target.dataset.part === "example") {
      const known = tell(target.value);
      if (known) set(known);
    }
  });
  tell(Object.keys(about.examples).find((name) => Object.entries(about.examples[name][2]).every(([key, value]) => state[key] === value)) ?? "");
  show();
}

