// Red flags, browser half. It asks the kernel and shows what comes back; nothing is computed here.

const SIGNS = { now: "!", today: "●", days: "○", above: "▲", across: "◆", below: "▽" };

const box = (id, list, { id: name, name: label, note, how }) => `
  <label class="rf-tick" data-taught><input type="checkbox" data-list="${list}" value="${name}" ${how ? `aria-describedby="${id}-${name}"` : ""}>
    <span>${label}${note ? ` <small>${note}</small>` : ""}</span></label>
  ${how ? `<p class="rf-how" data-taught id="${id}-${name}">${how}</p>` : ""}`;

const group = (id, about, name, legend) => `
  <fieldset class="rf-group"><legend>${legend}</legend>
    ${about.findings.filter((each) => each.group === name).map((each) => box(id, "findings", each)).join("")}</fieldset>`;

const crowd = (name) => `
  <figure class="rf-crowd" data-crowd="${name}"><figcaption data-taught><span></span><b></b></figcaption><div role="img" data-taught></div></figure>`;

const key = (kind, text) => `<li><svg viewBox="0 0 8 10" aria-hidden="true" class="rf-${kind}"><path
  d="M2.3,2.4a1.7,1.7 0 1,0 3.4,0a1.7,1.7 0 1,0 -3.4,0ZM1.4,8.7v-1.6a2.6,2.6 0 0,1 5.2,0v1.6Z"/></svg> ${text}</li>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <div class="rf-banner" data-part="banner"><h3 data-part="verdict" data-taught></h3><p data-part="below" data-taught></p></div>
  <div class="rf-desk">
    <fieldset><legend>${t("What warns of something else")}</legend>
      <div class="rf-flags">${about.flags.map((each) => box(id, "flags", each)).join("")}</div></fieldset>
    <section class="rf-act" aria-label="${t("What must be done")}"><h4>${t("What must be done, and by when")}</h4>
      <p class="vt-note" data-part="none" data-taught>${about.none}</p><ol data-part="actions" data-taught></ol></section>
  </div>
  <div class="rf-top">
    <div class="rf-desk">
      <fieldset><legend>${t("Where is the patient?")}</legend>
        ${about.settings.map(({ id: name, name: label, note }) => `
          <label class="rf-tick"><input type="radio" name="${id}-setting" value="${name}">
            <span data-taught>${label} <small>${note}</small></span></label>`).join("")}</fieldset>
      <div role="group" aria-label="${t("What speaks for a fracture")}"><h4>${t("What speaks for a fracture")}</h4>
        ${group(id, about, "History", t("History"))}${group(id, about, "Examination", t("Examination"))}</div>
      <div class="rf-threshold"><label for="${id}-threshold">${t("I take a picture from")}</label>
        <output for="${id}-threshold" data-part="share"></output>
        <input type="range" id="${id}-threshold" data-part="threshold" min="${about.thresholds[0]}" max="${about.thresholds[1]}" step="1"></div>
    </div>
    <section aria-label="${t("How likely is a fracture")}"><h4>${t("How likely is a fracture?")}</h4>
      <div class="rf-crowds">${crowd("before")}${crowd("after")}</div>
      <ul class="rf-key">${key("surely", t("fracture, even at the low end"))}${key("perhaps", t("fracture at the high end"))}${key("rest", t("no fracture"))}</ul>
      <div class="rf-chart" data-part="chart"></div>
      <p class="vt-note" data-part="caveats" data-taught></p></section>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <details><summary>${t("Where the numbers come from")}</summary><dl data-taught>${[...about.settings, ...about.findings]
    .map(({ name, says }) => `<dt>${name}</dt><dd>${says}</dd>`).join("")}</dl></details>
  <p class="vt-note">${t("Teaching, not medical advice.")}${t(" Not yet reviewed by a clinician.")} <span data-taught>${about.limits}</span></p>`;

const action = ({ tier, when, name, clock, who, what, refs }) => `
  <li class="rf-${tier}"><p class="rf-when"><b>${SIGNS[tier]} ${when}</b> <span>${clock}</span></p>
    <div><h5>${name}</h5><p>${what} <span class="rf-refs">${refs}</span></p><p class="rf-who"><b lang="${language}">${t("Who:")}</b> ${who}</p></div></li>`;

const bar = ({ kind, label, note, low, high, text }) => `
  <div class="rf-row rf-${kind}" style="--low:${100 * low}%;--high:${100 * high}%">
    <div class="rf-label" data-taught>${label}<small>${note}</small></div>
    <div class="rf-track"><span class="rf-bar"></span><span class="rf-value" data-taught>${text}</span></div></div>`;

function render({ model, el }) {
  const { id, root, part, state, ask, tell, follow } = opened(
    { model, el }, "rf", t("Red flags"), markup, t("Nothing changes"),
  );

  const showControls = () => {
    for (const input of root.querySelectorAll("[data-list]")) input.checked = state[input.dataset.list].includes(input.value);
    for (const input of root.querySelectorAll('[type="radio"]')) input.checked = input.value === state.setting;
    part("threshold").value = state.threshold;
    part("threshold").setAttribute("aria-valuetext", t("{percent} percent", { percent: state.threshold }));
    part("share").textContent = `${state.threshold} %`;
  };

  const showCrowd = ({ name, title, said, described, svg }) => {
    const figure = root.querySelector(`[data-crowd="${name}"]`);
    figure.querySelector("span").textContent = title;
    figure.querySelector("b").textContent = said;
    const picture = figure.querySelector("div");
    picture.setAttribute("aria-label", described);
    picture.innerHTML = svg.replaceAll("rf-id", id); // two of these widgets on a page must not share a pattern
  };

  const draw = ({ readout, crowds, rows, caveats, actions, threshold }) => {
    part("banner").className = `rf-banner rf-is-${readout.grade}`;
    part("verdict").textContent = `${SIGNS[readout.grade]} ${readout.verdict}`;
    part("below").textContent = readout.below;
    crowds.forEach(showCrowd);
    part("chart").style.setProperty("--threshold", `${100 * threshold}%`);
    part("chart").innerHTML = `${rows.map(bar).join("")}<div class="rf-row" aria-hidden="true"><div></div><div class="rf-axis">
      ${[0, 20, 40, 60, 80, 100].map((tick) => `<span style="left:${tick}%">${tick}${tick ? "" : " %"}</span>`).join("")}
      <b>${t("your threshold")}</b></div></div>`;
    part("caveats").textContent = caveats;
    part("actions").innerHTML = actions.map(action).join("");
    part("none").hidden = actions.length > 0;
    tell(readout.told);
  };

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.list) {
      const rest = state[target.dataset.list].filter((name) => name !== target.value);
      state[target.dataset.list] = target.checked ? [...rest, target.value] : rest;
    } else if (target.type === "radio") state.setting = target.value;
    else if (target.dataset.part === "threshold") state.threshold = Number(target.value);
    showControls();
    ask();
  });

  showControls();
  return follow(draw);
}

export default { render };
