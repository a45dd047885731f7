// The plan builder, browser half. It asks the kernel and shows what comes back; no rule is known here.

const TURN = 2 * Math.PI;
const PAPER = `
  @page { margin: 18mm; }
  body { margin: 0; font: 13pt/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: #000; }
  h3 { margin: 0; font-size: 20pt; } h4 { margin: 0; font-size: 14pt; } p { margin: 0.4rem 0; }
  ul { margin: 0.2rem 0 0.9rem; padding-left: 1.3rem; } li { margin: 0.15rem 0; }
  .pl-columns > div { break-inside: avoid; } .vt-note { color: #444; font-size: 11pt; }
  .pl-net { margin: 0.6rem 0 1rem; padding: 0.6rem 0.9rem; border: 2pt solid #000; break-inside: avoid; }`;

// How well a measure was tested, as a disc filled by quarters: a shape, so that no colour is needed to read it.
const disc = (share) => {
  const x = 8 + 6 * Math.sin(TURN * share);
  const y = 8 - 6 * Math.cos(TURN * share);
  const filled = share === 1 ? '<circle cx="8" cy="8" r="6"/>'
    : share ? `<path d="M8,8V2A6,6 0 ${share > 0.5 ? 1 : 0} 1 ${x.toFixed(2)},${y.toFixed(2)}Z"/>` : "";
  return `<svg class="pl-disc" viewBox="0 0 16 16" aria-hidden="true"><g fill="currentColor">${filled}</g>
    <circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.4"/></svg>`;
};

const slider = (id, name, label, [low, high]) => `
  <div class="pl-slider"><label for="${id}-${name}">${label}</label><output for="${id}-${name}" data-value="${name}"></output>
    <input type="range" id="${id}-${name}" data-slider="${name}" min="${low}" max="${high}" step="1"></div>`;

const box = (kind, value, label, after = "") => `
  <label class="pl-check"><input type="checkbox" data-${kind}="${value}"><span data-taught>${label}</span>${after}</label>`;

function markup(id, about) {
  const rank = Object.fromEntries(about.strengths.map((each, i) => [each.id, { ...each, share: 1 - i / 4 }]));
  const tested = (strength) => `<span class="pl-tested" data-taught>${disc(rank[strength].share)}${rank[strength].word}</span>`;
  const group = ({ id: name, name: title }) => `
    <fieldset class="pl-group pl-${name}"><legend data-taught>${title}</legend>${about.measures
      .filter((each) => each.group === name)
      .map((each) => box("measure", each.id, each.name, `<span class="pl-flag" data-flag="${each.id}"></span>${tested(each.strength)}`))
      .join("")}</fieldset>`;
  const features = (kind) => about.features.filter((each) => each.group === kind)
    .map((each) => box("feature", each.id, each.name)).join("");
  return `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <h3 class="pl-verdict" data-part="verdict" data-taught></h3>
  <section class="pl-patient" aria-label="${t("Patient")}">
    <div><label class="pl-label" for="${id}-patient">${t("Patient")}</label>
      <select id="${id}-patient" data-part="patient">${Object.entries(about.patients)
        .map(([name, each]) => `<option value="${name}" data-taught>${each.name}</option>`).join("")}</select>
      <p data-part="story" data-taught></p>
      ${slider(id, "age", t("Age"), about.age)}${slider(id, "egfr", t("eGFR, mL/min/1.73 m²"), about.egfr)}</div>
    <fieldset><legend>${t("Brings along")}</legend><div class="pl-body">${features("body")}</div></fieldset>
    <fieldset><legend>${t("Takes already")}</legend>${features("drugs")}</fieldset>
  </section>
  <section aria-label="${t("Plan")}">
    <div class="pl-groups"><div>${group(about.groups[0])}
      <p class="vt-note">${t("How well a measure was tested; what came out stands below.")}</p>
      <ul class="pl-key">${about.strengths.map((each) => `<li>${tested(each.id)}<span data-taught>${each.says}</span></li>`).join("")}</ul></div>
      <div>${about.groups.slice(1).map(group).join("")}</div></div>
    <div class="pl-foot"><span><label for="${id}-review">${t("Reviewed")}</label>
      <select id="${id}-review" data-part="review">${about.reviews
        .map(([days, words]) => `<option value="${days}">${words}</option>`).join("")}</select></span>
      <button type="button" data-do="clear">${t("Empty the plan")}</button>
      <button type="button" data-do="letter">${t("Back to the letter")}</button>
      <button type="button" data-do="sound">${t("Show one we would accept")}</button></div>
  </section>
  <section aria-label="${t("Warnings")}"><h3>${t("What speaks against it")}</h3><ul class="pl-list" data-part="warnings"></ul></section>
  <section aria-label="${t("Missing")}"><h3>${t("What is missing")}</h3><ul class="pl-list" data-part="missing"></ul></section>
  <details data-part="tested"><summary>${t("How well is each choice tested?")}</summary>
    <div class="pl-evidence" data-part="evidence"></div></details>
  <article class="pl-card" aria-label="${t("The plan on one card")}"><div data-part="card"></div>
    <p class="pl-print"><button type="button" class="vt-primary" data-do="print">${t("Print the card")}</button>
      <span class="vt-note" data-part="unready"></span></p></article>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <p class="vt-note" data-taught>${about.limits}</p>`;
}

function render({ model, el }) {
  const { about, root, part, state, ask, tell, print, follow } = opened(
    { model, el }, "pl", t("Plan builder"), markup, t("Nothing is checked"),
  );
  const rank = Object.fromEntries(about.strengths.map((each, i) => [each.id, { ...each, share: 1 - i / 4 }]));

  const make = (tag, text = "", css = "", taught = false) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (taught) made.dataset.taught = "";
    if (css) made.className = css;
    return made;
  };

  // A sentence whose sources, in brackets at its end, stand back a little.
  const cite = (tag, text) => {
    const [, sentence, sources] = text.match(/^(.*?)( \[[a-z0-9_; ]+\])?$/s);
    const made = make(tag, sentence, "", true);
    if (sources) made.append(make("span", sources, "pl-refs"));
    return made;
  };

  const showControls = () => {
    part("patient").value = state.patient;
    part("story").textContent = `${about.patients[state.patient].story} ${t("(Invented.)")}`;
    for (const name of ["age", "egfr"]) root.querySelector(`[data-slider="${name}"]`).value = state[name];
    root.querySelector('[data-value="age"]').textContent = tn("{n} year", "{n} years", state.age);
    root.querySelector('[data-slider="age"]').setAttribute("aria-valuetext", tn("{n} year", "{n} years", state.age));
    for (const input of root.querySelectorAll("[data-feature]")) input.checked = state.features.includes(input.dataset.feature);
    for (const input of root.querySelectorAll("[data-measure]")) input.checked = state.measures.includes(input.dataset.measure);
    const days = state.review === null ? "" : String(state.review);
    const select = part("review");
    // A lesson may open on a day that stands in no list.
    if (![...select.options].some((option) => option.value === days)) select.append(new Option(tn("in {n} day", "in {n} days", Number(days)), days));
    select.value = days;
  };

  const change = (changed) => {
    Object.assign(state, changed);
    showControls();
    ask();
  };

  const finding = ({ severity, says, reason, mend, by }) => {
    const item = make("li", "", `pl-finding pl-${severity}`);
    const head = make("p", "", "pl-head");
    const badge = make("span", "", "pl-badge");
    const sign = make("span", about.signs[severity]);
    sign.setAttribute("aria-hidden", "true");
    badge.append(sign, ` ${about.words[severity]}`);
    head.append(badge, " ", make("strong", says, "", true));
    item.append(head);
    if (by.length) item.append(make("p", t("Because of: {causes}", { causes: by.join(" + ") }), "pl-by"));
    const why = cite("p", reason);
    why.className = "pl-reason";
    const todo = make("p", "", "pl-todo");
    todo.append(make("strong", t("What to do: ")), make("span", mend, "", true));
    item.append(why, todo);
    return item;
  };

  const showList = (name, findings, empty) => part(name).replaceChildren(
    ...(findings.length ? findings.map(finding) : [make("li", empty, "pl-empty")]),
  );

  const showEvidence = (rows) => part("evidence").replaceChildren(...rows.map((row) => {
    const line = make("section", "", "pl-row");
    const head = make("h4", row.name, "", true);
    const mark = make("p", "", "pl-mark");
    mark.innerHTML = disc(rank[row.strength].share);
    mark.append(make("span", `${rank[row.strength].word}: ${row.verdict}`, "", true));
    const facts = make("dl");
    for (const [name, text] of [[t("Found"), row.found], [t("Harms"), row.harms], [t("Stop or review"), row.stop]]) {
      const pair = make("div");
      pair.append(make("dt", name), cite("dd", text));
      facts.append(pair);
    }
    line.append(head, mark, facts);
    return line;
  }));

  const showCard = ({ title, groups, net, review }, acceptable) => {
    const made = [make("h3", title, "", true), make("p", acceptable
      ? t("A teaching example for an invented patient, not medical advice.")
      : t("Draft. Not to be given to anybody yet."), acceptable ? "vt-note" : "pl-draft")];
    const columns = make("div", "", "pl-columns");
    for (const [heading, lines] of groups) {
      const block = make("div");
      const list = make("ul");
      list.append(...lines.map((line) => make("li", line, "", true)));
      block.append(make("h4", heading, "", true), list);
      columns.append(block);
    }
    made.push(columns);
    if (net) {
      const box = make("div", "", "pl-net");
      box.append(make("h4", t("Come back at once")), make("p", net, "", true));
      made.push(box);
    }
    made.push(make("p", t("Next look at this plan: {when}. Date: ______________  Number to ring: ______________", { when: review })));
    part("card").replaceChildren(...made);
    root.querySelector('[data-do="print"]').disabled = !acceptable;
    part("unready").textContent = acceptable ? "" : t("Ready when nothing must go and nothing is missing.");
  };

  const paper = () => `<!doctype html><html lang="${language}"><meta charset="utf-8"><title>${t("Plan")}</title><style>${PAPER}</style>
    ${part("card").innerHTML}`;

  const draw = (shown) => {
    const verdict = part("verdict");
    verdict.replaceChildren(`${about.signs[shown.grade]} ${shown.verdict} `, make("span", shown.first));
    verdict.className = `pl-verdict pl-${shown.grade}`;
    const kidney = t("{egfr}, stage {stage}", { egfr: state.egfr, stage: shown.kidney });
    root.querySelector('[data-value="egfr"]').textContent = kidney;
    root.querySelector('[data-slider="egfr"]').setAttribute("aria-valuetext", kidney);
    showList("warnings", shown.warnings, t("Nothing that these rules know of."));
    showList("missing", shown.missing, t("Nothing that these rules know of."));
    for (const flag of root.querySelectorAll("[data-flag]")) {
      const severity = shown.flags[flag.dataset.flag];
      flag.className = `pl-flag${severity ? ` pl-${severity}` : ""}`;
      flag.textContent = severity ? `${about.signs[severity]} ${about.words[severity].toLowerCase()}` : "";
    }
    showEvidence(shown.evidence);
    showCard(shown.card, shown.acceptable);
    tell(shown.told);
  };

  const toggled = (list, name, on) => (on ? [...list, name] : list.filter((each) => each !== name));

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.slider) change({ [target.dataset.slider]: Number(target.value) });
  });
  root.addEventListener("change", ({ target }) => {
    const { measure, feature } = target.dataset;
    if (measure) change({ measures: toggled(state.measures, measure, target.checked) });
    else if (feature) change({ features: toggled(state.features, feature, target.checked) });
    else if (target.dataset.part === "patient") change({ ...about.patients[target.value].opens });
    else if (target.dataset.part === "review") change({ review: target.value ? Number(target.value) : null });
  });
  root.addEventListener("click", ({ target }) => {
    const { measures, review } = about.patients[state.patient].opens;
    if (target.dataset.do === "clear") change({ measures: [], review: null });
    else if (target.dataset.do === "letter") change({ measures, review });
    else if (target.dataset.do === "sound") change({ ...about.patients[state.patient].sound });
    else if (target.dataset.do === "print") print(paper());
  });

  part("tested").open = root.clientWidth > 640; // on a telephone it would push the card far down
  showControls();
  return follow(draw);
}

export default { render };
