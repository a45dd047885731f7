// The forest plot, browser half. It asks the kernel and draws what comes back; nothing is computed here.

const box = (name, label) => `<label class="fp-check"><input type="checkbox" data-switch="${name}"> <span>${label}</span></label>`;

const filter = ({ id, name, options }) => `
  <fieldset><legend>${name}</legend>${options
    .map((each) => `<label class="fp-check"><input type="checkbox" data-filter="${id}" value="${each}">
      <span data-taught>${each} <span class="fp-count" data-count="${id}:${each}"></span></span></label>`).join("")}</fieldset>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <h3 class="fp-verdict" data-part="verdict" data-taught></h3>
  <p class="fp-changed" data-part="changed" data-taught></p>
  <div class="fp-bar">
    <div class="fp-pick"><label for="${id}-measure">${t("Outcome")}</label> <select id="${id}-measure" data-pick="measure">${about.measures
      .map((each) => `<option value="${each.id}" data-taught>${each.name}</option>`).join("")}</select></div>
    <div class="fp-pick"><label for="${id}-window">${t("Time")}</label> <select id="${id}-window" data-pick="window"></select></div>
    <div class="fp-pick" role="radiogroup" aria-label="${t("Model")}">${Object.entries(about.models)
      .map(([value, text]) => `<label class="fp-check"><input type="radio" name="${id}-model" value="${value}"> <span>${text}</span></label>`).join("")}</div>
  </div>
  <div class="fp-plot" role="table" aria-label="${t("Trials and pooled differences")}" data-part="plot"></div>
  <p class="vt-note" data-part="matters" data-taught></p>
  <div class="fp-desk">${about.filters.map(filter).join("")}
    <fieldset><legend>${t("Show")}</legend>${Object.entries(about.switches).map(([name, label]) => box(name, label)).join("")}</fieldset>
  </div>
  <details><summary>${t("Notes on these results")}</summary><ul data-part="notes" data-taught></ul></details>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <p class="vt-note">${t("Teaching, not medical advice.")}${t(" Not yet reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

const track = (inner) => `<div class="fp-track" role="cell"><span aria-hidden="true">${inner}</span></div>`;

const trial = (row) => `
  <div class="fp-row" role="row" data-line="${row.id}">
    <div class="fp-label" role="rowheader"><label class="fp-check"><input type="checkbox" data-row="${row.id}">
      <span data-taught><span class="fp-name">${clean(row.label)}</span> <span class="fp-detail">${clean(row.detail)} ${row.refs}
        <span class="fp-warn">${row.warn}</span></span></span></label></div>
    ${track('<i class="fp-line"></i><i class="fp-box"></i>')}
    <div class="fp-value" role="cell" data-taught></div><div class="fp-weight" role="cell"></div></div>`;

const pooledRow = (each, key) => `
  <div class="fp-row fp-${each.kind}" role="row" data-line="${key}">
    <div class="fp-label" role="rowheader" data-taught>${clean(each.label)}</div>
    ${track(each.kind === "ahead" ? '<i class="fp-line"></i>' : '<i class="fp-diamond"></i>')}
    <div class="fp-value" role="cell" data-taught></div><div class="fp-weight" role="cell"></div></div>`;

const lines = (group, at) => [...group.rows.map((row) => [row.id, row]), ...group.pools.map((each, i) => [`${at}:${i}`, each])];

const plot = ({ groups }) => `
  <div class="fp-row fp-head" role="row"><div role="columnheader">${t("Trial")}</div><div role="columnheader"><span class="vt-visually-hidden">${t("Drawn")}</span></div>
    <div class="fp-value" role="columnheader">${t("difference (95 %)")}</div><div class="fp-weight" role="columnheader">${t("weight")}</div></div>
  ${groups.map((group, at) => `<div class="fp-group" role="rowgroup" aria-label="${group.question}" data-group="${at}">
    <div class="fp-row fp-question" role="row" data-taught><div role="cell">${group.question}</div></div>
    ${group.rows.map(trial).join("")}<div role="none" data-pools="${at}"></div>
    <div class="fp-row fp-why" role="row" data-taught><div role="cell" data-why="${at}"></div></div></div>`).join("")}
  <div class="fp-row fp-foot" role="row" aria-hidden="true"><div></div><div class="fp-axis" data-part="axis" data-taught></div><div></div><div></div></div>`;

function render({ model, el }) {
  const { about, root, part, state, ask, tell, follow } = opened(
    { model, el }, "fp", t("Forest plot"), markup, t("Nothing changes"),
  );
  let built;

  const showControls = () => {
    const { windows, counts, chosen } = model.get("shown");
    const times = windows.map(({ id, name }) => `<option value="${id}" lang="en">${name}</option>`).join("");
    const pick = root.querySelector('[data-pick="window"]');
    if (pick.innerHTML !== times) pick.innerHTML = times;
    for (const each of root.querySelectorAll("[data-pick]")) each.value = state[each.dataset.pick];
    for (const each of root.querySelectorAll('[type="radio"]')) each.checked = each.value === state.model;
    for (const each of root.querySelectorAll("[data-switch]")) each.checked = state[each.dataset.switch];
    for (const each of root.querySelectorAll("[data-filter]")) each.checked = state[each.dataset.filter].includes(each.value);
    for (const each of root.querySelectorAll("[data-count]")) {
      const [name, option] = each.dataset.count.split(":");
      each.textContent = `(${counts[name][option]})`;
    }
    for (const each of root.querySelectorAll("[data-row]")) each.checked = (state.chosen ?? chosen).includes(each.dataset.row);
  };

  const place = (line, { low, value, high, share, checked = true, on = true }, { axis }) => {
    const at = (number) => (100 * (Math.min(Math.max(number, axis.low), axis.high) - axis.low)) / (axis.high - axis.low);
    const [a, b, c] = [low, value, high].map(at);
    for (const [name, percent] of Object.entries({ low: a, value: b, high: c })) line.style.setProperty(`--${name}`, `${percent}%`);
    line.style.setProperty("--middle", `${c > a ? (100 * (b - a)) / (c - a) : 50}%`);
    if (share) line.style.setProperty("--size", `${8 + 18 * Math.sqrt(share)}px`);
    line.classList.toggle("fp-cut-low", low < axis.low);
    line.classList.toggle("fp-cut-high", high > axis.high);
    line.classList.toggle("fp-hollow", !checked);
    line.classList.toggle("fp-off", !on);
  };

  const showChart = (chart) => {
    const { axis, band, groups, favours, unit, matters } = chart;
    // Trials are built anew only when others are shown, so that a checkbox keeps the focus.
    const key = JSON.stringify(groups.map((group) => [group.question, ...group.rows.map((row) => row.id)]));
    if (key !== built) part("plot").innerHTML = plot(chart);
    built = key;
    const share = (value) => `${(100 * (value - axis.low)) / (axis.high - axis.low)}%`;
    const box = part("plot");
    box.style.setProperty("--zero", share(0));
    box.style.setProperty("--band-low", band ? share(band.low) : "-1%");
    box.style.setProperty("--band-high", band ? `max(${share(band.high)}, ${share(band.low)} + 3px)` : "-1%");
    groups.forEach((group, at) => {
      const whole = box.querySelector(`[data-group="${at}"]`);
      whole.style.setProperty("--lead", share(group.lead ?? 0));
      whole.classList.toggle("fp-led", group.pools.length > 0);
      whole.querySelector("[data-pools]").innerHTML = group.pools.map((each, i) => pooledRow(each, `${at}:${i}`)).join("");
      for (const [name, each] of lines(group, at)) {
        const line = box.querySelector(`[data-line="${name}"]`);
        place(line, each, chart);
        line.querySelector(".fp-value").textContent = each.text;
        line.querySelector(".fp-weight").textContent = each.weight ?? "";
        const tick = line.querySelector("[data-row]");
        // What nobody has compared with its paper can be looked at and never be pooled.
        if (tick) tick.disabled = !each.checked;
      }
      box.querySelector(`[data-why="${at}"]`).textContent = group.why;
    });
    part("axis").innerHTML = `${axis.ticks.map(({ at, text }) => `<b style="left:${share(at)}">${text}</b>`).join("")}
      <div class="fp-ways"><span>← ${favours[0]}</span><span>${favours[1]} →</span></div><div>${unit}</div>`;
    part("matters").textContent = matters;
    part("notes").innerHTML = groups.flatMap((group) => group.rows)
      .map((row) => `<li>${clean(row.label)} ${row.refs}: ${clean(row.note || t("as printed."))}</li>`).join("");
  };

  const draw = (shown) => {
    part("verdict").textContent = shown.verdict;
    part("changed").textContent = shown.changed;
    showChart(shown.chart);
    showControls();
    tell(shown.told);
  };

  root.addEventListener("change", ({ target }) => {
    const { pick, filter, row } = target.dataset;
    if (pick) {
      state[pick] = target.value;
      const there = about.windows[state.measure];
      if (!there.includes(state.window)) state.window = there.includes("month 12") ? "month 12" : there[0];
      state.chosen = null;
    } else if (filter) {
      const on = new Set(state[filter]);
      on[target.checked ? "add" : "delete"](target.value);
      state[filter] = about.filters.find(({ id }) => id === filter).options.filter((each) => on.has(each));
    } else if (row) {
      const on = new Set(state.chosen ?? model.get("shown").chosen);
      on[target.checked ? "add" : "delete"](row);
      state.chosen = [...on];
    } else if (target.dataset.switch) state[target.dataset.switch] = target.checked;
    else if (target.type === "radio") state.model = target.value;
    else return;
    ask();
  });

  return follow(draw);
}

export default { render };
