// An unfolding case, browser half. It shows a scene, collects a choice and sends all choices made so far; what came of
// them comes from the kernel. The key reaches this side only when the case is over. `asking.js` stands before this file.

const TELLS = { right: "✓", part: "◐", wrong: "✗", plain: "○" };
const AGAIN = 400; // ms after which a picture that was not yet drawn is asked for again
const DOUBLE = 600; // ms within which a second press belongs to the first
const paragraphs = (texts) => texts.map((text) => `<p>${clean(text)}</p>`).join("");
const list = (texts) => `<ul>${texts.map((text) => `<li>${clean(text)}</li>`).join("")}</ul>`;
const chart = (rows) => (rows.length
  ? `<dl class="cs-chart">${rows.map(([name, value]) => `<div><dt>${clean(name)}</dt><dd>${clean(value)}</dd></div>`).join("")}</dl>` : "");
const tell = (tone, words) => `<span class="cs-tell cs-${tone}" lang="${language}"><span aria-hidden="true">${TELLS[tone]}</span> ${clean(words)}</span>`;

const markup = (id, { title, about, standing, limits }) => `
  <header class="cs-head">
    <div><h3 data-taught>${clean(title)}</h3><p class="vt-note" data-part="where"></p></div>
    <p class="cs-clock"><span class="vt-visually-hidden">${t("Time in the case:")} </span><span data-part="clock"></span></p>
  </header>
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <p class="cs-notice" role="status" data-part="notice" hidden></p>
  <p class="cs-about" data-part="about" data-taught>${clean(about)}</p>
  <div data-part="stage" class="cs-stage"></div>
  <details class="cs-more"><summary>${t("The chart and your decisions so far")}</summary>
    <div data-part="chart"></div><div data-part="so-far"></div>
    <p><button type="button" data-part="again">${t("Begin this case anew")}</button></p>
  </details>
  <p class="vt-note">${clean(standing)}</p>
  <details class="cs-more"><summary>${t("What a case like this does not show")}</summary><p class="vt-note" data-taught>${clean(limits)}</p></details>`;

const figures = (pictures) => pictures.map(({ id, alt, caption, note }) => `
  <figure class="cs-figure" data-taught><div class="cs-plate"><img data-picture="${clean(id)}" alt="${clean(alt)}" hidden><p data-waits="${clean(id)}" lang="${language}">${t("Computing the picture …")}</p></div>
  <figcaption>${clean(caption)}. <span class="vt-note">${clean(note)}</span></figcaption></figure>`).join("");

// ---- The pages of a case -----------------------------------------------------------------------------------------

function scenePage(id, { title, stamp, text, findings, pictures, ask, how, up_to, options, ending }) {
  const kind = up_to > 1 ? "checkbox" : "radio";
  const rows = (options ?? []).map((option) => `<label class="cs-option"><input type="${kind}" name="${id}-option" value="${clean(option.id)}">
    <span data-taught>${clean(option.text)} <span class="cs-takes">${clean(option.takes)}</span></span></label>`).join("");
  return `<h4 tabindex="-1" data-part="heading" data-taught><span class="cs-stamp">${clean(stamp)}</span> ${clean(title)}</h4>
    <div class="cs-page"><div class="cs-story" data-taught>${paragraphs(text)}${chart(findings)}${figures(pictures)}</div>` +
    (ending
      ? `<p class="cs-ending"><strong data-taught>${clean(ending)}.</strong> ${t("The case is over. One thing is left before the debrief: the hand-over.")}</p>
         <p><button type="button" class="vt-primary" data-go="note">${t("Write the hand-over note")}</button></p></div>`
      : `<form data-part="form" novalidate><fieldset aria-describedby="${id}-how"><legend data-taught>${clean(ask)}</legend><p class="vt-note" id="${id}-how">${clean(how)}</p>
         <div class="cs-options">${rows}</div></fieldset>
         <p class="cs-count" data-part="count" aria-live="polite"></p><p class="cs-error" role="alert" data-part="error"></p>
         <p><button type="submit" class="vt-primary">${t("Decide")}</button> <span class="vt-note">${t("There is no way back.")}</span></p></form></div>`);
}

const camePage = ({ stamp, took, later, rows }) => `
  <h4 tabindex="-1" data-part="heading"><span class="cs-stamp">${clean(stamp)}</span> ${t("What came of it")}</h4>
  <p class="vt-note">${t("This took {time}.", { time: clean(took) })}${later ? ` ${t("Then {time} pass.", { time: clean(later) })}` : ""}</p>
  ${rows.map((row) => `<section class="cs-came" data-taught><h5>${clean(row.text)} <span class="cs-takes">${clean(row.stamp)}</span></h5>
    <p>${clean(row.consequence)}</p>${chart(row.findings)}${figures(row.pictures)}</section>`).join("")}
  <p><button type="button" class="vt-primary" data-go="scene">${t("Go on")}</button></p>`;

function notePage(id, { to, ask, parts, self_check, enough }, note, ticked) {
  return `<h4 tabindex="-1" data-part="heading">${t("Hand over to {to}", { to: clean(to) })}</h4><p data-taught>${clean(ask)}</p>
    <div class="cs-sbar">${parts.map(([part, name]) => `<div><label for="${id}-${part}"><b aria-hidden="true">${name[0]}</b> ${clean(name)}</label>
      <textarea id="${id}-${part}" data-note="${part}" rows="4" maxlength="4000">${clean(note[part] ?? "")}</textarea></div>`).join("")}</div>
    <div class="cs-two"><section><h5>${t("Looked for in your words:")} <span data-part="count"></span></h5><ul class="cs-checks" data-part="checks"></ul>
      <p class="vt-note">${t("A program looks for words and times. It cannot tell whether they are true, or enough.")}</p></section>
    <section><fieldset><legend>${t("What only you can judge")}</legend>${self_check.map((text, i) => `<label class="cs-tick" data-taught>
      <input type="checkbox" data-tick="${i}"${ticked.includes(i) ? " checked" : ""}> <span>${clean(text)}</span></label>`).join("")}</fieldset></section></div>
    <p><button type="button" data-part="compare">${t("Show a model note")}</button> <span class="vt-note" data-part="enough">${t("It comes when {enough} letters stand in yours.", { enough })}</span></p>
    <div data-part="model" class="cs-model"></div>
    <p><button type="button" class="vt-primary" data-go="debrief">${t("To the debrief")}</button></p>`;
}

function timeLine({ text, told, kept, limit, bar, done, within, refs }) {
  return `<li data-taught><p><strong>${clean(text)}</strong> ${tell(kept ? "right" : "wrong", told)}</p>
    <div class="cs-track" role="img" aria-label="${clean(t("{what}: {told}; the limit is {within}", { what: text, told, within }))}">
      <span class="cs-allowed" style="width:${limit.toFixed(2)}%"></span>
      <span class="cs-bar ${kept ? "cs-kept" : "cs-late"}${done ? "" : " cs-open"}" style="width:${bar.toFixed(2)}%"></span>
      <span class="cs-limit" style="left:${limit.toFixed(2)}%"></span></div>
    <p class="vt-note">${t("Limit {within}", { within: clean(within) })} ${clean(refs)}</p></li>`;
}

function debriefPage({ headline, features, lines, harms, statements, review, sources, took }) {
  return `<h4 tabindex="-1" data-part="heading" data-taught>${clean(headline)}</h4>
    <div class="cs-row" aria-hidden="true">${features.map(({ tone }) => `<span class="cs-${tone}"></span>`).join("")}</div>
    <p class="vt-note">${t("From first to last {took}. Only key features count: the steps at which this case is won or lost.", { took: clean(took) })}</p>
    <ol class="cs-features">${features.map(({ text, share, tone, said, missed }) => `<li data-taught><p><strong>${clean(text)}</strong> ${tell(tone, share)}</p>
      ${said ? `<p class="vt-note" lang="${language}">${clean(said)}</p>` : ""}${missed.length ? `<p class="vt-note">${t("Left out:")}</p>${list(missed)}` : ""}</li>`).join("")}</ol>
    ${lines.length ? `<h5>${t("Against the clocks")}</h5><ul class="cs-lines">${lines.map(timeLine).join("")}</ul>` : ""}
    <h5>${t("Harm")}</h5>${harms.length ? `<ul class="cs-harms" data-taught>${harms.map(({ where, text }) => `<li><strong>${clean(where)}:</strong> ${clean(text)}</li>`).join("")}</ul>`
      : `<p>${t("None of your choices harmed the patient.")}</p>`}
    <h5>${t("To take with you")}</h5><ul data-taught>${statements.map(({ text, refs }) => `<li>${clean(text)} <span class="vt-note">${clean(refs)}</span></li>`).join("")}</ul>
    <h5>${t("Review, decision by decision")}</h5>${review.map(({ stamp, title, ask, options }) => `<details class="cs-review" data-taught><summary>
      <span class="cs-stamp">${clean(stamp)}</span> ${clean(title)}</summary><p>${clean(ask)}</p><ul class="cs-judged">${options.map((option) => `
      <li class="${option.chosen ? "cs-mine" : ""}"><p>${option.chosen ? `<strong>${t("You chose: ")}</strong>` : ""}${clean(option.text)} ${tell(option.tone, option.judged)}</p>
        <p>${clean(option.rationale)} <span class="vt-note">${clean(option.refs)}</span></p></li>`).join("")}</ul></details>`).join("")}
    <details class="cs-review"><summary>${t("Sources of this case")}</summary><ul class="cs-sources" data-taught>${sources.map(([name, citation, status]) =>
      `<li><strong>[${clean(name)}]</strong> ${clean(citation)} <em>(${clean(status)})</em></li>`).join("")}</ul></details>
    <p class="cs-turn"><button type="button" data-go="note">${t("Back to the note")}</button></p>`;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

function render({ model, el }) {
  const { id, about, root, part, state, ask, follow } = opened(
    { model, el }, "cs", t("Unfolding case"), markup, t("Nothing comes back"),
  );
  const drawn = new Map(); // pictures by id
  const stage = part("stage");
  let page = "scene";
  let typing;
  let frame;
  let waiting;
  let asked; // the picture that is waited for
  let turned = -Infinity; // when the page was last turned

  const stamp = (minute) => {
    const all = about.begins + Math.round(minute);
    const two = (n) => String(n).padStart(2, "0");
    return t("Day {n}, {time}", { n: Math.floor(all / 1440) + 1, time: `${two(Math.floor((all % 1440) / 60))}:${two(all % 60)}` });
  };

  // The clock runs through the time that a decision took.
  const run = (from, to) => {
    cancelAnimationFrame(frame);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const begun = performance.now();
    const step = (now) => {
      const share = still ? 1 : Math.min(1, (now - begun) / 900);
      part("clock").textContent = stamp(from + (to - from) * share * share * (3 - 2 * share));
      if (share < 1) frame = requestAnimationFrame(step);
    };
    step(begun);
  };

  const placePictures = () => {
    for (const image of stage.querySelectorAll("[data-picture]")) {
      const src = drawn.get(image.dataset.picture);
      if (!src || image.src) continue;
      image.src = src;
      image.hidden = false;
      stage.querySelector(`[data-waits="${image.dataset.picture}"]`).remove();
    }
    state.pictures = [...stage.querySelectorAll("[data-picture]")].map((image) => image.dataset.picture).filter((name) => !drawn.has(name)).slice(0, 1);
    clearTimeout(waiting);
    // A picture that was refused is not asked for again and again.
    if (state.pictures.length && !model.get("problem")) {
      if (asked === state.pictures[0]) waiting = setTimeout(ask, AGAIN);
      else ask();
    }
    asked = state.pictures[0];
  };

  const focus = () => part("heading")?.focus({ preventScroll: true });

  const notice = () => {
    const { notice } = model.get("shown");
    part("notice").textContent = notice;
    part("notice").hidden = !notice;
  };

  const show = (name, moved = true) => {
    page = name;
    turned = performance.now();
    const { scene, came, debrief, so_far, chart: known } = model.get("shown");
    const where = { note: t("The hand-over"), debrief: t("Debrief") }[page];
    part("where").textContent = where ?? (scene.ending ? t("The end") : tn("Decision {number}; {n} key feature is scored", "Decision {number}; {n} key features are scored", about.features,
      { number: page === "came" ? scene.number - 1 : scene.number }));
    part("about").hidden = so_far.length > 0;
    if (page === "scene") stage.innerHTML = scenePage(id, scene);
    if (page === "came") stage.innerHTML = camePage(came);
    if (page === "note") stage.innerHTML = notePage(id, about, state.note, state.ticked);
    if (page === "debrief") stage.innerHTML = debriefPage(debrief);
    if (page === "came") run(came.from, came.to);
    else run(moved && page === "scene" && came ? came.to : scene.minute, scene.minute);
    part("chart").innerHTML = known.length ? `<h5>${t("Chart")}</h5><div data-taught>${chart(known)}</div>` : "";
    part("so-far").innerHTML = so_far.length ? `<h5>${t("Decisions")}</h5><ul>${so_far.map(({ stamp: at, title, chosen }) =>
      `<li data-taught><strong>${clean(at)}, ${clean(title)}.</strong> ${clean(chosen.join("; "))}</li>`).join("")}</ul>` : `<p>${t("No decision yet.")}</p>`;
    if (page === "note") checks();
    if (moved) {
      focus();
      root.scrollIntoView({ block: "start" });
    }
    placePictures();
  };

  const checks = () => {
    const { handover } = model.get("shown");
    part("count").textContent = handover.count;
    part("checks").innerHTML = handover.checks.map(({ text, found, words }) =>
      `<li>${tell(found ? "right" : "plain", found ? t("found") : t("not found"))} ${clean(text)}${found ? ` <span class="vt-note">“${clean(words)}”</span>` : ""}</li>`).join("");
    part("enough").hidden = handover.written >= about.enough;
    part("compare").disabled = handover.written < about.enough;
    part("model").innerHTML = handover.model.length
      ? `<h5>${t("A model note, one of many good ones")}</h5><dl>${handover.model.map(([name, text]) => `<dt>${clean(name)}</dt><dd>${clean(text)}</dd>`).join("")}</dl>` : "";
  };

  const count = () => {
    const { up_to: most } = model.get("shown").scene;
    const chosen = stage.querySelectorAll(".cs-option input:checked").length;
    const over = most > 1 && chosen > most;
    part("count").textContent = most > 1 && chosen ? (over ? t("{chosen} chosen, more than {most}: no credit for this decision.", { chosen, most }) : t("{chosen} chosen, up to {most} count.", { chosen, most })) : "";
    part("count").classList.toggle("cs-over", over);
    part("error").textContent = "";
  };

  root.addEventListener("input", ({ target }) => {
    if (target.closest(".cs-option")) return count();
    if (target.dataset.tick) {
      const all = [...stage.querySelectorAll("[data-tick]")];
      state.ticked = all.filter((box) => box.checked).map((box) => Number(box.dataset.tick));
      return ask();
    }
    if (!target.dataset.note) return;
    state.note = { ...state.note, [target.dataset.note]: target.value };
    clearTimeout(typing);
    typing = setTimeout(ask, 300);
  });

  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = [...stage.querySelectorAll(".cs-option input:checked")].map((box) => box.value);
    if (!chosen.length) {
      part("error").textContent = t("Choose first.");
      return stage.querySelector(".cs-option input").focus();
    }
    // A second press while the first is on its way would decide the next scene unseen.
    if (state.choices.length > model.get("shown").choices.length) return;
    state.choices = [...model.get("shown").choices, chosen];
    state.pictures = [];
    root.setAttribute("aria-busy", "true");
    ask();
  });

  // The second half of a double click on a button that turned the page must not choose what now lies beneath it.
  root.addEventListener("click", (event) => {
    if (event.detail < 2 || performance.now() - turned > DOUBLE) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  root.addEventListener("click", ({ target }) => {
    if (target.dataset?.go) show(target.dataset.go);
    if (target === part("compare")) {
      state.compared = true;
      ask();
    }
    if (target === part("again")) {
      Object.assign(state, { choices: [], note: {}, ticked: [], compared: false, pictures: [] });
      target.closest("details").open = false;
      ask();
    }
  });

  let known = model.get("shown").choices.length;
  const draw = (shown) => {
    notice();
    for (const [name, src] of Object.entries(shown.pictures)) drawn.set(name, src);
    if (state.stale || shown.seq < state.sent) return; // an answer to what is asked no more
    root.removeAttribute("aria-busy");
    if (model.get("problem")) state.choices = shown.choices; // a refused choice is not made
    const before = known;
    known = shown.choices.length;
    if (known > before) show("came");
    else if (known < before) show("scene");
    else {
      if (page === "note") checks();
      placePictures();
    }
  };

  show("scene", false);
  return follow(draw, () => {
    clearTimeout(typing);
    clearTimeout(waiting);
    cancelAnimationFrame(frame);
  });
}

export default { render };
