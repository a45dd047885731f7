// The guideline map, browser half. The kernel asks the documents; here controls are read and answers painted.

const key = (value) => JSON.stringify(value);

const choice = (id, { name, label, options }) => `
  <div class="gm-field"><label for="${id}-${name}">${label}</label>
    <select id="${id}-${name}" data-choice="${name}">${options
      .map(([value, text]) => `<option value='${key(value)}'>${text}</option>`).join("")}</select></div>`;

const slider = (id, { name, label, range: [low, high] }) => `
  <div class="gm-field gm-slider"><label for="${id}-${name}">${label}</label><output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="1">
    <label class="gm-check"><input type="checkbox" data-unknown="${name}"> <span>not known<span class="vt-visually-hidden">: ${label}</span></span></label></div>`;

const group = (id, { legend, fields }) => `
  <fieldset><legend>${legend}</legend>${fields.map((field) => (field.range ? slider : choice)(id, field)).join("")}</fieldset>`;

const bodyRow = (id, { id: name, short, name: full, year, kind, status, refs }, treatments) => `
  <tbody data-body="${name}"><tr>
    <th scope="row"><span class="gm-short">${short}</span> <span class="gm-year">${year ?? "year not read"}</span><span class="gm-kind">${kind}</span><span class="gm-kind">[${refs}]</span></th>
    ${Object.entries(treatments).map(([what, text]) => `<td data-cell="${name}-${what}" data-label="${text}"></td>`).join("")}</tr>
    <tr class="gm-why"><td colspan="5"><details><summary>Why, and on what source<span class="vt-visually-hidden">: ${short}</span></summary>
      <p class="vt-note">${full}. ${status}</p><dl data-part="why-${name}"></dl></details></td></tr></tbody>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <h3 class="gm-verdict" data-part="verdict"></h3>
  <div class="gm-stops" data-part="stops"></div>
  <div class="gm-desk">
    <div class="gm-example"><label for="${id}-example">Start from an invented patient</label>
      <select id="${id}-example" data-part="example"><option value="">as set below</option>${Object.entries(about.examples)
        .map(([name, [text]]) => `<option value="${name}">${text}</option>`).join("")}</select>
      <p data-part="story" hidden></p></div>
    <div class="gm-groups">${about.groups.slice(0, -1).map((each) => group(id, each)).join("")}</div>
    <details><summary>More for the OF score</summary><div class="gm-groups gm-more">${group(id, about.groups.at(-1))}</div></details>
  </div>
  <table class="gm-map"><caption>What each document says of this patient. An outline marks an answer that has just changed.</caption>
    <thead><tr><th scope="col">Document</th>${Object.values(about.treatments).map((text) => `<th scope="col">${text}</th>`).join("")}</tr></thead>
    ${about.bodies.map((body) => bodyRow(id, body, about.treatments)).join("")}</table>
  <section class="gm-time" aria-labelledby="${id}-time"><h4 id="${id}-time">How old may a fracture be? They do not agree</h4>
    <div class="gm-line" data-part="line"></div>
    <details><summary>What each of them says</summary><dl data-part="windows"></dl></details></section>
  <section aria-labelledby="${id}-flips"><h4 id="${id}-flips">Which single input would change an answer?</h4>
    <p class="vt-note">Found by trying other values of every input, one at a time, with all else as it is.</p>
    <table class="gm-flips"><thead><tr><th scope="col">Input</th><th scope="col">If it were</th><th scope="col">What changes</th></tr></thead>
      <tbody data-part="flips"></tbody></table></section>
  <p class="vt-visually-hidden" role="status" data-part="told"></p>
  <p class="vt-note">${about.limits}</p>`;

function render({ model, el }) {
  const { about, root, part, state, say, ask, answered, close } = opened(
    { model, el }, "gm", "Guideline map", markup, "Nothing moves",
  );
  let spoken;
  const fields = Object.fromEntries(about.groups.flatMap((each) => each.fields).map((field) => [field.name, field]));

  const showControls = () => {
    for (const select of root.querySelectorAll("[data-choice]")) {
      const name = select.dataset.choice;
      const value = key(state[name] ?? null);
      // An example may hold a value that is not among those on offer: it is added, not lost.
      if (![...select.options].some((option) => option.value === value)) {
        select.insertAdjacentHTML("afterbegin", `<option value='${value}'>${value.replace("-", "−")} ${fields[name].unit}</option>`);
      }
      select.value = value;
    }
    for (const input of root.querySelectorAll("[data-slider]")) {
      const name = input.dataset.slider;
      const unknown = state[name] === null;
      if (!unknown) input.value = state[name];
      input.disabled = unknown;
      const value = unknown ? "not known" : `${state[name]} ${fields[name].unit}`;
      input.setAttribute("aria-valuetext", value);
      root.querySelector(`[data-value="${name}"]`).textContent = value;
      root.querySelector(`[data-unknown="${name}"]`).checked = unknown;
    }
    // Intact nerves have no new deficit, and OF 5 is a torn tension band.
    root.querySelector('[data-choice="new_deficit"]').disabled = state.neurology === "N0";
    root.querySelector('[data-choice="plc_injured"]').disabled = state.of_type === 5;
  };

  const change = (values) => {
    // Whoever was intact and is so no more has a deficit of unknown age.
    if (values.neurology && state.neurology === "N0") state.new_deficit = null;
    Object.assign(state, values);
    if (state.neurology === "N0") state.new_deficit = false;
    if (state.of_type === 5) state.plc_injured = true;
    showControls();
    ask();
  };

  const alone = (values) => {
    part("example").value = "";
    part("story").hidden = true;
    change(values);
  };

  const showMap = (rows) => {
    for (const { body, cells, why } of rows) {
      Object.keys(about.treatments).forEach((what, i) => {
        const { glyph, word, answer, strength, was } = cells[i];
        const cell = root.querySelector(`[data-cell="${body}-${what}"]`);
        cell.className = `gm-${answer}${was ? " gm-changed" : ""}`;
        cell.innerHTML = `<span class="gm-answer"><span class="gm-glyph" aria-hidden="true">${glyph}</span> ${word}</span>
          <span class="gm-strength">${strength}</span>${was ? `<span class="gm-was">was: ${was}</span>` : ""}`;
      });
      part(`why-${body}`).innerHTML = why.map(({ what, says, refs }) => `<dt>${what}</dt><dd>${says} [${refs}]</dd>`).join("");
    }
  };

  const showTime = (windows, age) => {
    const percent = (share) => `${(100 * share).toFixed(2)}%`;
    const mark = age ? `<span class="gm-mark" style="left:${percent(age.at)}"></span>` : "";
    part("line").innerHTML = `${windows.map(({ who, from, to, open, inside }) => `
      <div class="gm-window"><span class="gm-who">${who}</span><span class="gm-track">
        <span class="gm-bar${open ? " gm-open" : ""}${inside ? " gm-in" : ""}" style="left:${percent(from)};width:${percent(to - from)}"></span>${mark}</span>
        <span class="gm-inside">${inside === null ? "?" : inside ? "✓ in" : "✕ out"}</span></div>`).join("")}
      <div class="gm-window gm-axis" aria-hidden="true"><span class="gm-who">weeks</span><span class="gm-track">${about.ticks
        .map(([at, week]) => `<span style="left:${percent(at)}">${week}</span>`).join("")}</span><span></span></div>
      <p class="gm-now">${age ? `This fracture is ${age.text} old.` : "The age of this fracture is not known."} Early weeks have more room on the line.</p>`;
    part("windows").innerHTML = windows.map(({ who, says, refs }) => `<dt>${who}</dt><dd>${says} [${refs}]</dd>`).join("");
  };

  const onShown = () => {
    const shown = model.get("shown");
    answered(shown.seq);
    part("verdict").className = `gm-verdict gm-${shown.tone}`;
    part("verdict").innerHTML = `${shown.headline}<span>${Object.entries(shown.counts)
      .map(([what, text]) => `${about.treatments[what]}: ${text}.`).join(" ")}</span>`;
    part("stops").innerHTML = shown.stops.map((text) => `<p class="vt-alert">${text}</p>`).join("");
    showMap(shown.rows);
    showTime(shown.windows, shown.age);
    part("flips").innerHTML = shown.flips.map(({ field, now, value, flips }) => `<tr><th scope="row">${field}<span>now ${now}</span></th>
      <td data-label="if it were">${value}</td><td>${flips}</td></tr>`).join("");
    root.dataset.seq = shown.seq;
    // A screen reader hears where things came to rest, not every step on the way.
    clearTimeout(spoken);
    spoken = setTimeout(() => { part("told").textContent = shown.told; }, 400);
    if (state.stale) ask();
  };
  const onProblem = () => say(model.get("problem"));

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.slider) alone({ [target.dataset.slider]: Number(target.value) });
  });
  root.addEventListener("change", ({ target }) => {
    if (target.dataset.choice) alone({ [target.dataset.choice]: JSON.parse(target.value) });
    else if (target.dataset.unknown) {
      const name = target.dataset.unknown;
      const slider = root.querySelector(`[data-slider="${name}"]`);
      alone({ [name]: target.checked ? null : Number(slider.value) });
    } else if (target.dataset.part === "example") {
      const [, told, known] = about.examples[target.value] ?? [];
      part("story").textContent = told ?? "";
      part("story").hidden = !told;
      if (known) change(known);
    }
  });

  model.on("change:shown", onShown);
  model.on("change:problem", onProblem);
  showControls();
  onShown();
  onProblem();
  return () => {
    close();
    clearTimeout(spoken);
    model.off("change:shown", onShown);
    model.off("change:problem", onProblem);
  };
}

export default { render };
