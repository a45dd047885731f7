// The reading gym, browser half. It shows a film, collects a whole reading and sends it; the truth, its drawing and every
// number of the running score come from the kernel, and only once the reading was committed to.

const KINDS = [["wedge", t("Wedge")], ["biconcave", t("Biconcave")], ["crush", t("Crush")]];
const GRADES = [[1, t("1 mild")], [2, t("2 moderate")], [3, t("3 severe")]];
const CERTAINTY = [[1, t("Guess"), "+1", "0"], [2, t("Fairly sure"), "+2", "−2"], [3, t("Certain"), "+3", "−6"]];
// ms until a kernel that does not answer is said to be gone; a film of the real CT takes seconds to make
const PATIENCE = { answer: 3000, film: 20000 };
const SIGNS = {
  right: ` <span aria-hidden="true">✓</span><span class="vt-visually-hidden"> (${t("right")})</span>`,
  wrong: ` <span aria-hidden="true">✗</span><span class="vt-visually-hidden"> (${t("not right")})</span>`,
  "": "",
};
const [NEXT, MAKING] = [t("Next film"), t("Making the film …")];

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const radios = (name, options, read = ([value, text]) => [value, escape(text)]) =>
  options.map((option) => {
    const [value, text] = read(option);
    return `<label><input type="radio" name="${name}" value="${value}"> <span>${text}</span></label>`;
  }).join("");

const markup = (id) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <p class="gy-note" role="status" data-part="note" hidden></p>
  <div class="gy-bench">
    <div class="gy-left">
      <div class="gy-box" data-part="box" tabindex="0" role="region" aria-label="${t("Film")}">
        <div class="gy-plate" data-part="plate">
          <img data-part="image" alt="" draggable="false">
          <svg data-part="overlay" preserveAspectRatio="none" focusable="false" aria-hidden="true"></svg>
        </div>
      </div>
      <div class="gy-tools" role="group" aria-label="${t("Viewing box")}">
        <label>${t("Brightness")} <input type="range" data-tool="brightness" min="40" max="220" value="100"></label>
        <label>${t("Contrast")} <input type="range" data-tool="contrast" min="40" max="300" value="100"></label>
        <label class="gy-check"><input type="checkbox" data-tool="invert"> ${t("Invert")}</label>
        <label class="gy-check"><input type="checkbox" data-tool="zoom"> ${t("Magnify 2×")}</label>
        <label class="gy-check" data-part="truth-line" hidden><input type="checkbox" data-tool="truth" checked> ${t("Draw the truth")}</label>
      </div>
      <p class="vt-note" data-part="case"></p>
    </div>
    <div class="gy-right">
      <form data-part="form" novalidate autocomplete="off">
        <h3 tabindex="-1" data-part="task"></h3>
        <fieldset><legend>${t("1. Which level is abnormal?")}</legend>
          <p class="vt-note" id="${id}-how">${t("Click or tap it on the film, or count from the name printed there and choose.")}</p>
          <label class="vt-visually-hidden" for="${id}-level">${t("Abnormal level")}</label>
          <select id="${id}-level" data-part="level" aria-describedby="${id}-how"></select>
        </fieldset>
        <fieldset><legend>${t("2. Is a vertebra fractured?")}</legend>
          <div class="gy-choices">${radios(`${id}-fractured`, [["yes", t("Yes")], ["no", t("No")]])}</div>
        </fieldset>
        <div data-part="details" hidden>
          <fieldset><legend>${t("3. Type of fracture")}</legend>
            <p class="vt-note" data-part="ap" hidden>${t("On an AP film this course calls a body that is lower on one side a wedge, and grades it by the heights of its two sides and its middle [unreferenced].")}</p><div class="gy-choices">${radios(`${id}-kind`, KINDS)}</div></fieldset>
          <fieldset><legend>${t("Genant grade")}</legend><div class="gy-choices">${radios(`${id}-grade`, GRADES)}</div></fieldset>
          <p class="gy-loss"><label for="${id}-loss">${t("Largest height loss")}</label>
            <span><input type="number" id="${id}-loss" data-part="loss" min="1" max="99" step="1" inputmode="numeric"> %</span></p>
        </div>
        <fieldset><legend><span data-part="last">3.</span> ${t("How certain are you?")} <span class="gy-stakes">${t("Marks if right / if not")}</span></legend>
          <div class="gy-certainty">${radios(`${id}-certainty`, CERTAINTY, ([value, text, gain, loss]) => [value,
            `${text} <span class="gy-stakes"><span class="vt-visually-hidden">${t("right")}</span> ${gain} /
             <span class="vt-visually-hidden">${t("wrong")}</span> ${loss}</span>`])}</div>
        </fieldset>
        <p class="gy-error" role="alert" data-part="error"></p>
        <button type="submit" class="vt-primary">${t("Commit, then see the truth")}</button>
      </form>
      <div data-part="verdict" class="gy-verdict" role="group" aria-label="${t("Truth")}" hidden></div>
    </div>
  </div>
  <p class="vt-visually-hidden" role="status" data-part="told"></p>
  <section class="gy-score" aria-label="${t("Running score")}" data-part="score"></section>
  <p class="vt-note">${t("Teaching films, not reviewed by a clinician.")} <span data-part="limits" data-taught></span></p>`;

// ---- The charts: 100 % is the height of every one ------------------------------------------------------------------

const [W, H, LEFT, RIGHT, TOP, FOOT] = [260, 170, 34, 10, 10, 24];
const yOf = (share) => TOP + (1 - share) * (H - TOP - FOOT);
const across = (share) => LEFT + share * (W - LEFT - RIGHT);
const at = (x, y) => `${x.toFixed(1)},${y.toFixed(1)}`;

function frame(label, ticks, inner) {
  const rows = [0, 0.5, 1].map((share) =>
    `<line class="gy-grid" x1="${LEFT}" x2="${W - RIGHT}" y1="${yOf(share)}" y2="${yOf(share)}"/>` +
    `<text x="${LEFT - 6}" y="${yOf(share) + 4}" text-anchor="end">${share * 100}</text>`).join("");
  const marks = ticks.map(([x, text]) => `<text x="${x.toFixed(1)}" y="${H - 6}" text-anchor="middle">${text}</text>`).join("");
  return `<svg viewBox="0 0 ${W} ${H}" role="img" aria-label="${escape(label)}">${rows}${marks}${inner}</svg>`;
}

const empty = (words) => `<text x="${across(0.5)}" y="${yOf(0.5) - 8}" text-anchor="middle">${words}</text>`;

/** A share with its 95 % band as films accumulate; `points` is [share, low, high] or null for each film read. */
function curve(name, points, limit) {
  const n = points.length;
  const x = (i) => across(n > 1 ? i / (n - 1) : 0.5);
  const known = points.map((point, i) => [i, point]).filter(([, point]) => point);
  if (!known.length) return frame(t("{measure}: no film of this kind read yet", { measure: name }), [], empty(t("no film of this kind yet")));
  const [last, [share, low, high]] = known.at(-1);
  const band = [...known.map(([i, p]) => at(x(i), yOf(p[2]))), ...known.toReversed().map(([i, p]) => at(x(i), yOf(p[1])))];
  const line = known.map(([i, p]) => at(x(i), yOf(p[0])));
  const label = tn("{measure} after {n} film: {share}, 95 % limits {low} to {high}", "{measure} after {n} films: {share}, 95 % limits {low} to {high}", n,
    { measure: name, share: percent(share), low: percent(low), high: percent(high) });
  const one = `<line class="gy-whisker" x1="${x(last)}" x2="${x(last)}" y1="${yOf(low)}" y2="${yOf(high)}"/>`;
  return frame(label, n > 1 ? [[LEFT, t("film 1")], [W - RIGHT - 8, n]] : [[x(0), t("film 1")]],
    `<polygon class="gy-band" points="${band.join(" ")}"/>` +
    `<line class="gy-limit" x1="${LEFT}" x2="${W - RIGHT}" y1="${yOf(limit)}" y2="${yOf(limit)}"/>` +
    `<polyline class="gy-line" points="${line.join(" ")}"/>${one}<circle class="gy-dot" cx="${x(last)}" cy="${yOf(share)}" r="4.5"/>`);
}

/** What was said against what was measured; on the diagonal they are the same. */
function losses(pairs) {
  const dots = pairs.map(([truth, said], i) =>
    `<circle class="${i === pairs.length - 1 ? "gy-dot" : "gy-soft-dot"}" cx="${across(Math.min(truth / 0.8, 1)).toFixed(1)}" cy="${yOf(Math.min(said / 0.8, 1)).toFixed(1)}" r="4"/>`);
  const rows = [0, 40, 80].map((loss) =>
    `<line class="gy-grid" x1="${LEFT}" x2="${W - RIGHT}" y1="${yOf(loss / 80)}" y2="${yOf(loss / 80)}"/>` +
    `<text x="${LEFT - 6}" y="${yOf(loss / 80) + 4}" text-anchor="end">${loss}</text>` +
    `<text x="${across(loss / 80)}" y="${H - 6}" text-anchor="${loss === 80 ? "end" : "middle"}">${loss}</text>`).join("");
  return `<svg viewBox="0 0 ${W} ${H}" role="img" aria-label="${tn("Height loss said against measured, {n} fracture", "Height loss said against measured, {n} fractures", pairs.length)}">${rows}
    ${pairs.length ? `<line class="gy-limit" x1="${across(0)}" y1="${yOf(0)}" x2="${across(1)}" y2="${yOf(1)}"/>${dots.join("")}` : empty(t("no fracture at its level yet"))}</svg>`;
}

/** The share right at each certainty, over the band in which that certainty pays best. */
function calibration(levels) {
  const third = (W - LEFT - RIGHT) / 3;
  const columns = levels.map(({ name, told, share, pays }, i) => {
    const x = LEFT + (i + 0.5) * third;
    const mark = share
      ? `<line class="gy-whisker" x1="${x}" x2="${x}" y1="${yOf(share[1])}" y2="${yOf(share[2])}"/>
         <circle class="gy-dot" cx="${x}" cy="${yOf(share[0])}" r="4.5"/>` : "";
    return `<g><title>${escape(t("{certainty}: right in {share}", { certainty: name, share: told }))}</title>
      <rect class="gy-pays" x="${x - third * 0.32}" width="${third * 0.64}" y="${yOf(pays[1])}" height="${yOf(pays[0]) - yOf(pays[1])}"/>${mark}</g>`;
  });
  const label = levels.map(({ name, told }) => t("{certainty}: right in {share}", { certainty: name, share: told })).join("; ");
  return frame(t("Certainty. {label}", { label }), levels.map(({ name }, i) => [LEFT + (i + 0.5) * third, name]), columns.join(""));
}

const percent = (share) => `${Math.round(share * 100)} %`;
const figure = (title, note, svg) => `<figure><figcaption><strong>${title}</strong> <span>${note}</span></figcaption>${svg}</figure>`;

function score({ films, curve: points, losses: pairs, certainty, facts, limit, stop }) {
  if (!films) return `<h3>${t("Running score")}</h3><p class="vt-note">${t("It begins with the first film you commit to.")}</p><p class="vt-note">${escape(stop.rule)}</p>`;
  return `<h3>${tn("Running score: {n} film", "Running score: {n} films", films)}</h3>
    <div class="gy-sums">
      <div>
        <div class="gy-charts">
          ${figure(t("Sensitivity"), t("%, 95 % limits, stop at {limit}", { limit: percent(limit) }), curve(t("Sensitivity"), points.map(([seen]) => seen), limit))}
          ${figure(t("Specificity"), t("%, 95 % limits, stop at {limit}", { limit: percent(limit) }), curve(t("Specificity"), points.map(([, cleared]) => cleared), limit))}
          ${figure(t("Certainty"), t("% right; shaded: pays best"), calibration(certainty))}
          ${figure(t("Height loss"), t("said against measured, %"), losses(pairs))}
        </div>
        <div class="gy-stop${stop.reached ? " gy-reached" : ""}">${stop.head ? `<p><strong>${escape(stop.head)}</strong></p>` : ""}
          <p>${escape(stop.stand)}</p><p class="vt-note">${escape(stop.rule)}</p></div>
      </div>
      <table class="gy-facts"><caption class="vt-visually-hidden">${t("Running score")}</caption><tbody>${facts.map(([name, value, note]) =>
        `<tr><th scope="row">${escape(name)}</th><td>${escape(value)}<br><span class="vt-note">${escape(note)}</span></td></tr>`).join("")}</tbody></table>
    </div>`;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

function render({ model, el }) {
  // Drawn by lot: every widget on a page has a copy of this file of its own, so a count would begin anew in each.
  const id = `gy${Math.random().toString(36).slice(2, 10)}`;
  const root = document.createElement("section");
  root.className = "vt gy";
  root.setAttribute("aria-label", t("Film reading gym"));
  root.dataset.lmSuppressShortcuts = "true";
  root.innerHTML = markup(id);
  speak(root);
  el.append(root);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const tool = (name) => root.querySelector(`[data-tool="${name}"]`);
  const chosen = (name) => root.querySelector(`[name="${id}-${name}"]:checked`)?.value;
  const group = (name) => [...root.querySelectorAll(`[name="${id}-${name}"]`)];
  const [form, box, plate, overlay, level] = ["form", "box", "plate", "overlay", "level"].map(part);
  part("limits").textContent = model.get("limits");
  // The two traits may come one after the other: a verdict counts only for the film it is about.
  const verdict = () => (model.get("verdict").number === model.get("film").number ? model.get("verdict") : null);
  let mark = null;
  let late;

  // JupyterLab must not hear our keys: pressing d twice would delete the cell.
  const hush = (event) => event.key !== "Escape" && event.stopPropagation();
  for (const name of ["keydown", "keyup", "keypress", "contextmenu"]) root.addEventListener(name, hush);

  const say = (name, sentence) => {
    part(name).textContent = sentence;
    part(name).hidden = !sentence;
  };
  const wait = (patience) => {
    clearTimeout(late);
    late = setTimeout(() => say("problem", t("Nothing comes back. If this stays, the lesson is not running: press “Start this lesson” again.")), patience);
  };
  const answered = () => {
    clearTimeout(late);
    root.removeAttribute("aria-busy");
    say("problem", model.get("problem"));
    if (part("next")) part("next").textContent = NEXT;
  };

  // --- the viewing box
  const look = () => {
    const [brightness, contrast] = ["brightness", "contrast"].map((name) => Number(tool(name).value));
    part("image").style.filter = `brightness(${brightness}%) contrast(${contrast}%) invert(${tool("invert").checked ? 1 : 0})`;
    for (const name of ["brightness", "contrast"]) tool(name).setAttribute("aria-valuetext", t("{percent} percent", { percent: tool(name).value }));
    const zoom = tool("zoom").checked;
    if (plate.classList.contains("gy-zoomed") !== zoom) {
      // Magnified about what was in the middle, or about the mark.
      const [x, y] = mark && zoom ? [mark[0] / model.get("film").width, mark[1] / model.get("film").height]
        : [(box.scrollLeft + box.clientWidth / 2) / box.scrollWidth, (box.scrollTop + box.clientHeight / 2) / box.scrollHeight];
      plate.classList.toggle("gy-zoomed", zoom);
      box.scrollTo(x * box.scrollWidth - box.clientWidth / 2, y * box.scrollHeight - box.clientHeight / 2);
    }
    overlay.classList.toggle("gy-hidden", Boolean(verdict()) && !tool("truth").checked);
  };

  // --- the reading
  const drawMark = () => {
    const arm = model.get("film").height / 50;
    const cross = mark && `M${mark[0] - arm},${mark[1]}h${2 * arm}M${mark[0]},${mark[1] - arm}v${2 * arm}`;
    overlay.innerHTML = model.get("film").label +
      (mark ? `<path class="gy-mark-edge" d="${cross}"/><path class="gy-mark" d="${cross}"/>` : "");
  };

  const follow = () => {
    const none = level.value === "none";
    for (const radio of group("fractured")) {
      // A film without an abnormal level has no fractured one either.
      if (none) radio.checked = radio.value === "no";
      radio.disabled = none;
    }
    const yes = chosen("fractured") === "yes";
    part("details").hidden = !yes;
    part("last").textContent = yes ? "4." : "3.";
  };

  const setMark = (point) => {
    mark = point;
    const option = level.querySelector('[value="mark"]');
    option.hidden = option.disabled = !mark;
    if (mark) level.value = "mark";
    drawMark();
    follow();
  };

  box.addEventListener("click", (event) => {
    if (verdict()) return;
    const { left, top, width, height } = plate.getBoundingClientRect();
    const film = model.get("film");
    const [x, y] = [(event.clientX - left) / width, (event.clientY - top) / height];
    if (x < 0 || x > 1 || y < 0 || y > 1) return;
    setMark([Math.round(x * film.width * 10) / 10, Math.round(y * film.height * 10) / 10]);
    say("error", "");
    part("told").textContent = t("Mark placed on the film.");
  });

  /** The first thing that is missing: [sentence, control]; none when the reading is whole. */
  const missing = () => {
    const loss = Number(part("loss").value);
    if (!level.value) return [t("First say which level is abnormal: on the film, or from the list."), level];
    if (!chosen("fractured")) return [t("Say whether a vertebra is fractured."), group("fractured")[0]];
    if (chosen("fractured") === "yes") {
      if (!chosen("kind")) return [t("Choose the type of fracture."), group("kind")[0]];
      if (!chosen("grade")) return [t("Choose the Genant grade."), group("grade")[0]];
      if (!(loss >= 1 && loss <= 99)) return [t("Estimate the largest height loss, in percent from 1 to 99."), part("loss")];
    }
    if (!chosen("certainty")) return [t("Say how certain you are."), group("certainty")[0]];
    return null;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const gap = missing();
    say("error", gap?.[0] ?? "");
    if (gap) return gap[1].focus();
    const fractured = chosen("fractured") === "yes";
    const name = ["mark", "none"].includes(level.value) ? "" : level.value;
    model.set("answer", {
      number: model.get("film").number,
      level: name,
      point: level.value === "mark" ? mark : null,
      fractured,
      kind: fractured ? chosen("kind") : "",
      grade: fractured ? Number(chosen("grade")) : 0,
      loss: fractured ? Number(part("loss").value) : 0,
      certainty: Number(chosen("certainty")),
    });
    model.save_changes();
    wait(PATIENCE.answer);
  });

  root.addEventListener("input", ({ target }) => {
    if (target.dataset.tool) return look();
    if (target === level && level.value !== "mark") setMark(null);
    say("error", "");
    follow();
  });

  // --- what comes from the kernel
  const showFilm = () => {
    const film = model.get("film");
    box.style.setProperty("--gy-ratio", film.width / film.height);
    const [first, last] = [film.levels[0], film.levels.at(-1)];
    part("image").src = film.src;
    part("image").alt = film.view === "AP"
      ? t("AP film of {first} to {last}; {marker} is named on it.", { first, last, marker: film.marker })
      : t("Lateral film of {first} to {last}; {marker} is named on it.", { first, last, marker: film.marker });
    overlay.setAttribute("viewBox", `0 0 ${film.width} ${film.height}`);
    level.innerHTML = `<option value="">${t("Choose …")}</option><option value="mark" hidden disabled>${t("The body marked on the film")}</option>` +
      film.levels.map((name) => `<option>${escape(name)}</option>`).join("") + `<option value="none">${t("None, every level is normal")}</option>`;
    part("ap").hidden = film.view !== "AP";
    part("task").textContent = t("Film {number}", { number: film.number });
    part("case").textContent = film.view === "AP" ? t("AP film, case {n}", { n: film.seed }) : t("Lateral film, case {n}", { n: film.seed });
    form.reset();
    tool("zoom").checked = false;
    setMark(null);
    say("error", "");
    look();
  };

  const showVerdict = () => {
    const truth = verdict();
    const known = Boolean(truth);
    form.hidden = known;
    part("verdict").hidden = part("truth-line").hidden = !known;
    plate.classList.toggle("gy-open", !known);
    if (!known) {
      part("verdict").replaceChildren();
      drawMark();
      look();
      return;
    }
    overlay.innerHTML = truth.overlay;
    tool("truth").checked = true;
    part("verdict").innerHTML = `
      <div class="gy-head gy-tone-${truth.tone}"><h3 tabindex="-1" data-part="headline" data-taught>${escape(truth.headline)}</h3><p>${escape(truth.marks)}</p></div>
      <table><caption class="vt-visually-hidden">${t("What you said and the truth")}</caption>
        <thead><tr><td></td><th scope="col">${t("You said")}</th><th scope="col">${t("Truth")}</th></tr></thead>
        <tbody>${truth.rows.map(([name, said, is, judged]) => `<tr><th scope="row">${escape(name)}</th>
          <td${judged ? ` class="gy-cell-${judged}"` : ""}>${escape(said)}${SIGNS[judged]}</td><td>${escape(is)}</td></tr>`).join("")}</tbody></table>
      <table><caption>${t("Heights of {level}, mm", { level: escape(truth.heights.level) })}</caption>
        <thead><tr><td></td><th scope="col">${t("Measured")}</th><th scope="col">${t("Expected")}</th><th scope="col">${t("Lost")}</th></tr></thead>
        <tbody>${truth.heights.rows.map(([name, ...cells]) =>
          `<tr><th scope="row">${escape(name)}</th>${cells.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`).join("")}</tbody></table>
      <p class="vt-note">${escape(truth.heights.largest)}</p>
      ${truth.lines.map((line) => `<p data-taught>${escape(line)}</p>`).join("")}
      <p><button type="button" class="vt-primary" data-part="next">${NEXT}</button></p>`;
    part("next").addEventListener("click", () => {
      model.set("wanted", truth.number + 1);
      model.save_changes();
      root.setAttribute("aria-busy", "true");
      part("told").textContent = part("next").textContent = MAKING;
      wait(PATIENCE.film);
    });
    look();
  };

  const onVerdict = () => {
    answered();
    showVerdict();
    // The focus follows, so that a screen reader goes on with the outcome and a phone scrolls to it.
    if (verdict()) part("headline").focus();
  };
  const onFilm = () => {
    answered();
    showFilm();
    showVerdict();
    part("task").focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest" }); // not all of the gym, which is higher than a window
  };
  const onProgress = () => { part("score").innerHTML = score(model.get("progress")); };
  const onNote = () => say("note", model.get("note"));

  const listeners = { "change:film": onFilm, "change:verdict": onVerdict, "change:progress": onProgress, "change:note": onNote, "change:problem": answered };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  for (const name of ["problem", "error"]) say(name, "");
  showFilm();
  showVerdict();
  onProgress();
  onNote();
  answered();
  return () => {
    clearTimeout(late);
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
  };
}

export default { render };
