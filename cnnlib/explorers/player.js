// One player for every explorer: controls, a picture, and a walk through its states.
//
// The pictures come from Python alone: all of them travel with the page, packed by states.py, or a
// running kernel draws them one by one. The same file is an anywidget module, a script in a saved
// output, and part of the JupyterLab extension.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const models = (globalThis.cnnlibModels ??= new Map()); // of running kernels, by name

// ------------------------------------------------------------------ where pictures come from

// A piece is one tag and the words behind it. A notebook that isn't trusted brings pieces too, so
// nothing passes but plain drawing.
const TAG = /^<\/?(svg|g|rect|text|tspan|path|line|polyline|polygon|circle|ellipse|image)\b[^<>]*>[^<>]*$/;
const PIECES = /<[^<]*/g;
const HARMFUL = /[\s"'/]on\w+\s*=|href\s*=\s*["']?(?!["']?data:image\/png;)|javascript:|url\(/i;

/** All states of an explorer, as states.py packs them. */
export async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const { controls, blocks, pieces, changes } = await new Response(stream).json();
  if (!pieces.every((piece) => TAG.test(piece) && !HARMFUL.test(piece))) {
    throw new Error("cnnlib: this explorer holds more than a drawing");
  }
  const states = [];
  for (const [kept, ...rest] of changes) {
    const state = kept ? states.at(-1).slice() : rest;
    if (kept) for (let i = 0, at = 0; i < rest.length; i += 2) state[(at += rest[i])] = rest[i + 1];
    states.push(state);
  }
  // A block holds the states that share their choices; within it, the sliders count.
  const sizes = blocks.map((block) => Object.values(block).reduce((n, { codes }) => n * codes.length, 1));
  const nearest = (codes, code) =>
    codes.reduce((best, c) => (Math.abs(c - code) < Math.abs(best - code) ? c : best));
  return (wanted) => {
    const codes = {};
    let number = 0;
    for (const [name, { kind, options }] of controls) {
      if (kind !== "choice") continue;
      const place = Math.max(0, options.indexOf(wanted[name]));
      codes[name] = options[place];
      number = number * options.length + place;
    }
    let place = 0;
    for (const [name, { codes: on }] of Object.entries(blocks[number])) {
      codes[name] = nearest(on, wanted[name]);
      place = place * on.length + on.indexOf(codes[name]);
    }
    for (let i = 0; i < number; i++) place += sizes[i];
    return {
      codes,
      pieces: states[place].map((piece) => pieces[piece]),
      controls: controls.map(([name, spec]) => [name, { ...spec, ...blocks[number][name] }]),
    };
  };
}

/** Pictures that travelled with the page; a kernel, if there is one, is told what is chosen. */
function fromPage(look, start, model) {
  const source = { now: look(start), paint() {} };
  source.choose = (codes) => {
    source.now = look(codes);
    model?.set("codes", source.now.codes);
    model?.save_changes();
    source.paint();
  };
  model?.on("change:codes", () => {
    const codes = model.get("codes");
    if (Object.keys(codes).some((name) => codes[name] !== source.now.codes[name])) source.choose(codes);
  });
  return source;
}

/** Pictures that a running kernel draws; the neighbours of what is shown are drawn ahead. */
function fromKernel(model) {
  const key = (codes) => JSON.stringify(Object.entries(codes).sort());
  const ahead = new Map(); // by codes: what the kernel drew before it was asked for
  const cut = (drawn) => ({ ...drawn, pieces: drawn.svg.match(PIECES) });
  let view = cut(model.get("view")), last; // the slider moved last
  const codes = () => model.get("codes");
  const exact = () => view.codes && key(view.codes) === key(codes());
  const lookAhead = () => {
    const specs = view.controls;
    if (!exact() || specs.some(([, { kind }]) => kind === "button")) return; // which changes what is drawn
    const [name, spec] = specs.find(([n]) => n === last) ?? specs.find(([, { kind }]) => kind === "slider") ?? [];
    if (!name) return;
    for (const code of [codes()[name] + 1, codes()[name] - 1]) {
      const wanted = { ...codes(), [name]: code };
      if (!stops(spec).includes(code) || ahead.has(key(wanted))) continue;
      ahead.set(key(wanted), null); // on its way
      model.send({ ahead: wanted });
    }
    for (const old of [...ahead.keys()].slice(0, -100)) ahead.delete(old);
  };
  const source = {
    get now() {
      return { ...view, codes: codes() };
    },
    paint() {},
    choose(wanted) {
      last = Object.keys(wanted).find((name) => wanted[name] !== codes()[name]) ?? last;
      model.set("codes", wanted);
      model.save_changes();
      const drawn = ahead.get(key(wanted));
      if (!drawn) return;
      view = cut(drawn);
      source.paint();
      lookAhead();
    },
    press: (name, words) => model.send({ press: name, words }),
  };
  model.on("change:view", () => {
    const drawn = model.get("view");
    if (exact() && key(drawn.codes) !== key(view.codes)) return; // what was drawn ahead has overtaken it
    view = cut(drawn);
    source.paint();
    lookAhead();
  });
  model.on("change:codes", () => source.paint(true));
  model.on("msg:custom", (drawn) => drawn.codes && ahead.set(key(drawn.codes), drawn));
  lookAhead();
  return source;
}

// ------------------------------------------------------------------ controls

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** The values that a slider has now. */
const stops = ({ codes, last }) => codes ?? Array.from({ length: last + 1 }, (_, code) => code);

function slider(spec, choose) {
  const input = element("input", { type: "range", min: 0 });
  const value = element("output");
  let codes;
  input.oninput = () => choose(codes[input.value]);
  return {
    node: element("label", {}, element("span", { textContent: spec.label }), input, value),
    update(code, now) {
      codes = stops(now);
      input.max = codes.length - 1; // before the value, which the browser would clip
      input.value = codes.indexOf(code);
      value.textContent = now.words?.[input.value] ?? `${code} (${codes[0]}–${codes.at(-1)})`;
      this.node.hidden = Boolean(now.hidden);
      input.setAttribute("aria-valuetext", now.words?.[input.value] ?? `${code}, of ${codes[0]} to ${codes.at(-1)}`);
    },
  };
}

let groups = 0;
function choice(spec, choose) {
  const name = `cnnlib-${groups++}-${Math.random()}`; // radios with one name are one group for the keyboard
  const radios = spec.options.map((option) =>
    element("input", { type: "radio", name, onchange: () => choose(option) }),
  );
  const labels = radios.map((radio, i) => element("label", {}, radio, spec.options[i]));
  return {
    node: element("fieldset", {}, element("legend", { textContent: spec.label }), ...labels),
    update: (code) => radios.forEach((radio, i) => (radio.checked = spec.options[i] === code)),
  };
}

function button(spec, choose, press) {
  const node = element("button", { type: "button", onclick: () => press(node.textContent) });
  return { node, update: (code, { words }) => (node.textContent = words) };
}

// ------------------------------------------------------------------ painting

const holder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
const kind = (piece) => piece.match(/^<\/?\w+/)[0] + piece.includes("/>");

/** Show another picture. Most of it stays as it is, so only what differs is touched. */
function repaint(picture, pieces) {
  const { pieces: old, nodes } = picture.shown ?? {};
  picture.getAnimations({ subtree: true }).forEach((animation) => animation.cancel());
  picture.querySelectorAll(".ghost").forEach((ghost) => ghost.remove());
  const alike = old?.length === pieces.length && pieces.every((p, i) => p === old[i] || kind(p) === kind(old[i]));
  if (!alike) {
    picture.innerHTML = pieces.join("");
    picture.shown = { pieces, nodes: [...picture.querySelectorAll("*")] };
    picture.style.setProperty("--natural", `${picture.firstChild.getAttribute("width")}px`);
    return;
  }
  let node = -1;
  for (const [i, piece] of pieces.entries()) {
    if (piece[1] === "/") continue;
    node++;
    if (piece === old[i]) continue;
    holder.innerHTML = piece;
    const [now, like] = [nodes[node], holder.firstChild];
    // What is set is laid out anew, even where it was the same.
    for (const { name } of [...now.attributes]) like.hasAttribute(name) || now.removeAttribute(name);
    for (const { name, value } of like.attributes) {
      if (now.getAttribute(name) !== value) now.setAttribute(name, value);
    }
    const first = now.firstChild; // other words may follow in an element of their own
    if (first?.nodeType === Node.TEXT_NODE) {
      if (first.data !== like.textContent) first.data = like.textContent;
    } else if (like.firstChild) now.prepend(like.textContent);
  }
  picture.shown.pieces = pieces;
}

// ------------------------------------------------------------------ motion

const SLIDE = 260, FLIGHT = 520; // milliseconds

/** How an element's own units become those of the picture. */
const toPicture = (svg, node) => svg.getCTM().inverse().multiply(node.getCTM());

function middle(svg, node) {
  const { x, y, width, height } = node.getBBox();
  return new DOMPoint(x + width / 2, y + height / 2).matrixTransform(toPicture(svg, node));
}

/** Let what moved slide, and copies of cells fly, as the picture says. Returns how long it takes. */
function move(svg, before) {
  let lasts = 0;
  const hide = (node, duration) => node?.animate([{ opacity: 0 }, { opacity: 0 }], { duration });
  const arrivals = new Map(); // when the last copy is there, and whether it comes on top
  for (const node of svg.querySelectorAll("[data-slide]")) {
    const old = before.get(node.dataset.slide);
    if (!old) continue;
    const { x, y } = middle(svg, node);
    if (old.x === x && old.y === y) continue;
    node.animate([{ transform: `translate(${old.x - x}px,${old.y - y}px)` }, { transform: "none" }], {
      duration: SLIDE,
      easing: "ease-in-out",
    });
    lasts = SLIDE;
  }
  for (const flight of svg.querySelector("[data-fly]")?.dataset.fly.split(";") ?? []) {
    const [from, to, beat, onto] = flight.split(" ");
    const [source, target] = [from, to].map((name) => svg.querySelector(`[data-at="${name}"]`));
    if (!source || !target) continue;
    const start = middle(svg, source), end = middle(svg, target);
    const ghost = document.createElementNS(svg.namespaceURI, "g");
    const { a, b, c, d, e, f } = toPicture(svg, source);
    const copy = ghost.appendChild(document.createElementNS(svg.namespaceURI, "g"));
    copy.setAttribute("transform", `matrix(${a} ${b} ${c} ${d} ${e} ${f})`);
    copy.append(source.cloneNode(true));
    ghost.setAttribute("class", "ghost");
    ghost.style.opacity = 0; // until its turn comes
    svg.append(ghost);
    const delay = SLIDE + FLIGHT * Number(beat ?? 0);
    ghost.animate(
      [
        { transform: "none", opacity: 1 },
        { transform: `translate(${end.x - start.x}px,${end.y - start.y}px)`, opacity: 0.85, offset: 0.92 },
        { transform: `translate(${end.x - start.x}px,${end.y - start.y}px)`, opacity: 0 },
      ],
      { delay, duration: FLIGHT, easing: "ease-in-out" },
    ).finished.then(() => ghost.remove(), () => ghost.remove());
    lasts = Math.max(lasts, delay + FLIGHT);
    arrivals.set(target, { at: Math.max(arrivals.get(target)?.at ?? 0, delay + FLIGHT), onto });
  }
  // A number is there when the copies that it is made of are, and so are words about it.
  for (const [target, { at, onto }] of arrivals) {
    const words = target.querySelector("text");
    hide(words, at);
    const old = before.get(target.dataset.at);
    if (!onto || old === undefined || !words) continue;
    const ghost = words.cloneNode();
    ghost.textContent = old;
    ghost.style.opacity = 0; // afterwards
    ghost.setAttribute("class", "ghost");
    words.after(ghost);
    ghost.animate([{ opacity: 1 }, { opacity: 1 }], { duration: at }).finished.then(
      () => ghost.remove(),
      () => ghost.remove(),
    );
  }
  if (arrivals.size) svg.querySelectorAll("[data-then]").forEach((node) => hide(node, lasts));
  return lasts;
}

// ------------------------------------------------------------------ an explorer on the page

function show(el, source) {
  el.classList.add("cnnlib-explorer");
  const picture = element("div", { className: "picture", tabIndex: 0 });
  picture.setAttribute("role", "group");
  picture.setAttribute("aria-label", "picture");
  const words = element("p", { className: "words" });
  words.setAttribute("aria-live", "polite");
  const choose = (name, code) => {
    const { codes } = source.now;
    if (codes[name] !== code) source.choose({ ...codes, [name]: code });
  };

  const kinds = { slider, choice, button };
  const controls = new Map();
  for (const [name, spec] of source.now.controls) {
    const chosen = (code) => (leave(), choose(name, code));
    controls.set(name, kinds[spec.kind](spec, chosen, (words) => source.press?.(name, words)));
  }
  el.replaceChildren(...[...controls.values()].map(({ node }) => node));

  let rest, timer, buttons, moving = false, again = false; // again: the walk begins anew
  const paint = (controlsOnly) => {
    const { codes, pieces, controls: specs } = source.now;
    for (const [name, spec] of specs) controls.get(name).update(codes[name], spec);
    if (buttons) buttons.hidden = Boolean(Object.fromEntries(specs)[walker].hidden);
    if (controlsOnly === true) return;
    const before = new Map();
    if (moving) {
      for (const node of picture.querySelectorAll("[data-slide]")) {
        before.set(node.dataset.slide, middle(picture.firstChild, node));
      }
      const piled = again ? [] : picture.querySelectorAll("[data-at]");
      for (const node of piled) before.set(node.dataset.at, node.querySelector("text")?.textContent);
    }
    repaint(picture, pieces);
    const lasts = moving ? move(picture.firstChild, before) : 0;
    moving = false;
    clearTimeout(rest); // the words are read aloud, so they wait until the picture rests
    if (!timer) rest = setTimeout(() => (words.textContent = picture.firstChild.getAttribute("aria-label")), 500);
    return lasts;
  };
  let lasted = 0;
  source.paint = (controlsOnly) => (lasted = paint(controlsOnly) ?? lasted);

  // The walk: one slider's states, one after the other.
  const [walker, walk] = source.now.controls.find(([, spec]) => spec.walk !== undefined) ?? [];
  const play = element("button", { type: "button", textContent: "Play" });
  const pause = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = undefined;
    play.textContent = "Play";
    words.textContent = picture.firstChild.getAttribute("aria-label");
  };
  // Whoever chooses sees all numbers at once; a walk shows those that it has come to.
  const leave = () => (pause(), el.classList.remove("walking"));
  const step = () => {
    el.classList.add("walking");
    const codes = stops(source.now.controls.find(([name]) => name === walker)[1]);
    const first = Math.max(0, codes.indexOf(walk.walk));
    const after = codes.indexOf(source.now.codes[walker]) + 1;
    const next = after < codes.length ? Math.max(first, after) : first;
    moving = !still.matches;
    again = next === first;
    lasted = 0;
    choose(walker, codes[next]);
    moving = false;
  };
  const goOn = () => {
    if (!el.isConnected) return pause();
    step();
    timer = setTimeout(goOn, Math.max(lasted + 350, 700));
  };
  play.onclick = () => {
    if (timer) return pause();
    play.textContent = "Pause";
    timer = -1;
    goOn();
  };
  if (walker) {
    const once = element("button", { type: "button", textContent: "Step", onclick: () => (pause(), step()) });
    buttons = element("div", { className: "walk" }, play, once);
    el.append(buttons);
  }

  el.append(picture, words);
  // JupyterLab would take the arrow keys and Enter for itself.
  el.querySelectorAll("input, button, .picture").forEach((node) => (node.dataset.lmSuppressShortcuts = "true"));

  // "row=3;column=4" as codes.
  const read = (words) =>
    Object.fromEntries(
      words.split(";").map((part) => {
        const [name, code] = part.split("=");
        const [, { kind }] = source.now.controls.find((control) => control[0] === name);
        return [name, kind === "slider" ? Number(code) : code];
      }),
    );
  const pick = (event) => {
    const target = event.target.closest("[data-pick]");
    if (!target || (timer && event.type === "pointermove")) return;
    leave();
    const [[name, code]] = Object.entries(read(target.dataset.pick));
    choose(name, code);
  };
  // A click goes into a place, which lies in a field of so many rows and columns.
  const open = (event) => {
    const target = event.target.closest("[data-open]");
    if (!target) return;
    leave();
    const { left, top, width, height } = target.getBoundingClientRect();
    const codes = read(target.dataset.open), sizes = read(target.dataset.field);
    codes.row = Math.floor(((event.clientY - top) / height) * sizes.row);
    codes.column = Math.floor(((event.clientX - left) / width) * sizes.column);
    source.choose({ ...source.now.codes, ...codes });
  };
  // Not pointerover: a new picture under a resting pointer must not undo what the keyboard chose.
  picture.addEventListener("pointermove", pick);
  picture.addEventListener("click", pick);
  picture.addEventListener("click", open);
  paint();
}

/** `<cnnlib-explorer codes name>`: a still picture, and the packed states in a script beside it. */
class Explorer extends HTMLElement {
  async connectedCallback() {
    if (this.begun) return;
    this.begun = true;
    const packed = this.packed ?? this.querySelector("script")?.textContent.trim();
    if (packed) {
      try {
        this.look = await unpack(packed);
      } catch (error) {
        return console.error(error); // the still picture stays
      }
    }
    const model = models.get(this.getAttribute("name"));
    if (model) this.attach(model);
    else if (this.look) show(this, fromPage(this.look, JSON.parse(this.getAttribute("codes"))));
  }

  /** Go on with a kernel. */
  attach(model) {
    const whole = this.look && !this.hasAttribute("kernel-first");
    show(this, whole ? fromPage(this.look, model.get("codes"), model) : fromKernel(model));
  }
}
customElements.get("cnnlib-explorer") ?? customElements.define("cnnlib-explorer", Explorer);

// ------------------------------------------------------------------ for anywidget

/** A kernel's model looks for its place on the page, which may come sooner or later. */
function initialize({ model }) {
  const name = model.get("name");
  models.set(name, model);
  for (const node of document.querySelectorAll(`cnnlib-explorer[name="${name}"]`)) {
    if (node.begun) node.attach(model);
  }
  return () => models.delete(name);
}

/** The widget within another widget, such as a box. */
function render({ model, el }) {
  show(el, fromKernel(model));
}

export default { initialize, render };
