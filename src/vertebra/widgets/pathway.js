// The decision pathway, browser half. The kernel walks and draws; here a step is chosen and shown.

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <div class="pt-desk">${invented(id, about)}
    <details><summary>${t("Set the findings yourself")}</summary>
      <div class="pt-groups">${about.groups.map((each) => fieldGroup(id, each)).join("")}</div></details>
  </div>
  <div class="pw-now">
    <div class="pw-buttons"><button type="button" data-go="-1">${t("← Back")}</button>
      <button type="button" class="vt-primary" data-go="1">${t("Next step →")}</button>
      <button type="button" data-go="all">${t("To the end")}</button>
      <span class="pw-count" data-part="count"></span></div>
    <div data-part="now" data-taught></div>
  </div>
  <p class="pw-verdict" data-part="verdict" hidden></p>
  <div class="pw-asked" data-part="asked" hidden></div>
  <div class="pw-map" data-part="map" role="region" tabindex="0" aria-label="${t("Flow chart, scrolls")}">
    <div data-part="drawing" role="img" aria-label="${t("Flow chart of the pathway. The way so far is marked; it stands as text in the list of steps.")}"></div></div>
  <details><summary>${t("All steps so far, as text")}</summary><ol class="pw-steps" data-part="steps" data-taught></ol></details>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>
  <p class="vt-note" data-taught>${about.limits}</p>`;

const stepText = ({ title, why, says, clock, haste, refs }) => `
  <strong>${title}</strong>${clock ? ` <span class="pw-clock pw-${haste}">${clock}</span>` : ""}
  ${why ? `<span class="pw-why">${why}</span>` : ""}<span class="pw-says">${says} [${refs}]</span>`;

function render({ model, el }) {
  const desk = opened({ model, el }, "pw", t("Decision pathway"), markup, t("Nothing moves"));
  const { root, part, state, ask, tell, follow } = desk;

  const go = (step) => {
    state.step = step;
    ask();
  };

  const draw = (shown) => {
    state.step = shown.step;
    part("drawing").innerHTML = shown.drawing;
    part("now").innerHTML = stepText(shown.steps.at(-1));
    part("count").textContent = t("Step {n} of {all}", { n: shown.step + 1, all: shown.last + 1 });
    part("steps").innerHTML = shown.steps.map((step) => `<li>${stepText(step)}</li>`).join("");
    part("verdict").hidden = !shown.verdict;
    part("verdict").textContent = shown.verdict && t("The path led to: {end}", { end: shown.verdict });
    part("asked").hidden = !shown.asked.length;
    part("asked").innerHTML = `<strong>${t("Not known on the way, and to be found out:")}</strong> <span data-taught>${shown.asked.join(" ")}</span>`;
    // A button that is about to be disabled hands its focus on, or the keyboard would start again at the top.
    const [back, next, all] = root.querySelectorAll("[data-go]");
    const atEnd = shown.step === shown.last;
    const held = document.activeElement;
    back.disabled = shown.step === 0;
    next.disabled = all.disabled = atEnd;
    if (atEnd && (held === next || held === all)) back.focus();
    if (shown.step === 0 && held === back) next.focus();
    const map = part("map");
    const scale = map.querySelector("svg").getBoundingClientRect().width / map.querySelector("svg").viewBox.baseVal.width;
    const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    map.scrollTo({
      left: shown.at[0] * scale - map.clientWidth / 2,
      top: shown.at[1] * scale - map.clientHeight / 2,
      behavior: root.dataset.seq === undefined ? "instant" : smooth,
    });
    tell(shown.told);
  };

  root.addEventListener("click", ({ target }) => {
    const { go: way } = target.dataset;
    if (way) go(way === "all" ? model.get("shown").last : state.step + Number(way));
  });

  // Another patient begins at the beginning.
  patientControls(desk, () => go(0));
  return follow(draw);
}

export default { render };
