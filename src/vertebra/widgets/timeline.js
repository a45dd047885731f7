// The year after a fracture, browser half. It asks the kernel and shows what comes back; nothing is judged here.

const SIGNS = { right: "✓", sooner: "!", late: "✕" };

const percent = (share) => `${(100 * share).toFixed(2)}%`;

const chart = ({ name, top, curves, told }) => `
  <div class="tl-row"><div class="tl-name tl-measure">${name}</div>
    <div class="tl-chart" role="img" aria-label="${told}">
      <span class="tl-level" style="top:0">${top}</span><span class="tl-level" style="top:100%">0</span>
      <svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
        ${[0, 50, 100].map((y) => `<path class="tl-grid" d="M0,${y}H1000"/>`).join("")}
        ${curves.map(({ points }, number) => {
          const at = points.map(([x, y]) => `${1000 * x},${100 * y}`);
          return `<path class="tl-curve tl-curve${number}" d="M${at.join("L")}"/>
            <path class="tl-dots tl-curve${number}" d="${at.map((point) => `M${point}h0`).join("")}"/>`;
        }).join("")}
      </svg></div></div>`;

const lane = ({ name, stretches }) => `
  <div class="tl-row"><div class="tl-name">${name}</div>
    <div class="tl-lane" style="grid-template-columns:${columns(stretches)}">${stretches.map(
      ({ short }, number) => `<span style="grid-column:${2 * number + 2}">${short}</span>`).join("")}</div></div>`;

// Room before each stretch, the stretch, and room at the end.
const columns = (stretches) => {
  const edges = [0, ...stretches.flatMap(({ from, to }) => [from, to]), 1];
  return edges.slice(1).map((edge, i) => `minmax(0, ${(edge - edges[i]).toFixed(4)}fr)`).join(" ");
};

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <p class="tl-legend" aria-hidden="true">${about.line.charts[0].curves.map(
    ({ label }, number) => `<span class="tl-key tl-key${number}"></span><span data-taught>${label}</span>`).join(" ")}</p>
  <div class="tl-line" data-taught>
    ${about.line.charts.map(chart).join("")}${about.line.lanes.map(lane).join("")}
    <div class="tl-row"><div class="tl-name"></div><div class="tl-axis" aria-hidden="true">${about.line.ticks.map(
      ([at, name]) => `<span style="left:${percent(at)}">${name}</span>`).join("")}</div></div>
    <div class="tl-over" aria-hidden="true"><div></div><div data-part="over"></div></div>
  </div>
  <div class="tl-desk">
    <div>
      <div class="tl-field"><label for="${id}-event">${t("What happens")}</label>
        <select id="${id}-event" data-part="event">${Object.entries(about.events)
          .map(([name, label]) => `<option value="${name}" data-taught>${label}</option>`).join("")}</select></div>
      <div class="tl-field"><label for="${id}-day">${t("When, after the fracture")}</label>
        <output for="${id}-day" data-part="when"></output>
        <input type="range" id="${id}-day" data-part="day" min="0" max="${about.days.length - 1}" step="1"></div>
      <fieldset class="tl-clocks"><legend>${t("How soon do you act?")}</legend>${Object.entries(about.clocks)
        .map(([name, label]) => `<label><input type="radio" name="${id}-clock" value="${name}"> <span data-taught>${label}</span></label>`)
        .join("")}</fieldset>
    </div>
    <div class="tl-card">
      <h3 data-part="asked" data-taught></h3>
      <p class="tl-said" data-part="said" data-taught></p>
      <div data-part="answer" hidden>
        <p class="tl-verdict" data-part="verdict" data-taught></p>
        <div class="tl-lists"><div><h4>${t("Think of")}</h4><ul data-part="think" data-taught></ul></div>
          <div><h4>${t("Do and order")}</h4><ul data-part="order" data-taught></ul></div></div>
        <p class="vt-note" data-part="why" data-taught></p>
      </div>
    </div>
  </div>
  <div class="tl-placed"><p><strong>${t("On the line.")}</strong> <span data-part="score" data-taught></span>
      <button type="button" data-part="clear">${t("Clear the line")}</button></p>
    <ol data-part="flags" data-taught></ol></div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <details><summary>${t("What the line says, and on which sources")}</summary><dl data-taught>${about.line.lanes
    .map(({ name, stretches }) => `<dt>${name}</dt>${stretches.map(({ says }) => `<dd>${says}</dd>`).join("")}`).join("")}</dl>
  </details>
  <p class="vt-note">${t("Teaching, not medical advice, not reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

function render({ model, el }) {
  const { about, root, part, state, ask, tell, follow } = opened(
    { model, el }, "tl", t("The year after a fracture"), markup, t("The line does not answer"),
  );

  const showControls = () => {
    part("event").value = state.event;
    const index = about.days.findIndex(([day]) => day === state.day);
    part("day").value = index;
    part("day").setAttribute("aria-valuetext", about.days[index][1]);
    part("when").textContent = about.days[index][1];
    for (const input of root.querySelectorAll('[type="radio"]')) input.checked = input.value === state.clock;
    part("clear").disabled = !state.placed.length;
  };

  const change = () => {
    showControls();
    ask();
  };

  const items = (where, texts) =>
    part(where).replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));

  const draw = ({ at, when, card, told, flags, score }) => {
    part("over").innerHTML = `<span class="tl-now" style="left:${percent(at)}"></span>${flags
      .map(({ at: left, above, grade }, i) =>
        `<span class="tl-flag tl-${grade}" style="left:${percent(left)};top:${1.5 * above - 0.5}rem">${i + 1}</span>`).join("")}`;
    part("asked").textContent = card.asked;
    part("said").textContent = card.grade ? `${SIGNS[card.grade]} ${card.said}` : card.said;
    part("said").className = `tl-said tl-${card.grade || "open"}`;
    part("answer").hidden = !card.grade;
    if (card.grade) {
      part("verdict").textContent = card.verdict;
      items("think", card.think);
      items("order", card.order);
      part("why").textContent = card.why;
    }
    items("flags", flags.map(({ grade, label }) => `${SIGNS[grade]} ${label}`));
    part("score").textContent = score;
    root.dataset.when = when;
    tell(told);
  };

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.part !== "day") return;
    state.day = about.days[Number(target.value)][0];
    state.clock = "";
    change();
  });
  root.addEventListener("change", ({ target }) => {
    if (target.dataset.part === "event") {
      state.event = target.value;
      state.clock = "";
    } else if (target.type === "radio") {
      state.clock = target.value;
      const { event, day, clock } = state;
      // The first answer counts; who tries again on the same day learns, but the flag stays.
      if (!state.placed.some((each) => each.event === event && each.day === day))
        state.placed = [...state.placed, { event, day, clock }].slice(-about.most);
    } else return;
    change();
  });
  part("clear").addEventListener("click", () => {
    Object.assign(state, { placed: [], clock: "" });
    part("event").focus();
    change();
  });

  showControls();
  return follow(draw);
}

export default { render };
