// The own progress, browser half. Every number comes from the kernel and is only drawn here. QUIZ, which Python puts in
// front, is the quiz's module: what is practised is asked by the very quiz of the lessons.

const SHAPES = {
  secure: '<path d="M3 8.5l3.5 3.5L13 4.5"/>',
  fading: '<path d="M13 8a5 5 0 1 1-1.6-3.7M12.6 1.6v3h-3"/>',
  open: '<path d="M3 8h10"/>',
  weak: '<path d="M8 1.8L15 14H1z"/><path d="M8 6.2v3.6M8 11.7v.3"/>',
  few: '<path d="M3 8h.1M8 8h.1M13 8h.1"/>',
  unmet: '<circle cx="8" cy="8" r="5"/>',
};

const SHOWN = 8; // of what was sure and wrong, before the rest is folded away

const sign = (verdict) => `<span class="pg-sign pg-is-${verdict}"><svg viewBox="0 0 16 16" width="16" height="16" fill="none"
  stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${SHAPES[verdict]}</svg></span>`;

const hidden = (text) => `<span class="vt-visually-hidden">${text}</span>`;
const questions = (n) => tn("{n} question", "{n} questions", n);
const filmsOf = (n) => tn("{n} film", "{n} films", n);
const answers = (n) => tn("{n} answer", "{n} answers", n);

// What a newcomer will see, drawn small: a page that comes back, a dot and its interval, a curve, a warning.
const SKETCHES = [
  '<rect x="12" y="8" width="40" height="32" rx="4"/><path d="M12 17h40M22 4v8M42 4v8"/><path class="pg-ink" d="M24 28l6 6 11-11"/>',
  '<path d="M6 12h52M6 24h52M6 36h52" class="pg-faint"/><path class="pg-ink" d="M34 12h20M20 24h30M8 36h22"/><path class="pg-blob" d="M46 12h.1M36 24h.1M18 36h.1"/>',
  '<path d="M10 4v36h46"/><path d="M10 40L52 6" class="pg-faint"/><path class="pg-ink" d="M18 32l15-9 15-4"/><path class="pg-blob" d="M18 32h.1M33 23h.1M48 19h.1"/>',
  '<path class="pg-ink" d="M32 6L54 40H10z"/><path class="pg-ink" d="M32 18v10M32 33v.5"/>',
];

const SCALE = '<li class="pg-row pg-scale" aria-hidden="true"><span><span>0 %</span><span>100 %</span></span></li>';
const axis = (line) => `<i class="pg-line" style="left:${line}%"></i>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <p class="vt-alert pg-notice" data-part="notice" hidden></p>
  <div data-part="page">
    <div class="pg-head"><div><h3 tabindex="-1" data-part="title">${t("Where you stand")}</h3><p data-part="headline"></p></div>
      <button type="button" data-do="look">${t("Look again")}</button></div>
    <div data-part="welcome" hidden>
      <p class="pg-lead">${t("Nothing is here yet. Check your first answer in any lesson, or practise an objective below, and this page begins to know you.")}</p>
      <ul class="pg-parts">${about.parts.map(({ name, says }, i) => `
        <li><svg viewBox="0 0 64 44" aria-hidden="true">${SKETCHES[i]}</svg><strong>${name}</strong><span>${says}</span></li>`).join("")}</ul>
      <p>${t("A good beginning: the pre-test in {lesson}.", { lesson: link(about.start, "Pre-test", t("lesson 00")) })}</p>
    </div>
    <dl class="pg-tiles" data-part="tiles"></dl>
    <section class="pg-due" data-part="due" aria-labelledby="${id}-due"></section>
    <section aria-labelledby="${id}-mastery">
      <div class="pg-line-up"><h4 id="${id}-mastery">${t("Mastery of the {n} objectives", { n: about.objectives.length })}</h4>
        <label class="pg-filter"><input type="checkbox" data-part="filter"> ${t("Only what is weak or not met")}</label></div>
      <p class="vt-note">${t("The dot is the estimated share of the credit that you earn in an objective’s questions; the bar holds the true share with 90 % probability. The more you answer, the shorter it gets. The dashed line stands at two thirds.")}</p>
      <ul class="pg-legend" aria-label="${t("What the verdicts mean")}">${about.verdicts.map(({ id: verdict, name, means }) => `
        <li>${sign(verdict)}<span><strong>${name}</strong>: ${means}</span></li>`).join("")}</ul>
      <div data-part="mastery"></div>
      <p data-part="none" hidden>${t("Nothing is weak, and nothing is left to meet.")}</p>
    </section>
    <section data-part="calibrated" aria-labelledby="${id}-calibration">
      <h4 id="${id}-calibration">${t("Does your certainty fit?")}</h4>
      <p class="vt-note">${t("First answers only: a question that comes back is practice and no test. Each certainty pays in its band of probabilities; if yours fits, its dot lies in its shaded box. Whiskers are 95 % intervals.")}</p>
      <p><label for="${id}-group">${t("Show")} </label><select id="${id}-group" data-part="group"></select></p>
      <div class="pg-fit"><div class="pg-chart" data-part="chart"></div>
        <div><div data-part="lines"></div><div class="pg-scroll"><table data-part="levels"></table></div></div></div>
      <details><summary>${t("Lesson by lesson")}</summary>
        <p class="vt-note">${t("The box is the share of credit that your certainties claim, the dot what you earned.")}</p>
        <ul class="pg-rows" data-part="groups"></ul></details>
    </section>
    <section data-part="wrong" aria-labelledby="${id}-wrong"></section>
    <section aria-labelledby="${id}-kept"><h4 id="${id}-kept">${t("Where this is kept")}</h4>
      <p>${t("In the file {file} beside the lessons, on this computer only; nothing is sent anywhere. To go on at another computer, copy the folder {folder} into its folder {lessons}. A file of an earlier version is backed up before it is changed, and one that cannot be read is kept aside, never deleted.",
        { file: "<code>my_answers/progress.json</code>", folder: "<code>my_answers</code>", lessons: "<code>lessons</code>" })}</p></section>
    <p class="vt-note"><span data-taught>${about.limits}</span> ${t("Teaching, not medical advice.")}</p>
  </div>
  <div data-part="sitting" hidden>
    <div class="pg-back"><button type="button" data-do="back">${t("← Back to my progress")}</button>
      <p tabindex="-1" data-part="asked"></p></div>
    <div class="pg-quiz" data-part="quiz"></div>
    <div class="pg-back"><button type="button" data-do="back">${t("← Back to my progress")}</button></div>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told"></p>`;

// ---- Pieces of the page ---------------------------------------------------------------------------------------------

const tile = (name, value, note) => `<div><dt>${name}</dt><dd><b>${value}</b> ${note}</dd></div>`;

function dueSection(id, { items, films, lessons, coming }, about) {
  const most = Math.max(...lessons.map(({ n }) => n));
  const due = items && films ? t("{questions} and {films} are due.", { questions: questions(items), films: filmsOf(films) })
    : items ? tn("{n} question is due.", "{n} questions are due.", items)
    : films ? tn("{n} film is due.", "{n} films are due.", films) : t("Nothing is due now.");
  const now = items > about.sitting
    ? t("Practise the first {n} of {all}", { n: about.sitting, all: items }) : tn("Practise {n} question", "Practise {n} questions", items);
  return `<h4 id="${id}-due">${t("Due today")}</h4>
    <p class="pg-big">${due}</p>
    <p class="pg-actions">${items ? `<button type="button" class="vt-primary" data-practise="due">${now}</button>` : ""}
      ${films ? link(about.films, "", tn("Read {n} film in the gym of lesson 05", "Read {n} films in the gym of lesson 05", films)) : ""}</p>
    ${films ? `<p class="vt-note">${t("The gym mixes films that are due among new ones by itself.")}</p>` : ""}
    ${coming ? `<p class="vt-note">${t("To come: {coming}.", { coming })}</p>` : ""}
    ${items ? `<ul class="pg-lessons">${lessons.map(({ name, n }) => `
      <li><span data-taught>${name}</span><i style="width:${(100 * n) / most}%" aria-hidden="true"></i><b>${n}${hidden(` ${tn("question", "questions", n)}`)}</b></li>`).join("")}</ul>` : ""}`;
}

function row({ id, tier, tier_name: worth, text }, found, owed, about) {
  const name = about.verdicts.find((each) => each.id === found.verdict).name;
  const bar = found.n ? `<i class="pg-bar" style="left:${found.low}%;width:${found.high - found.low}%"></i><i class="pg-dot" style="left:${found.mean}%"></i>` : "";
  const met = found.of ? t("{n} of {all} {hidden}met", { n: found.n, all: found.of, hidden: hidden(t("questions ")) }) : t("no question yet");
  return `<li class="pg-row pg-is-${found.verdict}" data-objective="${id}">
    <p class="pg-what" data-taught><span class="pg-id">${id}</span> ${clean(text)} <span class="pg-tier pg-${tier}" lang="${language}">${worth}</span></p>
    <div class="pg-axis" aria-hidden="true">${axis(about.line)}${bar}</div>
    <p class="pg-told">${sign(found.verdict)} <strong>${name}</strong><span class="pg-met">${met}${owed ? t(", {owed} due", { owed }) : ""}</span>${hidden(` ${found.told}`)}</p>
    ${found.of ? `<button type="button" class="pg-small" data-practise="${id}">${t("Practise")}${hidden(` ${id}`)}</button>` : ""}</li>`;
}

// Stated certainty across, share earned upwards: a box where each certainty pays, the diagonal, dots with whiskers.
function curve(group, about) {
  const [left, top, size] = [44, 12, 240];
  const x = (value) => (left + (value / 100) * size).toFixed(1);
  const y = (value) => (top + size - (value / 100) * size).toFixed(1);
  const ticks = [0, 20, 40, 60, 80, 100];
  const points = group.levels.map((level, i) => ({ ...level, ...about.certainty[i] })).filter(({ n }) => n);
  const says = points.map(({ name, told, n }) => t("{certainty}: {share} of {answers}", { certainty: name, share: told, answers: answers(n) })).join("; ") || t("no answers yet");
  return `<svg viewBox="0 0 300 304" role="img" aria-label="${t("Calibration curve. {says}.", { says: clean(says) })}">
    ${about.certainty.map(({ band: [low, high] }) => `<rect class="pg-box" x="${x(low)}" y="${y(high)}" width="${x(high) - x(low)}" height="${y(low) - y(high)}"/>`).join("")}
    <path class="pg-grid" d="M${x(0)},${y(0)}H${x(100)}M${x(0)},${y(0)}V${y(100)}"/>
    <path class="pg-diagonal" d="M${x(0)},${y(0)}L${x(100)},${y(100)}"/>
    ${ticks.map((at) => `<text x="${x(at)}" y="${Number(y(0)) + 16}" text-anchor="middle">${at}</text><text x="${left - 7}" y="${Number(y(at)) + 4}" text-anchor="end">${at}</text>`).join("")}
    <text x="${x(50)}" y="${Number(y(0)) + 36}" text-anchor="middle">${t("certainty stated, %")}</text>
    <text transform="translate(12 ${y(50)}) rotate(-90)" text-anchor="middle">${t("credit earned, %")}</text>
    <path class="pg-curve" d="${points.map(({ stands, share }, i) => `${i ? "L" : "M"}${x(stands)},${y(share)}`).join("")}"/>
    ${points.map(({ stands, share, low, high }) => `<path class="pg-whisker" d="M${x(stands)},${y(low)}V${y(high)}m-5,0h10M${Number(x(stands)) - 5},${y(low)}h10"/><circle class="pg-point" cx="${x(stands)}" cy="${y(share)}" r="6"/>`).join("")}
  </svg>`;
}

function levelTable(group, about) {
  const rows = group.levels.map(({ n, told }, i) => {
    const { name, band } = about.certainty[i];
    return `<tr><th scope="row">${name}</th><td>${t("{from} to {to} %", { from: Math.round(band[0]), to: Math.round(band[1]) })}</td><td>${n}</td><td>${told}</td></tr>`;
  });
  return `<caption class="vt-visually-hidden">${t("Credit earned at each certainty")}</caption><thead><tr><th scope="col">${t("Certainty")}</th>
    <th scope="col">${t("pays at")}</th><th scope="col">${t("Answers")}</th><th scope="col">${t("Credit earned (95 %)")}</th></tr></thead><tbody>${rows.join("")}</tbody>`;
}

const FIT = { over: ["weak", t("over-confident")], under: ["open", t("under-confident")], fits: ["secure", t("fits")], early: ["few", t("too early")] };

function groupRow({ name, n, verdict, claimed: [from, to], earned: [share, low, high], brier }) {
  const [mark, word] = FIT[verdict];
  return `<li class="pg-row pg-is-${mark}"><p class="pg-what" data-taught>${name}</p>
    <div class="pg-axis" aria-hidden="true"><i class="pg-claim" style="left:${from}%;width:${to - from}%"></i>
      <i class="pg-bar" style="left:${low}%;width:${high - low}%"></i><i class="pg-dot" style="left:${share}%"></i></div>
    <p class="pg-told">${sign(mark)} <strong>${word}</strong><span class="pg-met">${answers(n)}, Brier ${brier}</span>${
    hidden(` ${t("Claimed {from} to {to} %, earned {share} %, 95 % interval {low} to {high} %.", { from, to, share, low, high })}`)}</p></li>`;
}

function wrongSection(id, sure, about) {
  const n = Math.min(sure.length, about.sitting);
  const mistakes = (found) => found.map((each) => `<p class="pg-mistake">${hidden(t("The mistake behind it: "))}<span data-taught>“${clean(each)}”</span></p>`).join("");
  const list = (some) => `<ul class="pg-wrong">${some.map(({ vignette, stem, lesson, file, when, mistakes: found }) => `
    <li>${sign("weak")}<div>${vignette ? `<p class="pg-case" data-taught>${clean(vignette)}</p>` : ""}<p class="pg-stem" data-taught>${clean(stem)}</p>${
    mistakes(found)}<p class="vt-note">${link(file, "", lesson)}, ${when}</p></div></li>`).join("")}</ul>`;
  const more = sure.slice(SHOWN);
  return `<h4 id="${id}-wrong">${t("Sure and wrong")}</h4>
    ${sure.length ? `<p class="vt-note">${t("You would have acted on these. They leave the list when you answer them rightly.")}</p>
    <p class="pg-actions"><button type="button" class="vt-primary" data-practise="sure">${n < sure.length ? t("Practise the latest {n}", { n }) : tn("Practise {n} question", "Practise {n} questions", n)}</button></p>
    ${list(sure.slice(0, SHOWN))}${more.length ? `<details><summary>${t("{n} more", { n: more.length })}</summary>${list(more)}</details>` : ""}`
    : `<p>${t("Nothing that you were certain of is wrong at present.")}</p>`}`;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

function render({ model, el }) {
  const { id, about, root, part, state, ask, tell, follow } = opened({ model, el }, "pg", t("My progress"), markup, t("Nothing is read"));
  const folded = new Map(); // lessons that the student opened or closed
  let group = "all";
  let leave; // ends the quiz that is on the page
  let last; // what was practised
  let returning = false; // from the quiz; once the page is drawn anew the focus goes back to where it came from

  // The quiz finds its traits among the page's; its `problem` is called `trouble` here, as the page has one of its own.
  const own = (name) => name.replace("problem", "trouble");
  const inner = {
    get: (name) => model.get(own(name)),
    set: (name, value) => model.set(own(name), value),
    save_changes: () => model.save_changes(),
    on: (event, heard) => model.on(own(event), heard),
    off: (event, heard) => model.off(own(event), heard),
  };

  function sit() {
    if (leave || !state.practise || model.get("quiz").sitting !== state.sitting) return;
    leave = QUIZ.render({ model: inner, el: part("quiz") });
    part("page").hidden = true;
    part("sitting").hidden = false;
    part("asked").textContent = tn("You practise {n} question. What you check goes into your progress.", "You practise {n} questions. What you check goes into your progress.",
      model.get("quiz").items.length);
    part("asked").focus();
    root.scrollIntoView({ block: "start" });
  }

  function rise() {
    leave?.();
    leave = undefined;
    part("quiz").replaceChildren();
    state.practise = "";
    part("sitting").hidden = true;
    part("page").hidden = false;
  }

  function drawMastery({ mastery, owed }) {
    const only = part("filter").checked;
    const wanted = ({ id: objective }) => !only || ["weak", "unmet"].includes(mastery[objective].verdict);
    const lessons = about.lessons.map((lesson) => [lesson, about.objectives.filter((each) => each.lesson === lesson.stem && wanted(each))]);
    part("mastery").innerHTML = lessons.filter(([, of]) => of.length).map(([{ stem, name }, of]) => {
      const met = of.some(({ id: objective }) => mastery[objective].n);
      const tally = of.map(({ id: objective }) => sign(mastery[objective].verdict)).join("");
      return `<details class="pg-group" data-lesson="${stem}" ${folded.get(stem) ?? (only || met) ? "open" : ""}>
        <summary><span data-taught>${name}</span><span class="pg-tally" aria-hidden="true">${tally}</span></summary>
        <ul class="pg-rows">${SCALE}${of.map((each) => row(each, mastery[each.id], owed[each.id], about)).join("")}</ul></details>`;
    }).join("");
    part("none").hidden = part("mastery").childElementCount > 0;
  }

  function drawCalibration({ calibration }) {
    const one = calibration.find((each) => each.id === group) ?? calibration[0];
    part("group").innerHTML = calibration.map(({ id: value, name, n }) => `<option value="${value}" ${value === one.id ? "selected" : ""}>${name} (${n})</option>`).join("");
    part("chart").innerHTML = curve(one, about);
    part("lines").innerHTML = one.lines.map((line, i) => `<p${i ? "" : ' class="pg-lead"'}>${line}</p>`).join("");
    part("levels").innerHTML = levelTable(one, about);
    part("groups").innerHTML = SCALE + calibration.slice(1).map(groupRow).join("");
  }

  const draw = (shown) => {
    // Answered, and no sitting begun: it was refused, and the reason stands above. After a double click the second still waits.
    if (!state.stale && shown.seq >= state.sent && shown.sitting !== state.sitting) Object.assign(state, { practise: "", sitting: shown.sitting });
    part("notice").textContent = shown.notice;
    part("notice").hidden = !shown.notice;
    part("headline").textContent = shown.headline;
    part("welcome").hidden = shown.met;
    for (const name of ["tiles", "due", "calibrated", "wrong"]) part(name).hidden = !shown.met;
    const { items, films } = shown.due;
    const { earned, most, again } = shown.marks;
    part("tiles").innerHTML = tile(t("Due now"), items + films, items + films ? "" : t("all done"))
      + tile(t("Likely secure"), shown.secure, t("of {n} objectives", { n: about.objectives.length }))
      + tile(t("Certainty marks"), earned, `${t("of {total}", { total: most })}${again ? `<small>${again}</small>` : ""}`)
      + tile(t("Sure and wrong"), shown.sure.length, shown.sure.length ? t("to put right") : "");
    part("due").innerHTML = dueSection(id, shown.due, about);
    part("wrong").innerHTML = wrongSection(id, shown.sure, about);
    drawMastery(shown);
    drawCalibration(shown);
    if (returning && shown.seq >= state.sent) {
      returning = false;
      const again = root.querySelector(`[data-practise="${last}"]`) ?? part("title"); // gone when its work is done
      again.focus();
      again.scrollIntoView({ block: "center" });
    }
    sit();
  };

  root.addEventListener("click", ({ target }) => {
    const button = target.closest("button[data-practise], button[data-do]");
    if (!button) return;
    const { practise, do: what } = button.dataset;
    if (practise) {
      last = practise;
      Object.assign(state, { practise, sitting: state.sitting + 1 });
      ask();
    } else if (what === "back") {
      rise();
      returning = true;
      part("title").focus();
      ask();
    } else {
      ask();
      tell(t("Read again."));
    }
  });
  part("filter").addEventListener("change", () => {
    folded.clear();
    drawMastery(model.get("shown"));
    tell(tn("{n} objective shown.", "{n} objectives shown.", root.querySelectorAll("[data-objective]").length));
  });
  part("mastery").addEventListener("click", ({ target }) => {
    const fold = target.closest("summary")?.parentElement;
    if (fold) folded.set(fold.dataset.lesson, !fold.open);
  });
  part("group").addEventListener("change", ({ target }) => {
    group = target.value;
    drawCalibration(model.get("shown"));
    tell(part("lines").textContent);
  });

  model.on("change:quiz", sit);
  return follow(draw, () => {
    model.off("change:quiz", sit);
    leave?.();
  });
}

export default { render };
