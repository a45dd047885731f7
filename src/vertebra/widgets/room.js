// The procedure room, browser half. It asks the kernel for one act at a time and shows the room after it; nothing is
// computed here but the ticking of the clock between two acts.

const SLIDERS = {
  lateral: [t("Entry, + away from the midline"), " mm"],
  cranial: [t("Entry, + towards the head"), " mm"],
  convergence: [t("Turned towards the midline"), "°"],
  descent: [t("Turned towards the feet"), "°"],
  orbital: [t("Orbital angle"), "°"],
  tilt: [t("Tilt, + to the head"), "°"],
};
const CLOCKS = {
  4: t("runs, four times as fast as in the room"),
  1: t("runs as in the room"),
  0: t("stands: time passes only with what you do, and the films are also told in words"),
};
const PLANES = { frontal: t("Frontal"), lateral: t("Lateral") };
const VIEWS = { straight: t("True AP"), left: t("Down the left pedicle"), right: t("Down the right pedicle") };
const HEADINGS = {
  patient: t("Who lies here, and what is broken?"),
  needle: t("Bring the needle through the pedicle"),
  balloon: t("Inflate, and stop in time"),
  cement: t("Cement: against the clock"),
  debrief: t("Debrief"),
};
const MERGED = new Set(["aim", "arm", "choose", "wait"]);

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const minutes = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
const signed = (value, unit) => `${value > 0 ? "+" : ""}${value}${unit}`.replace("-", "−");
const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");

const slider = (id, key, name, [low, high]) => `
  <div class="pr-slider"><label for="${id}-${key}">${SLIDERS[name][0]}</label>
    <output for="${id}-${key}" data-value="${key}"></output>
    <input type="range" id="${id}-${key}" data-slider="${key}" min="${low}" max="${high}" step="1"></div>`;

const options = (choices) => Object.entries(choices).map(([value, text]) => `<option value="${value}" data-taught>${escape(text)}</option>`).join("");
const select = (id, key, label, choices) => `
  <p class="pr-select"><label for="${id}-${key}">${label}</label><select id="${id}-${key}" data-select="${key}">${options(choices)}</select></p>`;
const TAUGHT = new Set(["reason", "pathway", "cement"]); // what these offer is the course's own English
const radios = (id, name, choices) => Object.entries(choices)
  .map(([value, text]) => `<label><input type="radio" name="${id}-${name}" data-radio="${name}" value="${value}">
    <span${TAUGHT.has(name) ? " data-taught" : ""}>${escape(text)}</span></label>`).join("");
const button = (act, text, kind = "") => `<button type="button" class="${kind}" data-act='${JSON.stringify(act)}'>${text}</button>`;

// Where a line of the rubric has no source, one note below says so for all.
const sourced = ({ source }) => (source === "[unreferenced]" ? "" : ` ${escape(source)}`);
const marking = (rows, caption) => {
  const parts = [...new Set(rows.map((row) => row.part))];
  return `<h4>${caption}</h4><div class="pr-marking">${parts.map((part) => `
    <table><caption data-taught>${part}</caption><thead class="vt-visually-hidden"><tr><th scope="col">${t("What, and when it earns all its points")}</th><th scope="col">${t("Points")}</th></tr></thead>
    <tbody>${rows.filter((row) => row.part === part).map((row) => `<tr data-taught><th scope="row">${escape(row.title)}
      <span class="vt-note">${escape(row.asked)}${sourced(row)}</span></th><td class="pr-number">${row.points}</td></tr>`).join("")}</tbody></table>`).join("")}</div>`;
};

const worth = (rows) => [...new Set(rows.map((row) => row.part))].map((part) => {
  const points = rows.filter((row) => row.part === part).reduce((sum, row) => sum + row.points, 0);
  return `<span class="pr-share" data-taught style="flex-grow:${points}">${part} <b>${points}</b></span>`;
}).join("");

const monitor = (id, plane, about) => `
  <figure class="pr-monitor" data-plane="${plane}">
    <figcaption><strong data-part="name-${plane}">${PLANES[plane]}</strong> <span data-part="taken-${plane}"></span></figcaption>
    <div class="pr-glass"><canvas data-part="canvas-${plane}" role="img" width="360" height="360" aria-label="${t("{plane} monitor, no picture yet", { plane: PLANES[plane] })}"></canvas>
      <p class="pr-blank" data-part="blank-${plane}">${t("No picture yet")}</p>
      <span class="pr-side pr-left" data-part="left-${plane}"></span><span class="pr-side pr-right" data-part="right-${plane}"></span>
      <div data-part="levels-${plane}"></div></div>
    <div class="pr-under">${button({ do: "picture", plane }, t("Take picture"), "pr-shoot")}<span class="pr-stale" data-part="stale-${plane}"></span></div>
    <details class="pr-angles"><summary>${t("Turn this C-arm")}</summary>
      ${plane === "frontal" ? `<div class="pr-buttons">${Object.entries(VIEWS).map(([view, text]) => `<button type="button" data-view="${view}">${text}</button>`).join("")}</div>` : ""}
      ${["orbital", "tilt"].map((name, i) => slider(id, `${plane}-${name}`, name, about.arms[plane][i])).join("")}
    </details>
  </figure>`;

const gauge = (key, name, unit, bar = false) => `
  <div class="pr-gauge" data-gauge="${key}" hidden><span class="pr-gauge-name">${name}</span>
    <span class="pr-gauge-value"><span data-part="g-${key}">0</span>${unit ? ` <small>${unit}</small>` : ""}</span>
    ${bar ? `<svg class="pr-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" data-part="bar-${key}"></svg>` : ""}
    <span class="pr-gauge-note" data-part="n-${key}"></span></div>`;

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <header class="pr-head"><h3>${t("Procedure room")} <span>${about.name}</span></h3>
    <ol class="pr-rail" aria-label="${t("Steps")}">${Object.entries(about.steps).map(([key, text]) => `<li data-step="${key}"><span>${text}</span></li>`).join("")}</ol></header>

  <p class="pr-next" data-part="next"><b>${t("Next")}</b> <span data-part="next-text" data-taught></span></p>
  <div class="pr-worth" data-part="worth"><span>${t("Out of 100 points")}</span>${worth(about.rubric)}<span>${t("for each line, see below")}</span></div>

  <div class="pr-room">
  <div class="pr-theatre" data-part="theatre" hidden>
    <div class="pr-board"><p class="pr-lamp" data-part="lamp"><span aria-hidden="true"></span> <b data-part="lamp-text">${t("X-ray off")}</b></p>
      <fieldset class="pr-pedal"><legend>${t("Live")}</legend>${radios(id, "screening", { "": t("off"), frontal: t("frontal"), lateral: t("lateral") })}</fieldset>
      ${button({ do: "picture", plane: "both" }, t("Take both pictures"), "pr-shoot")}</div>
    <div class="pr-monitors">${Object.keys(PLANES).map((plane) => monitor(id, plane, about)).join("")}</div>
    <div class="pr-gauges">
      ${gauge("clock", t("Time"), "")}${gauge("dose", t("Fluoroscopy"), "s")}
      ${gauge("age", t("Age of the cement"), "", true)}${gauge("volume", t("Cement in"), "mL")}
      ${gauge("syringe", t("Syringe"), "MPa", true)}${gauge("bone", t("In the bone"), "kPa")}
      ${gauge("balloon", t("Balloon"), "bar", true)}${gauge("inflated", t("In each balloon"), "mL", true)}${gauge("height", t("Front height"), "mm")}
    </div>
  </div>

  <div class="pr-desk" data-part="desk">
    <h4 class="pr-title" tabindex="-1" data-part="title"></h4>
    <p class="pr-message" role="status" data-part="message" data-taught></p>

    <div class="pr-panel" data-stage="patient">
      <div class="pr-two">
        <div data-part="here">
          ${select(id, "patient", t("Patient"), about.patients)}
          ${select(id, "level", t("Level"), Object.fromEntries(about.levels.map((level) => [level, level])))}
          ${select(id, "fracture", t("Fracture"), about.fractures)}
          <p>${`<button type="button" data-part="draw">${t("Draw a patient")}</button>`}</p>
        </div>
        <div class="pr-chart"><h5 data-part="who" data-taught></h5><dl data-part="chart" data-taught></dl></div>
      </div>
    </div>

    <div class="pr-panel" data-stage="needle">
      <div class="pr-hands">
        <fieldset><legend>${t("Hold the needle")}</legend>
          <div class="pr-row">${radios(id, "side", { left: t("left pedicle"), right: t("right pedicle") })}</div>
          <div class="pr-row">${radios(id, "gauge", { "11G": "11 G", "13G": "13 G" })}</div>
          ${["lateral", "cranial", "convergence", "descent"].map((name) => slider(id, name, name, about.ranges[name])).join("")}
          <p class="vt-note">${t("0 is where the needle first touched the skin: near, never right. It turns only while its tip is at the bone's surface.")}</p>
        </fieldset>
        <div>
          <fieldset><legend>${t("Advance")}</legend>
            <p class="pr-depth"><output data-part="depth"></output></p>
            <div class="pr-buttons pr-fours">${[1, 2, 5, 10].map((mm) => button({ do: "advance", mm }, `+${mm} mm`, "pr-big")).join("")}</div>
            <div class="pr-buttons pr-threes">${[-1, -2, -5].map((mm) => button({ do: "advance", mm }, `−${-mm} mm`)).join("")}${button({ do: "draw back" }, t("Draw back to the surface"))}</div>
          </fieldset>
          <p class="vt-note" data-part="needles"></p>
          <p class="pr-choice">${button({ do: "ready" }, about.procedure === "kyphoplasty" ? t("The needles stand: balloons in") : t("The needles stand: stylet out, on to cement"), "vt-primary")}</p>
        </div>
      </div>
    </div>

    <div class="pr-panel" data-stage="balloon">
      <div class="pr-hands">
        <fieldset><legend>${t("Balloon, length and largest volume")}</legend><div class="pr-column">${radios(id, "balloon", about.balloons)}</div></fieldset>
        <fieldset><legend>${t("Inflate each balloon")}</legend>
          <div class="pr-buttons" data-part="pump">${about.portions.map((ml) => button({ do: "inflate", ml }, `+${ml} mL`, "pr-big")).join("")}</div>
          <ul class="pr-signs" data-part="signs" data-taught></ul>
          <p class="pr-choice" data-part="deflate">${button({ do: "deflate" }, t("Deflate, take out"))}</p>
          <p class="pr-choice" data-part="deflated">${button({ do: "ready" }, t("The balloons are out: on to cement"), "vt-primary")}</p>
        </fieldset>
      </div>
    </div>

    <div class="pr-panel" data-stage="cement">
      <p data-part="mixed" hidden></p>
      <div class="pr-hands">
        <fieldset data-part="mixing"><legend>${t("Mix, once")}</legend>
          <div class="pr-column">${radios(id, "cement", about.cements)}</div>
          <div class="pr-slider"><label for="${id}-temperature">${t("Temperature of the room")}</label><output for="${id}-temperature" data-value="temperature">23 °C</output>
            <input type="range" id="${id}-temperature" data-part="temperature" min="16" max="28" step="1" value="23"></div>
          <p><button type="button" class="vt-primary" data-part="mix">${t("Mix and draw up: the clock starts")}</button></p>
        </fieldset>
        <fieldset data-part="injecting"><legend>${t("Inject")}</legend>
          <div class="pr-buttons">${about.portions.map((ml) => button({ do: "inject", ml }, t("Inject {ml} mL", { ml }), "pr-big")).join("")}</div>
          <div class="pr-buttons">${[15, 60].map((seconds) => button({ do: "wait", seconds }, t("Wait {seconds} s", { seconds }))).join("")}</div>
          <p class="pr-choice">${button({ do: "stop" }, t("Enough: stop here"), "vt-primary")}</p>
        </fieldset>
      </div>
    </div>

    <div class="pr-panel" data-stage="debrief" data-part="debrief"></div>

    <div class="pr-decide" data-part="decide"><p data-part="treat">${button({ do: "treat" }, t("Treat: begin the {procedure}", { procedure: about.name.toLowerCase() }))}</p>
      <details class="pr-refuse"><summary>${t("Do not treat")}</summary>
        <fieldset><legend>${t("Because")}</legend><div class="pr-column">${radios(id, "reason", about.reasons)}</div></fieldset>
        <fieldset><legend>${t("Instead")}</legend><div class="pr-column">${radios(id, "pathway", about.pathways)}</div></fieldset>
        <p><button type="button" data-part="refer">${t("Do not treat; send the patient this way")}</button></p></details></div>
  </div>
  <div class="pr-below" data-part="below"><div class="pr-words" data-part="words" hidden><h4>${t("The last pictures in words")}</h4><div aria-live="polite" data-part="told" data-taught></div></div>
    <fieldset class="pr-clocks" data-part="clocks"><legend>${t("The clock of balloon and cement")}</legend><div class="pr-column">${radios(id, "speed", CLOCKS)}</div>
    <p class="vt-note">${t("All three are marked alike, and you may change at any time.")}</p></fieldset>
    <p class="pr-leave" data-part="leave">${button({ do: "stop" }, t("Stop here and go to the debrief"))}</p></div>
  </div>
  <details class="pr-details pr-rubric" data-part="rubric" open><summary>${t("How this is marked")}<span data-part="first">${t(": read it before you decide")}</span></summary>
    ${marking(about.rubric, t("{name}: 100 points, from what happened and nothing else", { name: about.name }))}
    ${marking(about.refer, t("A patient who must not be treated: these 100 points count instead"))}
    <p class="vt-note">${t("Limits without a source are teaching convention [unreferenced]. The clock of balloon and cement runs, runs faster or stands, as you choose: all three are marked alike.")}</p>
  </details>
  <details class="pr-details"><summary>${t("About this model")}</summary>
    ${about.models.map((model) => `<dl data-taught>${Object.entries(model).map(([name, text]) => `<dt>${escape(name)}</dt><dd>${escape(text)}</dd>`).join("")}</dl>`).join("")}
    <p class="vt-note" data-taught>${escape(about.limits)}</p></details>`;

// Grey bytes of a picture to the pixels of a canvas, opaque.
function paint(canvas, film) {
  const bytes = Uint8Array.from(atob(film.pixels), (letter) => letter.charCodeAt(0));
  canvas.width = canvas.height = film.size;
  const image = new ImageData(film.size, film.size);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = 0xff000000 | (bytes[i] * 0x010101);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const zone = (from, to, kind) => `<rect class="pr-zone-${kind}" x="${from}" y="0" width="${Math.max(to - from, 0)}" height="8"/>`;
const needle = (at) => `<rect class="pr-hand" x="${Math.min(Math.max(at, 0), 99) - 0.6}" y="-1" width="1.8" height="10"/>`;

function report(said) {
  const rows = said.lines.map((line, i) => `${line.part === said.lines[i - 1]?.part ? "" : `<tr class="pr-part"><th scope="rowgroup" colspan="3" data-taught>${line.part}</th></tr>`}
    <tr data-full="${line.earned >= line.points}" data-none="${line.earned === 0}"><th scope="row" data-taught>${escape(line.title)}<span class="vt-note">${escape(line.asked)}${sourced(line)}</span></th>
    <td data-taught>${escape(line.reason)}</td><td class="pr-number"><span class="pr-mark" aria-hidden="true">${line.earned >= line.points ? "✓" : line.earned ? "◐" : "✕"}</span> ${line.earned}<small> ${t("of {total}", { total: line.points })}</small></td></tr>`).join("");
  const turn = Math.PI * 2 * 42;
  return `
    <div class="pr-verdict"><svg viewBox="0 0 100 100" class="pr-ring" role="img" aria-label="${t("{score} of 100 points", { score: said.score })}">
      <circle cx="50" cy="50" r="42"/><circle class="pr-earned" cx="50" cy="50" r="42" stroke-dasharray="${(turn * said.score) / 100} ${turn}"/>
      <text x="50" y="54">${said.score}</text><text class="pr-of" x="50" y="70">${t("of {total}", { total: 100 })}</text></svg>
      <div><p class="pr-lead" data-taught>${escape(said.verdict)}</p>
      ${said.advice.length ? `<h5>${t("Next time")}</h5><ul data-taught>${said.advice.map((line) => `<li>${escape(line)}</li>`).join("")}</ul>` : ""}</div></div>
    ${said.pictures.length ? `<div class="pr-after" data-taught>${said.pictures.map(([name, src]) => `<figure><img src="${src}" alt="${escape(name)}"><figcaption>${escape(name)}</figcaption></figure>`).join("")}</div>
    <p class="vt-note" data-taught>${escape(said.words)}</p>` : ""}
    ${said.facts.length ? `<h5>${t("What was measured")}</h5><dl class="pr-facts" data-taught>${said.facts.map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`).join("")}</dl>` : ""}
    <table class="pr-scored"><caption>${said.rubric === "refer" ? t("Points, line by line, by the rubric for a patient who must not be treated") : t("Points, line by line")}</caption>
      <thead><tr><th scope="col">${t("What")}</th><th scope="col">${t("What happened")}</th><th scope="col" class="pr-number">${t("Points")}</th></tr></thead><tbody>${rows}</tbody></table>
    <p class="pr-choice">${button({ do: "again" }, t("Start again, with this patient or another"), "vt-primary")}</p>`;
}

function render({ model, el }) {
  const id = `pr${Math.random().toString(36).slice(2, 10)}`; // this module is loaded anew for each widget
  const about = model.get("about");
  const root = document.createElement("section");
  root.className = "vt pr";
  root.setAttribute("aria-label", t("Procedure room: {name}", { name: about.name }));
  root.dataset.lmSuppressShortcuts = "true";
  root.innerHTML = markup(id, about);
  speak(root);
  el.append(root);
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const all = (selector) => [...root.querySelectorAll(selector)];
  const local = { sent: model.get("wanted").seq, queue: [], speed: 4, painted: {}, stage: "", begun: "", ticking: false, dead: false };
  let late;
  let flash;

  // JupyterLab must not hear our keys: pressing d twice would delete the cell.
  const hush = (event) => event.key !== "Escape" && event.stopPropagation();
  for (const name of ["keydown", "keyup", "keypress", "contextmenu"]) root.addEventListener(name, hush);

  const say = (sentence) => {
    part("problem").textContent = sentence;
    part("problem").hidden = !sentence;
  };

  // One act at a time; what can be merged is, so that a slider never runs ahead of the room.
  const send = () => {
    if (!local.queue.length || model.get("shown").seq < local.sent) return;
    local.sent += 1;
    clearTimeout(late);
    late = setTimeout(() => {
      local.dead = true;
      say(t("The room stands still: the lesson is not running. Press “Start this lesson” again."));
    }, 5000);
    model.set("wanted", { seq: local.sent, action: local.queue.shift() });
    model.save_changes();
  };
  const act = (action) => {
    local.ticking = false;
    const last = local.queue.at(-1);
    // Another needle in the hand is an act of its own: what was still asked of the first must not move the second.
    if (last && last.do === action.do && MERGED.has(action.do) && last.plane === action.plane && !action.side) {
      const seconds = (last.seconds ?? 0) + (action.seconds ?? 0);
      Object.assign(last, action, seconds ? { seconds } : {});
    } else local.queue.push({ ...action });
    send();
  };

  const running = (shown) => !local.dead && local.speed > 0 && !document.hidden
    && (shown.stage === "balloon" || (shown.stage === "cement" && shown.cement !== null));
  const tick = setInterval(() => {
    const shown = model.get("shown");
    if (!running(shown) || local.queue.length || shown.seq < local.sent) return;
    act({ do: "wait", seconds: local.speed });
    local.ticking = true;
  }, 1000);

  const set = (key, text, note = "") => {
    root.querySelector(`[data-gauge="${key}"]`).hidden = text === null;
    if (text === null) return;
    part(`g-${key}`).textContent = text;
    part(`n-${key}`).textContent = note;
  };

  const showGauges = (shown) => {
    const { cement, balloon } = shown;
    set("clock", minutes(shown.seconds));
    set("dose", fixed(shown.fluoroscopy, 0), t("relative dose {dose}", { dose: fixed(shown.dose, 0) }));
    const mixed = cement !== null;
    set("age", mixed ? minutes(cement.age) : null, mixed ? t("{state}; about {viscosity} Pa s", { state: cement.state, viscosity: cement.viscosity }) : "");
    if (mixed) {
      const x = (s) => (100 * s) / (cement.sets * 1.08);
      part("bar-age").innerHTML = zone(0, x(cement.opens), "soft") + zone(x(cement.opens), x(cement.closes), "good")
        + zone(x(cement.closes), x(cement.sets), "warn") + zone(x(cement.sets), 100, "bad") + needle(x(cement.age));
      part("n-age").textContent += t(". Paste from {from} to {to}", { from: minutes(cement.opens), to: minutes(cement.closes) });
      part("n-age").textContent += t(", hard at {time}", { time: minutes(cement.sets) });
    }
    set("volume", mixed ? fixed(shown.volume, 2) : null, mixed && shown.enough ? (balloon ? t("cavity: {enough} mL", { enough: shown.enough }) : t("a sixth of the body: {enough} mL", { enough: shown.enough })) : "");
    set("syringe", mixed ? fixed(shown.syringe, 2) : null, t("1 MPa is 10 bar; hands reached {pressure} MPa [krebs2005]", { pressure: about.hand.toFixed(1) }));
    if (mixed) part("bar-syringe").innerHTML = zone(0, 80, "good") + zone(80, 100, "bad") + needle((80 * shown.syringe) / about.hand);
    set("bone", mixed ? fixed(shown.bone, 1) : null, t("the rest is lost in the needle"));
    const up = balloon !== null && balloon.size && shown.stage === "balloon";
    set("balloon", up ? fixed(balloon.bar, 1) : null, up ? t("{psi} psi; limit {limit} bar", { psi: balloon.psi, limit: balloon.limit }) : "");
    set("inflated", up ? fixed(balloon.ml, 2) : null, up ? t("of {largest} mL", { largest: balloon.largest }) : "");
    if (up) {
      part("bar-balloon").innerHTML = zone(0, 75, "good") + zone(75, 90, "warn") + zone(90, 100, "bad") + needle((90 * balloon.bar) / balloon.limit);
      part("bar-inflated").innerHTML = zone(0, 100, "good") + needle((100 * balloon.ml) / balloon.largest);
    }
    const tall = balloon !== null && shown.stage !== "needle" && shown.stage !== "patient";
    set("height", tall ? balloon.height : null, tall ? t("came with {came} mm", { came: balloon.came }) : "");
  };

  const slide = (key, value) => {
    const input = root.querySelector(`[data-slider="${key}"]`);
    const unit = SLIDERS[key.split("-").at(-1)][1];
    // A hand on the slider leads; the room follows.
    if (document.activeElement !== input || !local.queue.length) input.value = value;
    input.setAttribute("aria-valuetext", signed(Number(input.value), unit).replace("°", t(" degrees")));
    root.querySelector(`[data-value="${key}"]`).textContent = signed(Number(input.value), unit);
  };
  const check = (name, value) => all(`[data-radio="${name}"]`).forEach((input) => { input.checked = input.value === String(value); });

  const showFilms = () => {
    const films = model.get("films");
    for (const plane of Object.keys(PLANES)) {
      const film = films[plane];
      const canvas = part(`canvas-${plane}`);
      part(`blank-${plane}`).hidden = Boolean(film);
      canvas.hidden = !film;
      part(`levels-${plane}`).innerHTML = "";
      part(`name-${plane}`).textContent = film ? film.name : PLANES[plane];
      for (const side of ["left", "right"]) part(`${side}-${plane}`).textContent = film ? film[side] : "";
      part(`taken-${plane}`).textContent = film ? t("picture {n}, at {time}", { n: film.id, time: film.at }) : "";
      if (!film) { delete local.painted[plane]; continue; }
      part(`levels-${plane}`).innerHTML = Object.entries(film.levels)
        .map(([level, row]) => `<span class="pr-level${level === film.target ? " pr-target" : ""}" style="top:${row * 100}%">${level}</span>`).join("");
      if (local.painted[plane] === film.id) continue;
      local.painted[plane] = film.id;
      paint(canvas, film);
      canvas.setAttribute("aria-label", t("{view} picture {n}; the patient's {side} is on the left. Levels {levels}.",
        { view: film.name, n: film.id, side: film.left, levels: Object.keys(film.levels).join(", ") }));
      part("lamp").dataset.on = "true";
      part("lamp-text").textContent = t("X-ray on");
      clearTimeout(flash);
      flash = setTimeout(lamp, 450);
    }
  };
  // The lamp stays lit a moment after a picture, and as long as a foot is on the pedal.
  const lamp = () => {
    const live = model.get("shown").screening;
    part("lamp").dataset.on = String(Boolean(live));
    part("lamp-text").textContent = !live ? t("X-ray off") : live === "frontal" ? t("X-ray on: frontal, live") : t("X-ray on: lateral, live");
  };

  const onShown = () => {
    const shown = model.get("shown");
    if (shown.seq >= local.sent) {
      clearTimeout(late);
      if (local.dead) say("");
      local.dead = false;
    }
    const { stage } = shown;
    const treating = !["patient", "debrief"].includes(stage);
    root.dataset.seq = shown.seq;
    root.dataset.stage = stage;
    part("theatre").hidden = !treating;
    const steps = Object.keys(about.steps);
    all("[data-step]").forEach((item) => {
      const [now, here] = [steps.indexOf(stage === "cement" && shown.volume ? "stop" : stage), steps.indexOf(item.dataset.step)];
      const done = here < now && (shown.decision !== "refer" || here === 0);
      item.dataset.state = done ? "done" : here === now ? "now" : "ahead";
      if (here === now) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    all("[data-stage]").forEach((panel) => { if (panel !== root) panel.hidden = panel.dataset.stage !== stage; });
    part("title").textContent = HEADINGS[stage];
    // The ticking of the clock does not wipe away what was said.
    if (!local.ticking || shown.refusal || stage !== local.stage) {
      part("message").textContent = shown.refusal || shown.message;
      part("message").dataset.tone = shown.refusal ? "no" : "";
    }
    part("next").hidden = !shown.next;
    part("next-text").textContent = shown.next;
    part("decide").hidden = !(stage === "patient" || (stage === "needle" && !shown.begun));
    part("first").hidden = part("worth").hidden = stage !== "patient";
    part("treat").hidden = stage !== "patient";
    const home = part(stage === "patient" ? "here" : "below");
    // Moved only when it must be: a node that is moved loses the focus.
    if (part("decide").parentElement !== home) home.insertBefore(part("decide"), stage === "patient" ? null : part("leave"));
    part("leave").hidden = !(["needle", "balloon"].includes(stage) || (stage === "cement" && shown.cement === null));
    part("clocks").hidden = !treating;
    for (const [plane, changed] of Object.entries(shown.stale)) part(`stale-${plane}`).textContent = changed ? t("Since then: {changed}", { changed }) : "";
    for (const name of ["patient", "level", "fracture"]) root.querySelector(`[data-select="${name}"]`).value = shown.case[name];
    for (const option of root.querySelector('[data-select="fracture"]').options) option.disabled = shown.only ? option.value !== shown.only : option.value === "burst";
    part("who").textContent = shown.who;
    const chart = shown.chart.map(([name, text]) => `<dt>${escape(name)}</dt><dd>${escape(text)}</dd>`).join("");
    if (part("chart").innerHTML !== chart) part("chart").innerHTML = chart;
    for (const name of Object.keys(about.ranges)) slide(name, shown.path[name]);
    for (const plane of Object.keys(PLANES)) ["orbital", "tilt"].forEach((name, i) => slide(`${plane}-${name}`, shown.arms[plane][i]));
    check("side", shown.side);
    check("gauge", shown.path.gauge);
    check("screening", shown.screening);
    check("speed", local.speed);
    part("depth").textContent = shown.path.in ? t("{mm} mm beyond the bone's surface", { mm: shown.path.in }) : t("At the bone's surface");
    part("needles").textContent = shown.needles.filter(([, , mm]) => mm > 0).map(([side, size, mm]) => t("{pedicle}: {size}, {mm} mm in", { pedicle: side === "left" ? t("left pedicle") : t("right pedicle"), size, mm })).join("; ");
    if (shown.balloon) {
      check("balloon", shown.balloon.size);
      part("pump").hidden = part("deflate").hidden = shown.balloon.deflated;
      part("deflated").hidden = !shown.balloon.deflated;
      const { fits, ml } = shown.balloon;
      all('[data-radio="balloon"]').forEach((input) => {
        input.disabled = !fits.includes(input.value);
        const long = stage === "balloon" && !ml && input.disabled;
        input.nextElementSibling.textContent = `${about.balloons[input.value]}${long ? t(": too long here") : ""}`;
      });
      part("pump").querySelectorAll("button").forEach((each) => { each.disabled = !shown.balloon.size; });
      part("deflate").firstElementChild.classList.toggle("vt-primary", ml > 0);
      part("signs").innerHTML = shown.balloon.signs.map((sign) => `<li>${escape(sign)}</li>`).join("");
    }
    const mixed = shown.cement !== null;
    part("mixing").hidden = mixed;
    part("injecting").hidden = part("mixed").hidden = !mixed;
    if (mixed) part("mixed").textContent = t("On the table: {name}, mixed at {temperature} °C.", { name: shown.cement.name, temperature: shown.temperature });
    part("words").hidden = !(treating && local.speed === 0);
    const told = Object.values(shown.told).map((text) => `<p>${escape(text)}</p>`).join("") || `<p>${t("No picture yet.")}</p>`;
    if (part("told").innerHTML !== told) part("told").innerHTML = told;
    showGauges(shown);
    if (shown.screening !== local.screening) lamp();
    local.screening = shown.screening;
    if (stage !== local.stage) {
      part("debrief").innerHTML = shown.debrief ? report(shown.debrief) : "";
      part("rubric").open = stage === "patient";
      if (local.stage) {
        local.queue = []; // what was asked of the step before is not asked of this one
        part("title").focus({ preventScroll: true });
        root.scrollIntoView({ block: "start" });
      }
      local.stage = stage;
    }
    send();
  };
  const onProblem = () => {
    say(model.get("problem"));
    if (!model.get("problem")) return;
    // What the kernel could not read will not be answered: go on from there.
    clearTimeout(late);
    local.sent = model.get("shown").seq;
  };

  const chosen = (name) => root.querySelector(`[data-radio="${name}"]:checked`)?.value;
  root.addEventListener("input", ({ target }) => {
    const key = target.dataset.slider;
    if (target === part("temperature")) root.querySelector('[data-value="temperature"]').textContent = `${target.value} °C`;
    if (!key) return;
    slideNow(key, Number(target.value));
  });
  const slideNow = (key, value) => {
    const unit = SLIDERS[key.split("-").at(-1)][1];
    root.querySelector(`[data-value="${key}"]`).textContent = signed(value, unit);
    const plane = key.split("-")[0];
    if (!(plane in PLANES) || key in about.ranges) act({ do: "aim", [key]: value });
    else {
      const [orbital, tilt] = ["orbital", "tilt"].map((name) => Number(root.querySelector(`[data-slider="${plane}-${name}"]`).value));
      act({ do: "arm", plane, orbital, tilt });
    }
  };
  root.addEventListener("change", ({ target }) => {
    const { radio, select: list } = target.dataset;
    if (["patient", "level", "fracture"].includes(list)) act({ do: "choose", [list]: target.value });
    else if (radio === "side") act({ do: "aim", side: target.value });
    else if (radio === "gauge") act({ do: "aim", gauge: target.value });
    else if (radio === "screening") act({ do: "screen", plane: target.value });
    else if (radio === "balloon") act({ do: "balloon", size: target.value });
    else if (radio === "speed") {
      local.speed = Number(target.value);
      part("words").hidden = !(local.speed === 0 && !["patient", "debrief"].includes(model.get("shown").stage));
    }
  });
  root.addEventListener("click", ({ target, detail }) => {
    const pressed = target.closest("button");
    // The second half of a double click must not press what has come in the button's place.
    if (!pressed || (detail > 1 && local.stage !== local.begun)) return;
    if (detail <= 1) local.begun = local.stage;
    if (pressed.dataset.act) act(JSON.parse(pressed.dataset.act));
    else if (pressed.dataset.view) act({ do: "arm", plane: "frontal", orbital: model.get("shown").down[pressed.dataset.view] ?? 0, tilt: 0 });
    else if (pressed === part("mix")) act({ do: "mix", cement: chosen("cement"), temperature: Number(part("temperature").value) });
    else if (pressed === part("refer")) {
      act({ do: "refer", reason: chosen("reason") ?? "", pathway: chosen("pathway") ?? "" });
    } else if (pressed === part("draw")) {
      const any = (keys) => keys[Math.floor(Math.random() * keys.length)];
      const fracture = any(Object.keys(about.fractures).filter((name) => name !== "burst"));
      act({ do: "choose", patient: any(Object.keys(about.patients)), level: any(about.levels), fracture });
    }
  });

  model.on("change:films", showFilms);
  model.on("change:shown", onShown);
  model.on("change:problem", onProblem);
  check("cement", Object.keys(about.cements)[0]);
  onShown();
  showFilms();
  onProblem();
  return () => {
    clearTimeout(late);
    clearTimeout(flash);
    clearInterval(tick);
    model.off("change:films", showFilms);
    model.off("change:shown", onShown);
    model.off("change:problem", onProblem);
  };
}

export default { render };
