// The claim ledger, browser half. All claims are here, so filters, search and verdicts are instant; the kernel keeps what
// was judged and counts the score.

const SIGNS = { supported: "✓", oversimplified: "◐", contradicted: "✕", "conflicts-with-other-leaflet": "⇄" };
const CONFLICT = "conflicts-with-other-leaflet";
const OPENING = 2500; // ms that JupyterLab may need to draw a lesson
const VIEWS = { judge: t("Judge"), conflicts: t("Conflicts"), omissions: t("Left out"), score: t("Score") };

const options = (pairs, all, taught = " data-taught") => [["", all], ...pairs].map(([value, text]) => `<option value="${clean(value)}"${value ? taught : ""}>${clean(text)}</option>`).join("");
const unique = (values) => [...new Set(values)];
const isRight = (claim, call) => (call === CONFLICT ? claim.conflicts.length > 0 : claim.verdict === call);

const markup = (id, about) => {
  const topics = unique(about.claims.map((claim) => claim.topic)).sort();
  const lessons = unique(about.claims.map((claim) => claim.place.lesson)).sort();
  const pick = (name, label, choices) =>
    `<div><label for="${id}-${name}">${label}</label><select id="${id}-${name}" data-filter="${name}">${choices}</select></div>`;
  return `
  <div class="cl-head"><h3>${t("Claim ledger")}</h3><p data-part="progress" class="cl-progress" role="status"></p></div>
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <p class="vt-alert" role="alert" data-part="note" hidden></p>
  <div class="cl-tabs" role="tablist" aria-label="${t("Views of the ledger")}">${Object.entries(VIEWS)
    .map(([name, label]) => `<button type="button" role="tab" id="${id}-tab-${name}" data-tab="${name}" aria-controls="${id}-view-${name}">${label}</button>`)
    .join("")}</div>
  <div role="tabpanel" id="${id}-view-judge" data-view="judge" aria-labelledby="${id}-tab-judge">
    <div class="cl-filters" role="search" aria-label="${t("Find claims")}">
      ${pick("leaflet", t("Leaflet"), options(about.leaflets.map(({ id, what }) => [id, `${id}: ${what}`]), t("all five")))}
      ${pick("topic", t("Topic"), options(topics.map((topic) => [topic, topic]), t("all")))}
      ${pick("lesson", t("Lesson"), options(lessons.map((lesson) => [lesson, lesson]), t("all")))}
      ${pick("state", t("Show"), options([["open", t("not judged yet")], ["done", t("judged")], ["wrong", t("judged wrong")]], t("all"), ""))}
      <div class="cl-find"><label for="${id}-find">${t("Search")}</label><input type="text" id="${id}-find" data-filter="words" autocomplete="off" spellcheck="false"></div>
    </div>
    <div class="cl-desk">
      <div class="cl-side">
        <p class="vt-note" data-part="count" id="${id}-count" role="status"></p>
        <ul class="cl-list" role="listbox" tabindex="0" aria-label="${t("Claims")}" aria-describedby="${id}-count" data-part="list"></ul>
        <p class="cl-print"><button type="button" data-part="print">${t("Print this list")}</button></p>
      </div>
      <article class="cl-card" data-part="card" aria-label="${t("The claim")}"></article>
    </div>
  </div>
  <div role="tabpanel" id="${id}-view-conflicts" data-view="conflicts" aria-labelledby="${id}-tab-conflicts" hidden>
    <p>${t("Where two leaflets cannot both be right, one of them has to be read again. Open a conflict to see both sides, what the literature says, and the line this course takes.")}</p>
    <div data-part="conflicts"></div></div>
  <div role="tabpanel" id="${id}-view-omissions" data-view="omissions" aria-labelledby="${id}-tab-omissions" hidden>
    <p>${t("What a page does not say misleads as well as what it says.")}</p>
    <div class="cl-scroll" tabindex="0" role="region" aria-label="${t("What the leaflets leave out")}"><table class="cl-gaps" data-part="omissions"></table></div></div>
  <div role="tabpanel" id="${id}-view-score" data-view="score" aria-labelledby="${id}-tab-score" hidden><div data-part="score"></div></div>
  <p class="vt-visually-hidden" role="status" data-part="told"></p>
  <p class="vt-note">${t("Teaching, not medical advice.")} <span data-taught>${clean(about.limits)}</span></p>`;
};

const section = ({ file, anchor, lesson, section: name }) => link(file, anchor, `${lesson}: ${name}`);

function render({ model, el }) {
  const { id, about, root, part, state, ask, print, follow } = opened(
    { model, el }, "cl", t("Claim ledger"), markup, t("Nothing is kept"),
  );
  const known = new Map(about.claims.map((claim) => [claim.id, claim]));
  const conflictOf = new Map(about.conflicts.map((each) => [each.id, each]));
  const names = Object.fromEntries(about.calls.map((call) => [call.id, call.name]));
  const words = new Map(about.claims.map((claim) => [claim.id, `${claim.id} ${claim.claim} ${claim.topic}`.toLowerCase()]));
  const filters = { leaflet: "", topic: "", lesson: "", state: "", words: "" };
  let current = (about.claims.find((claim) => !state.judged[claim.id]) ?? about.claims[0]).id;

  const sources = (refs) => `<ul class="cl-sources">${refs
    .map((ref) =>
      ref === "unreferenced"
        ? `<li><b>[unreferenced]</b> ${t("accepted teaching for which we have checked no source")}</li>`
        : `<li data-taught><b>[${clean(ref)}]</b> ${clean(about.sources[ref].citation)} <em>(${clean(about.sources[ref].status)})</em></li>`)
    .join("")}</ul>`;
  const mark = (call) => `<span class="cl-mark cl-${call}"><span aria-hidden="true">${SIGNS[call]}</span> ${clean(names[call])}</span>`;

  // --- the list

  const rows = new Map();
  for (const claim of about.claims) {
    const row = document.createElement("li");
    row.id = `${id}-${claim.id}`;
    row.setAttribute("role", "option");
    row.dataset.claim = claim.id;
    row.innerHTML = `<b class="cl-letter">${claim.leaflet}</b><span class="cl-words" data-taught>${clean(claim.claim)}</span><span class="cl-sign" data-sign></span>`;
    rows.set(claim.id, row);
  }
  part("list").append(...rows.values());

  const matches = (claim) => {
    const said = state.judged[claim.id];
    return (
      (!filters.leaflet || claim.leaflet === filters.leaflet) &&
      (!filters.topic || claim.topic === filters.topic) &&
      (!filters.lesson || claim.place.lesson === filters.lesson) &&
      (!filters.state || (filters.state === "open" ? !said : filters.state === "done" ? said : said && !isRight(claim, said.answer))) &&
      filters.words.split(/\s+/).every((word) => words.get(claim.id).includes(word))
    );
  };
  // What the list shows is settled when a filter changes: judging must not pull the claim away from under the reader.
  let listed = [];
  const sift = () => {
    listed = about.claims.filter(matches).map((claim) => claim.id);
    const seen = new Set(listed);
    for (const [name, row] of rows) row.hidden = !seen.has(name);
    part("count").textContent = t("{n} of {all} claims", { n: listed.length, all: about.claims.length });
    part("print").disabled = !listed.length;
    if (listed.length && !seen.has(current)) choose(listed[0]);
    else showCurrent();
  };
  const showSigns = (name) => {
    const [row, claim, said] = [rows.get(name), known.get(name), state.judged[name]];
    const sign = row.querySelector("[data-sign]");
    const right = said && isRight(claim, said.answer);
    sign.textContent = said ? (right ? "✓" : "✕") : "";
    sign.className = `cl-sign ${said ? (right ? "cl-good" : "cl-bad") : ""}`;
    row.setAttribute("aria-label", `${t("Leaflet {letter}: {claim}", { letter: claim.leaflet, claim: claim.claim })} ${said ? (right ? t("Judged right.") : t("Judged wrong.")) : t("Not judged.")}`);
  };
  const showCurrent = () => {
    for (const [name, row] of rows) row.setAttribute("aria-selected", String(name === current && !row.hidden));
    const row = rows.get(current);
    if (row.hidden) part("list").removeAttribute("aria-activedescendant");
    else {
      part("list").setAttribute("aria-activedescendant", row.id);
      // Not scrollIntoView, which would move the page as well.
      const list = part("list");
      if (row.offsetTop < list.scrollTop) list.scrollTop = row.offsetTop;
      else if (row.offsetTop + row.offsetHeight > list.scrollTop + list.clientHeight)
        list.scrollTop = row.offsetTop + row.offsetHeight - list.clientHeight;
    }
  };
  const choose = (name) => {
    current = name;
    showCurrent();
    showCard();
  };

  // --- one claim

  const showCard = () => {
    const claim = known.get(current);
    const said = state.judged[current];
    const head = `<p class="cl-kicker">${t("Leaflet {letter}", { letter: claim.leaflet })} · <span data-taught>${clean(claim.topic)}</span> · <span class="cl-id">${claim.id}</span></p>
      <blockquote class="cl-claim" data-taught>${clean(claim.claim)}</blockquote>`;
    part("card").innerHTML = head + (said ? verdict(claim, said) : form());
    part("card").dataset.claim = current;
  };

  const form = () => `<form data-part="form">
    <fieldset class="cl-calls"><legend>${t("What do you call it?")}</legend>${about.calls
      .map((call) => `<label><input type="radio" name="${id}-call" value="${call.id}"> <span><b>${clean(call.name)}</b> <span class="cl-means">${clean(call.means)}</span></span></label>`)
      .join("")}</fieldset>
    <fieldset class="cl-sure"><legend>${t("How sure are you?")} <span class="cl-means">${t("(if you like)")}</span></legend>${about.certainty
      .map(({ level, name }) => `<label><input type="radio" name="${id}-sure" value="${level}"> ${clean(name)}</label>`).join("")}</fieldset>
    <p class="cl-error" role="alert" data-part="missing"></p>
    <p class="cl-actions"><button type="submit" class="vt-primary">${t("Judge")}</button>
      <button type="button" data-next>${t("Skip")}</button></p></form>`;

  const verdict = (claim, said) => {
    const right = isRight(claim, said.answer);
    const sure = said.certainty ? `, ${about.certainty.find(({ level }) => level === said.certainty).name}` : "";
    const clashes = claim.conflicts.map((name) => {
      const each = conflictOf.get(name);
      const other = each.sides.find((side) => !side.includes(claim.id));
      return `<li><b data-taught>${clean(each.title)}.</b> ${t("Against it:")} ${other
        .map((x) => `${t("leaflet {letter}", { letter: known.get(x).leaflet })}, <span data-taught>“${clean(known.get(x).claim)}”</span>`).join("; ")}
        <button type="button" class="cl-small" data-conflict="${name}">${t("Show this conflict")}</button></li>`;
    });
    const questions = claim.questions.length
      ? claim.questions.map((each) => link(each.file, "Quiz", `${each.lesson}, ${t("question {n}", { n: each.number })}`)).join("; ")
      : t("no question yet");
    return `<div class="cl-verdict cl-${claim.verdict}" tabindex="-1" data-part="verdict">
        <p class="cl-line"><strong>${right ? `✓ ${t("Right")}` : `✕ ${t("Not so")}`}.</strong> ${t("You said: {verdict}.", { verdict: clean(`${names[said.answer]}${sure}`) })}</p>
        <p class="cl-line">${t("The literature:")} ${mark(claim.verdict)}${claim.conflicts.length ? ` ${t("and the leaflets conflict")}` : ""}</p>
        <p class="cl-appraisal" data-taught>${clean(claim.appraisal)}</p></div>
      <h4>${t("It stands on")}</h4>${sources(claim.refs)}
      ${claim.confidence ? `<p class="vt-note">${t("How sure the authors are of the part without a source: {certainty}.", { certainty: clean(claim.confidence) })}</p>` : ""}
      ${clashes.length ? `<h4>${t("Another leaflet says otherwise")}</h4><ul class="cl-clashes">${clashes.join("")}</ul>` : ""}
      <dl class="cl-where"><div><dt>${t("Taught in")}</dt><dd data-taught>${section(claim.place)}</dd></div><div><dt>${t("Tested by")}</dt><dd>${questions}</dd></div></dl>
      <p class="cl-actions"><button type="button" class="vt-primary" data-next>${t("Next claim")}</button>
        <button type="button" data-part="again">${t("Judge it again")}</button></p>`;
  };

  const judge = () => {
    const call = root.querySelector(`input[name="${id}-call"]:checked`);
    if (!call) {
      part("missing").textContent = t("Choose one of the four first.");
      return;
    }
    const sure = root.querySelector(`input[name="${id}-sure"]:checked`);
    state.judged = { ...state.judged, [current]: { answer: call.value, certainty: sure ? Number(sure.value) : null } };
    showSigns(current);
    showCard();
    part("verdict").focus({ preventScroll: true });
    part("told").textContent = part("verdict").textContent.replace(/\s+/g, " ").trim();
    ask();
  };
  const again = () => {
    const { [current]: gone, ...rest } = state.judged;
    state.judged = rest;
    showSigns(current);
    showCard();
    root.querySelector(`input[name="${id}-call"]`).focus();
    ask();
  };
  // The next in the list that is not judged; if all are, simply the next.
  const next = () => {
    if (!listed.length) return;
    const at = listed.indexOf(current);
    const round = [...listed.slice(at + 1), ...listed.slice(0, at + 1)];
    choose(round.find((name) => name !== current && !state.judged[name]) ?? round[0]);
    part("card").querySelector("input, button")?.focus();
  };

  // --- conflicts, omissions, score

  part("conflicts").innerHTML = about.conflicts
    .map((each) => {
      const side = (ids, name) => `<div class="cl-half"><h4>${t("Side {letter}", { letter: name })}</h4><ul>${ids
        .map((x) => `<li><b class="cl-letter">${known.get(x).leaflet}</b><button type="button" class="cl-plain" data-taught data-claim="${x}">${clean(known.get(x).claim)}</button></li>`)
        .join("")}</ul></div>`;
      return `<details class="cl-conflict" data-id="${each.id}"><summary data-taught>${clean(each.title)}</summary>
        <div class="cl-sides">${side(each.sides[0], "A")}${side(each.sides[1], "B")}</div>
        <p><b>${t("The literature.")}</b> <span data-taught>${clean(each.literature)}</span></p><p><b>${t("This course.")}</b> <span data-taught>${clean(each.line)}</span></p>${sources(each.refs)}
        <p>${t("Taught in")} <span data-taught>${section(each.place)}</span></p></details>`;
    })
    .join("");

  const letters = about.leaflets.map(({ id: letter }) => letter);
  part("omissions").innerHTML = `<caption class="vt-visually-hidden">${t("What each leaflet leaves out")}</caption>
    <thead><tr><th scope="col">${t("Left out")}</th>${letters.map((letter) => `<th scope="col">${letter}</th>`).join("")}<th scope="col">${t("Why it matters")}</th></tr></thead>
    <tbody>${about.omissions
      .map((each) => `<tr><th scope="row" data-taught>${clean(each.missing)}</th>${letters
        .map((letter) => (each.leaflets.includes(letter)
          ? `<td class="cl-out"><span aria-hidden="true">✕</span><span class="vt-visually-hidden">${t("left out")}</span></td>`
          : `<td class="cl-in"><span aria-hidden="true">·</span><span class="vt-visually-hidden">${t("not listed as left out")}</span></td>`))
        .join("")}<td class="cl-why" data-taught>${clean(each.why)} <span class="cl-refs">[${each.refs.map(clean).join("; ")}]</span> ${section(each.place)}</td></tr>`)
      .join("")}</tbody>`;

  const showScore = ({ score, note }) => {
    part("note").textContent = note;
    part("note").hidden = !note;
    part("progress").textContent = score.lines[0];
    const fooled = score.fooled.filter((name) => known.has(name));
    part("score").innerHTML = `${score.lines.map((line) => `<p>${clean(line)}</p>`).join("")}
      <div class="cl-scroll" tabindex="0" role="region" aria-label="${t("What you said against what the literature says")}"><table class="cl-table">
        <caption>${t("What you said (rows) against what the literature says (columns)")}</caption>
        <thead><tr><th scope="col">${t("You said")}</th>${about.calls.filter((call) => call.id !== CONFLICT).map((call) => `<th scope="col">${clean(call.name)}</th>`).join("")}<th scope="col">${t("You were right")}</th></tr></thead>
        <tbody>${score.rows
          .map((row, i) => `<tr><th scope="row">${clean(row.name)}</th>${row.cells
            .map((n, j) => `<td${i === j ? ' class="cl-hit"' : ""}>${n}</td>`).join("")}<td>${row.right}</td></tr>`)
          .join("")}</tbody></table></div>
      <p class="vt-note">${t("<b>The leaflets conflict</b> counts as right where another leaflet says otherwise, whatever the literature's verdict is.")}</p>
      ${fooled.length ? `<h4>${t("You called these supported, and they are not")}</h4><ul class="cl-fooled">${fooled
        .map((name) => `<li><b class="cl-letter">${known.get(name).leaflet}</b><button type="button" class="cl-plain" data-taught data-claim="${name}">${clean(known.get(name).claim)}</button> ${mark(known.get(name).verdict)}</li>`)
        .join("")}</ul>` : ""}
      ${score.judged ? `<p class="cl-actions"><button type="button" data-part="forget">${t("Forget all judgements")}</button> <span data-part="sure" hidden>${t("Really?")} <button type="button" data-part="yes">${t("Yes, begin again")}</button> <button type="button" data-part="no">${t("No, keep them")}</button></span></p>` : ""}`;
  };
  const forget = () => {
    state.judged = {};
    for (const name of rows.keys()) showSigns(name);
    sift();
    showCard();
    ask();
  };

  const turn = (name, focus) => {
    for (const tab of root.querySelectorAll("[data-tab]")) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen && focus) tab.focus();
    }
    for (const view of root.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== name;
  };
  const open = (name) => {
    turn("judge");
    if (!listed.includes(name)) {
      for (const key of Object.keys(filters)) filters[key] = "";
      for (const control of root.querySelectorAll("[data-filter]")) control.value = "";
      sift();
    }
    choose(name);
    part("card").querySelector("input, button")?.focus();
  };

  // --- on paper: what the list shows

  const sheet = () => {
    const body = listed
      .map((name) => {
        const [claim, said] = [known.get(name), state.judged[name]];
        const boxes = about.calls.map((call) => `☐ ${clean(call.name)}`).join("<br>");
        return `<tr><td>${claim.leaflet}</td><td lang="en">${clean(claim.claim)}</td><td>${said ? `${t("You: {verdict}", { verdict: clean(names[said.answer]) })}<br><b>${clean(names[claim.verdict])}</b>` : boxes}</td>
          <td lang="en">${said ? `${clean(claim.appraisal)} [${claim.refs.map(clean).join("; ")}]` : ""}</td></tr>`;
      })
      .join("");
    return `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${t("Claim ledger")}</title><style>
      body { font: 10pt/1.35 system-ui, sans-serif; color: #000; } table { width: 100%; border-collapse: collapse; }
      th, td { padding: 3pt 5pt; border: 0.5pt solid #777; text-align: left; vertical-align: top; } tr { break-inside: avoid; }
      td:nth-child(2) { width: 36%; } td:nth-child(3) { width: 20%; }</style></head><body><h1>${t("Claim ledger")}</h1>
      <p>${tn("{n} claim.", "{n} claims.", listed.length)} ${clean(about.limits)} ${t("Teaching, not medical advice.")}</p>
      <table><thead><tr><th>${t("Leaflet")}</th><th>${t("Claim")}</th><th>${t("Verdict")}</th><th>${t("Appraisal")}</th></tr></thead><tbody>${body}</tbody></table></body></html>`;
  };

  // --- events

  root.addEventListener("submit", (event) => {
    event.preventDefault();
    judge();
  });
  root.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    const away = at("a[data-commandlinker-command]");
    // JupyterLab forgets the section while it opens a lesson that was not open: so it is asked once more.
    if (away && event.isTrusted && !event.ctrlKey && !event.metaKey) setTimeout(() => away.click(), OPENING);
    const [tab, row, claim, conflict] = [at("[data-tab]"), at('[role="option"]'), at("button[data-claim]"), at("[data-conflict]")];
    if (tab) turn(tab.dataset.tab);
    else if (row) choose(row.dataset.claim);
    else if (claim) open(claim.dataset.claim);
    else if (conflict) {
      turn("conflicts");
      const found = root.querySelector(`details[data-id="${conflict.dataset.conflict}"]`);
      found.open = true;
      found.scrollIntoView({ block: "nearest" });
      found.querySelector("summary").focus();
    } else if (at("[data-next]")) next();
    else if (at('[data-part="again"]')) again();
    else if (at('[data-part="print"]')) print(sheet());
    else if (at('[data-part="forget"]')) {
      part("sure").hidden = false;
      part("yes").focus();
    } else if (at('[data-part="yes"]')) {
      forget();
      root.querySelector('[data-tab="score"]').focus();
    } else if (at('[data-part="no"]')) {
      part("sure").hidden = true;
      part("forget").focus();
    }
  });
  root.addEventListener("input", (event) => {
    const { filter } = event.target.dataset;
    if (filter) {
      filters[filter] = event.target.value.trim().toLowerCase();
      // A leaflet, topic or lesson is taken as it is written.
      if (filter !== "words") filters[filter] = event.target.value;
      sift();
    }
  });
  root.addEventListener("change", (event) => {
    if (event.target.name === `${id}-call`) part("missing").textContent = "";
  });
  part("list").addEventListener("keydown", (event) => {
    const at = listed.indexOf(current);
    const step = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: listed.length - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
    if (step === undefined || !listed.length) return;
    event.preventDefault();
    choose(listed[Math.min(Math.max(step, 0), listed.length - 1)]);
  });
  root.querySelector('[role="tablist"]').addEventListener("keydown", (event) => {
    const all = Object.keys(VIEWS);
    const at = all.indexOf(event.target.dataset.tab);
    const step = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    turn(all[(step + all.length) % all.length], true);
  });

  for (const name of rows.keys()) showSigns(name);
  turn("judge");
  sift();
  showCard();
  return follow(showScore);
}

export default { render };
