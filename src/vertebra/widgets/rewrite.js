// Rewrite a paragraph for a patient, browser half. The kernel counts in the text and keeps it.

const PAUSE = 350; // ms after the last key before the kernel is asked
const NAMES = {
  numbers: t("Numbers"), comparator: t("Comparator"), harms: t("Harms"), alternatives: t("Alternatives"), doubt: t("Uncertainty"),
  absolutes: t("No promises"), grade: t("Reading grade"),
};
const VERDICTS = { supported: t("✓ Supported"), oversimplified: t("◐ Oversimplified"), contradicted: t("✕ Contradicted") };

const markup = (id, about) => `
  <h3>${t("Rewrite it for a patient")}</h3>
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <p class="vt-alert" role="alert" data-part="note" hidden></p>
  <div class="rw-pick"><label for="${id}-exercise">${t("Paragraph")}</label>
    <select id="${id}-exercise" data-part="exercise">${about.exercises.map(({ id: name, title }) => `<option value="${name}" data-taught>${clean(title)}</option>`).join("")}</select></div>
  <p data-part="reader" data-taught></p>
  <blockquote class="rw-text" data-part="text" data-taught></blockquote>
  <div class="rw-desk">
    <div><label for="${id}-draft" class="rw-label">${t("Your text, for this patient")}</label>
      <textarea id="${id}-draft" data-taught data-part="draft" rows="14" maxlength="${about.longest}" aria-describedby="${id}-counted"></textarea>
      <p class="vt-note" id="${id}-counted" data-part="counted"></p></div>
    <div><h4>${t("Counted as you write")}</h4><ul class="rw-checks" data-part="checks"></ul>
      <details class="rw-limits"><summary>${t("What counting cannot see")}</summary><p data-taught>${clean(about.limits)}</p></details></div>
  </div>
  <fieldset class="rw-asks"><legend>${t("Judge these yourself")}</legend><div data-part="asks" data-taught></div></fieldset>
  <p class="rw-actions"><button type="button" class="vt-primary" data-part="compare">${t("Show a model answer")}</button>
    <span class="rw-wait" role="alert" data-part="wait"></span></p>
  <div data-part="model" tabindex="-1"></div>
  <p class="vt-visually-hidden" role="status" data-part="told"></p>
  <p class="vt-note">${t("Teaching, not medical advice; not reviewed by a clinician.")}</p>`;

function render({ model, el }) {
  const { id, about, root, part, state, ask, tell, follow } = opened(
    { model, el }, "rw", t("Rewrite it for a patient"), markup, t("Nothing is counted or kept"),
  );
  const exercises = new Map(about.exercises.map((each) => [each.id, each]));
  const drafts = new Map(about.exercises.map((each) => [each.id, each.draft]));
  drafts.set(state.exercise, state.text); // this page may have been opened again
  let later;

  const showExercise = () => {
    const each = exercises.get(state.exercise);
    part("exercise").value = each.id;
    part("reader").textContent = each.reader;
    part("text").textContent = each.text;
    part("draft").value = state.text;
    part("asks").innerHTML = each.asks.map((text) => `<label class="rw-ask"><input type="checkbox"> <span>${clean(text)}</span></label>`).join("");
  };
  const showChecks = ({ checks, told }) => {
    part("checks").innerHTML = checks
      .map((check) => `<li class="${check.met ? "rw-met" : "rw-open"}"><span class="rw-sign" aria-hidden="true">${check.met ? "✓" : "○"}</span>
        <div><b>${NAMES[check.id]}</b>: <span data-taught>${clean(check.wanted)}</span> <span class="vt-visually-hidden">${check.met ? t("met") : t("not met")}</span>
        ${check.found ? `<span class="rw-found" data-taught>${clean(check.found)}</span>` : ""}</div></li>`)
      .join("");
    part("counted").textContent = told;
    tell(told, 1200);
  };
  const showModel = ({ model: answer, wait }) => {
    part("wait").textContent = wait;
    if (!answer) {
      part("model").innerHTML = "";
      return;
    }
    if (part("model").innerHTML) return;
    part("model").innerHTML = `<div class="rw-model"><h4>${t("A model answer, not the only one")}</h4><p data-taught>${clean(answer.text)}</p>
      <details><summary>${t("Its sources")}</summary><ul class="rw-sources" data-taught>${answer.sources
        .map(({ id: ref, citation, status }) => `<li><b>[${clean(ref)}]</b> ${clean(citation)} <em>(${clean(status)})</em></li>`).join("")}</ul></details>
      <h4>${t("The paragraph was made of these claims")}</h4><ul class="rw-claims" data-taught>${answer.claims
        .map(({ claim, verdict, appraisal, refs }) => `<li><span class="rw-${verdict}">${VERDICTS[verdict]}</span> “${clean(claim)}” ${clean(appraisal)} <span class="rw-found">[${refs.map(clean).join("; ")}]</span></li>`)
        .join("")}</ul></div>`;
    part("model").focus({ preventScroll: true });
  };
  const draw = (shown) => {
    part("note").textContent = shown.note;
    part("note").hidden = !shown.note;
    if (shown.exercise === state.exercise) {
      showChecks(shown);
      showModel(shown);
    }
  };

  const send = () => {
    clearTimeout(later);
    later = undefined;
    ask();
  };
  part("draft").addEventListener("input", ({ target }) => {
    state.text = target.value;
    drafts.set(state.exercise, state.text);
    clearTimeout(later);
    later = setTimeout(send, PAUSE);
  });
  part("draft").addEventListener("blur", () => later && send());
  part("exercise").addEventListener("change", ({ target }) => {
    if (later) send(); // or the last words would be lost
    Object.assign(state, { exercise: target.value, text: drafts.get(target.value), compare: false });
    part("model").innerHTML = "";
    showExercise();
    send();
  });
  part("compare").addEventListener("click", () => {
    state.compare = true;
    send();
  });
  showExercise();
  return follow(draw, () => clearTimeout(later));
}

export default { render };
