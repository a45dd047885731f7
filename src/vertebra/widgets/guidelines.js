// The guideline map, browser half. The kernel asks the documents; here controls are read and answers painted.

const bodyRow = (id, { id: name, short, name: full, year, kind, status, refs }, treatments) => `
  <tbody data-body="${name}"><tr>
    <th scope="row"><span class="gm-head"><span><span class="gm-short" data-taught>${short}</span> <span class="gm-year">${year ?? t("year not read")}</span></span>
      <button type="button" class="gm-more" data-why="${name}" aria-expanded="false" aria-controls="${id}-why-${name}" aria-label="${t("Why, and on what source: {short}", { short })}">${t("Why")}</button></span>
      <span class="gm-kind" data-taught>${kind} [${refs}]</span></th>
    ${Object.entries(treatments).map(([what, text]) => `<td data-cell="${name}-${what}" data-label="${text}"></td>`).join("")}</tr>
    <tr class="gm-why" id="${id}-why-${name}" hidden><td colspan="5"><p class="vt-note" data-taught>${full}. ${status}</p><dl data-part="why-${name}" data-taught></dl></td></tr></tbody>`;

// Two cards of one group are no two bodies: they stand apart, under a line that says so.
const apart = `
  <tbody class="gm-apart"><tr><th scope="rowgroup" colspan="5">${t("Not a body but a score, on two cards by one group")}</th></tr></tbody>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <h3 class="gm-verdict" data-part="verdict" data-taught></h3>
  <div class="gm-stops" data-part="stops" data-taught></div>
  <div class="pt-desk">${invented(id, about)}
    <div class="pt-groups">${about.groups.slice(0, -1).map((each) => fieldGroup(id, each)).join("")}</div>
    <details><summary>${t("More for the OF score")}</summary><div class="pt-groups pt-more">${fieldGroup(id, about.groups.at(-1))}</div></details>
  </div>
  <table class="gm-map"><caption>${t("What each document says of this patient. “Why” opens its reasons and sources. An outline marks an answer that has just changed.")}</caption>
    <thead><tr><th scope="col">${t("Document")}</th>${Object.values(about.treatments).map((text) => `<th scope="col" data-taught>${text}</th>`).join("")}</tr></thead>
    ${[...about.bodies.filter((body) => !body.apart), null, ...about.bodies.filter((body) => body.apart)]
    .map((body) => (body ? bodyRow(id, body, about.treatments) : apart)).join("")}</table>
  <section class="gm-time" aria-labelledby="${id}-time"><h4 id="${id}-time">${t("How old may a fracture be? They do not agree")}</h4>
    <div class="gm-line" data-part="line"></div>
    <details><summary>${t("What each of them says")}</summary><dl data-part="windows" data-taught></dl></details></section>
  <section aria-labelledby="${id}-flips"><h4 id="${id}-flips">${t("Which single input would change an answer?")}</h4>
    <p class="vt-note">${t("Found by trying other values of every input, one at a time, with all else as it is.")}</p>
    <table class="gm-flips"><thead><tr><th scope="col">${t("If one of these were otherwise")}</th><th scope="col">${t("What changes")}</th></tr></thead>
      <tbody data-part="flips" data-taught></tbody></table></section>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <p class="vt-note" data-taught>${about.limits}</p>`;

function render({ model, el }) {
  const desk = opened({ model, el }, "gm", t("Guideline map"), markup, t("Nothing moves"));
  const { about, root, part, state, ask, tell, follow } = desk;

  const showMap = (rows) => {
    for (const { body, cells, why } of rows) {
      Object.keys(about.treatments).forEach((what, i) => {
        const { glyph, word, answer, strength, was } = cells[i];
        const cell = root.querySelector(`[data-cell="${body}-${what}"]`);
        cell.className = `gm-${answer}${was ? " gm-changed" : ""}`;
        cell.innerHTML = `<span class="gm-answer"><span class="gm-glyph" aria-hidden="true">${glyph}</span> <span data-taught>${word}</span></span>
          <span class="gm-strength" data-taught>${strength}</span>${was ? `<span class="gm-was">${t("was: {was}", { was })}</span>` : ""}`;
      });
      part(`why-${body}`).innerHTML = why.map(({ what, says, refs }) => `<dt>${what}</dt><dd>${says} [${refs}]</dd>`).join("");
    }
  };

  const showTime = (windows, age) => {
    const percent = (share) => `${(100 * share).toFixed(2)}%`;
    const mark = age ? `<span class="gm-mark" style="left:${percent(age.at)}"></span>` : "";
    part("line").innerHTML = `${windows.map(({ who, from, to, open, inside }) => `
      <div class="gm-window"><span class="gm-who" data-taught>${who}</span><span class="gm-track">
        <span class="gm-bar${open ? " gm-open" : ""}${inside ? " gm-in" : ""}" style="left:${percent(from)};width:${percent(to - from)}"></span>${mark}</span>
        <span class="gm-inside">${inside === null ? "?" : inside ? `✓ ${t("in")}` : `✕ ${t("out")}`}</span></div>`).join("")}
      <div class="gm-window gm-axis" aria-hidden="true"><span class="gm-who">${t("weeks")}</span><span class="gm-track">${about.ticks
        .map(([at, week]) => `<span style="left:${percent(at)}">${week}</span>`).join("")}</span><span></span></div>
      <p class="gm-now">${age ? t("This fracture is {age} old.", { age: age.text }) : t("The age of this fracture is not known.")} ${t("Early weeks have more room on the line.")}</p>`;
    part("windows").innerHTML = windows.map(({ who, says, refs }) => `<dt>${who}</dt><dd>${says} [${refs}]</dd>`).join("");
  };

  const draw = (shown) => {
    part("verdict").className = `gm-verdict gm-${shown.tone}`;
    part("verdict").innerHTML = `${shown.headline}<span>${Object.entries(shown.counts)
      .map(([what, text]) => `${about.treatments[what]}: ${text}.`).join("</span><span>")}</span>`;
    part("stops").innerHTML = shown.stops.map((text) => `<p class="vt-alert">${text}</p>`).join("");
    showMap(shown.rows);
    showTime(shown.windows, shown.age);
    part("flips").innerHTML = shown.flips.map(({ inputs, flips }) => `<tr><th scope="row">${inputs
      .map(({ field, now, value }) => `<span>${field} <small>${now} → ${value}</small></span>`).join("")}</th><td>${flips}</td></tr>`).join("");
    tell(shown.told);
  };

  root.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-why]");
    if (!button) return;
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", open);
    root.querySelector(`#${button.getAttribute("aria-controls")}`).hidden = !open;
  });

  patientControls(desk, ask);
  return follow(draw);
}

export default { render };
