// What JupyterLab loads. It is written by hand: there is nothing to build, and player.js lies beside it.

(() => {
  const MEDIA_TYPE = "application/vnd.cnnlib.explorer+json";
  const beside = (name) => new URL(name, address).href;
  const address = document.currentScript.src;
  let shared;

  /** A package that JupyterLab shares with its extensions. */
  const lend = async (name) => (await Object.values(shared[name])[0].get())();

  /** Explorers come alive in a notebook that isn't trusted: of the output, nothing is taken but data. */
  async function mimeExtension() {
    const { Widget } = await lend("@lumino/widgets");
    await import(beside("player.js"));
    const style = document.createElement("link");
    document.head.append(Object.assign(style, { rel: "stylesheet", href: beside("player.css") }));

    class Renderer extends Widget {
      async renderModel({ data }) {
        const html = [data["text/html"]].flat().join("");
        const saved = new DOMParser().parseFromString(html, "text/html").querySelector("cnnlib-explorer");
        const explorer = document.createElement("cnnlib-explorer");
        for (const name of ["name", "codes", "kernel-first"]) {
          if (saved.hasAttribute(name)) explorer.setAttribute(name, saved.getAttribute(name));
        }
        explorer.packed = saved.querySelector("script")?.textContent.trim();
        const [figure, still] = ["figure", "img"].map((tag) => document.createElement(tag));
        const picture = saved.querySelector("img");
        figure.style.margin = 0;
        figure.append(Object.assign(still, { alt: picture.alt, src: picture.src }));
        explorer.append(figure);
        this.node.classList.add("jp-RenderedHTMLCommon");
        this.node.replaceChildren(explorer);
      }
    }
    const rendererFactory = { safe: true, mimeTypes: [MEDIA_TYPE], createRenderer: () => new Renderer() };
    return { id: "cnnlib:explorer", rank: 10, dataType: "json", rendererFactory };
  }

  /** A lesson and its exercise have the same name: the tab says which one it is. */
  async function extension() {
    const { INotebookTracker } = await lend("@jupyterlab/notebook");
    const style = document.createElement("style");
    style.textContent = '.cnnlib-exercises .lm-TabBar-tabLabel::before { content: "Exercise: "; }';
    style.textContent += '.cnnlib-solutions .lm-TabBar-tabLabel::before { content: "Solution: "; }';
    // Messages are sentences: they break between words.
    style.textContent += " .jp-OutputArea-output pre { overflow-wrap: anywhere; word-break: normal !important; }";
    document.head.append(style);
    const mark = (panel) => {
      const [, folder] = panel.context.path.match(/(?:^|[/:])(exercises|solutions)\/[^/]*$/) ?? [];
      panel.title.className = folder ? `cnnlib-${folder}` : "";
    };
    const activate = (app, tracker) => {
      tracker.widgetAdded.connect((_, panel) => {
        mark(panel);
        panel.context.pathChanged.connect(() => mark(panel));
      });
    };
    return { id: "cnnlib:tabs", autoStart: true, requires: [INotebookTracker], activate };
  }

  const modules = { "./mimeExtension": mimeExtension, "./extension": extension };
  (window._JUPYTERLAB ??= {}).cnnlib = {
    init: (scope) => void (shared = scope),
    get: async (name) => {
      const plugin = await modules[name]();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
