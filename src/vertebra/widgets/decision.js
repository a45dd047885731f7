// A shared decision, browser half. The kernel writes the sheet; here it is filled in, shown and printed.

const markup = (id, about) => `
  <p class="vt-alert" role="alert" data-part="problem" hidden></p>
  <form class="sd-form" data-part="form">
    <div class="sd-who">
      <label for="${id}-name">${t("For")}</label>
      <input type="text" id="${id}-name" data-text="name" maxlength="${about.longest.name}" autocomplete="off" placeholder="${t("no full names, please")}">
      <fieldset class="sd-matters"><legend>${t("How long has it hurt?")}</legend>${Object.entries(about.stages).map(([name, text]) => `
        <label><input type="radio" name="${id}-stage" value="${name}"> <span data-taught>${text}</span></label>`).join("")}</fieldset>
    </div>
    <fieldset><legend>${t("What matters to me")}</legend><div class="sd-matters">${Object.entries(about.matters).map(([name, text]) => `
      <label><input type="checkbox" value="${name}"> <span data-taught>${text}</span></label>`).join("")}</div>
      <label class="sd-own" for="${id}-words">${t("In my words")}</label>
      <textarea id="${id}-words" data-text="words" rows="2" maxlength="${about.longest.words}"></textarea></fieldset>
    <fieldset><legend>${t("Say it back")}</legend>
      <label class="sd-own" for="${id}-teach">${t("The doctor asks: “I want to be sure I said it well. What will you tell your family about your choices?”")}</label>
      <textarea id="${id}-teach" data-text="teach" rows="2" maxlength="${about.longest.teach}"></textarea></fieldset>
    <p class="sd-print"><button type="button" class="vt-primary" data-part="print">${t("Print this page")}</button>
      <span class="vt-note">${t("Nothing you write here leaves this computer.")}</span></p>
  </form>
  <div data-part="sheet" data-taught></div>
  <p class="vt-visually-hidden" role="status" data-part="told" data-taught></p>`;

function render({ model, el }) {
  const { about, root, part, state, ask, tell, print, follow } = opened(
    { model, el }, "sd", t("Shared decision"), markup, t("The page stands still"),
  );
  let typing;

  const showControls = () => {
    for (const input of root.querySelectorAll("[data-text]")) {
      // Never under the fingers of who is typing.
      if (input !== document.activeElement) input.value = state[input.dataset.text];
    }
    for (const input of root.querySelectorAll('[type="checkbox"]')) input.checked = state.matters.includes(input.value);
    for (const input of root.querySelectorAll('[type="radio"]')) input.checked = input.value === state.stage;
  };

  const draw = (shown) => {
    part("sheet").innerHTML = shown.sheet;
    tell(shown.told, 600);
  };

  const paper = () => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shared decision</title><style>${about.paper}</style></head>
    <body class="sd-page" data-jp-theme-light="true"><div class="vt sd">${model.get("shown").sheet}</div></body></html>`;

  root.addEventListener("input", ({ target }) => {
    if (!target.dataset.text) return;
    state[target.dataset.text] = target.value;
    clearTimeout(typing);
    typing = setTimeout(ask, 250);
  });
  root.addEventListener("change", ({ target }) => {
    if (target.type === "radio") state.stage = target.value;
    else if (target.type === "checkbox") {
      state.matters = Object.keys(about.matters).filter((name) => (name === target.value ? target.checked : state.matters.includes(name)));
    } else return;
    ask();
  });
  part("form").addEventListener("submit", (event) => event.preventDefault());
  part("print").addEventListener("click", () => print(paper()));

  showControls();
  return follow(draw, () => clearTimeout(typing));
}

export default { render };
