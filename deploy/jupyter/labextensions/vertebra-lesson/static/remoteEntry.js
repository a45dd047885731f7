// JupyterLab's own "Run All Cells" jumps to the last cell. This command runs all cells and keeps the reader's place.
// It needs nothing of JupyterLab's modules, so this file is written by hand as the container that the loader expects.
(() => {
  const start = async (app) => {
    const panel = app.shell.currentWidget;
    const notebook = panel?.content;
    if (!notebook?.widgets) return;
    const page = panel.node.querySelector(".jp-WindowedPanel-outer") ?? notebook.node;
    const [place, cell] = [page.scrollTop, notebook.activeCellIndex];
    const stay = () => {
      notebook.activeCellIndex = cell;
      page.scrollTop = place;
    };
    const running = app.commands.execute("notebook:run-all-cells");
    // The jump comes with the next frames; whoever scrolls by hand after that is left alone.
    requestAnimationFrame(() => requestAnimationFrame(stay));
    setTimeout(stay, 150);
    await running;
  };

  const plugin = {
    id: "vertebra-lesson:start",
    autoStart: true,
    activate: (app) => app.commands.addCommand("vertebra:start-lesson", {
      label: "Start this lesson",
      execute: () => start(app),
    }),
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["vertebra-lesson"] = {
    init: () => {},
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
