// Controls and a picture. What is chosen goes to Python in `codes`, the picture comes in `view`.

function slider(name, spec, choose) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const value = document.createElement("output");
  input.type = "range";
  input.min = 0;
  input.oninput = () => choose(name, Number(input.value));
  label.append(Object.assign(document.createElement("span"), { textContent: spec.label }), input, value);
  return {
    node: label,
    update(code, { last }) {
      input.max = last; // before the value, which the browser would clip
      input.value = code;
      value.textContent = `${code} (0–${last})`;
    },
  };
}

function choice(name, spec, choose) {
  const group = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.textContent = spec.label;
  group.append(legend);
  const radios = spec.options.map((option) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.onchange = () => choose(name, option);
    label.append(radio, option);
    group.append(label);
    return radio;
  });
  // Radios are one group for the keyboard if they share a name, which no other widget may have.
  const group_name = `${name}-${Math.random()}`;
  radios.forEach((radio) => (radio.name = group_name));
  return {
    node: group,
    update(code, { options }) {
      radios.forEach((radio, i) => (radio.checked = options[i] === code));
    },
  };
}

function button(name, spec, choose, press) {
  const node = document.createElement("button");
  node.type = "button";
  node.onclick = () => press(name, node.textContent);
  return {
    node,
    update(code, { words }) {
      node.textContent = words;
    },
  };
}

function render({ model, el }) {
  el.classList.add("cnnlib-explorer");
  const picture = document.createElement("div");
  picture.className = "picture";
  const words = document.createElement("p");
  words.className = "words";
  words.setAttribute("aria-live", "polite");

  const choose = (name, code) => {
    if (model.get("codes")[name] === code) return;
    model.set("codes", { ...model.get("codes"), [name]: code });
    model.save_changes();
  };

  const press = (name, words) => model.send({ press: name, words });

  const kinds = { slider, choice, button };
  const controls = {};
  for (const [name, spec] of Object.entries(model.get("view").controls)) {
    controls[name] = kinds[spec.kind](name, spec, choose, press);
    el.append(controls[name].node);
  }
  el.append(picture, words);
  // JupyterLab would take the arrow keys and Enter for itself.
  el.querySelectorAll("input, button").forEach((node) => (node.dataset.lmSuppressShortcuts = "true"));

  const updateControls = () => {
    const codes = model.get("codes");
    for (const [name, spec] of Object.entries(model.get("view").controls)) {
      controls[name].update(codes[name], spec);
    }
  };
  // The words are read aloud, so they wait until the picture rests.
  let rest;
  const paint = () => {
    const { svg, alt } = model.get("view");
    picture.innerHTML = svg;
    clearTimeout(rest);
    rest = setTimeout(() => (words.textContent = alt), 500);
    updateControls();
  };
  model.on("change:codes", updateControls);
  model.on("change:view", paint);
  paint();

  const pick = (event) => {
    const target = event.target.closest("[data-pick]");
    if (!target) return;
    const [name, value] = target.dataset.pick.split("=");
    choose(name, model.get("view").controls[name].kind === "slider" ? Number(value) : value);
  };
  // Not pointerover: a new picture under a resting pointer must not undo what the keyboard chose.
  picture.addEventListener("pointermove", pick);
  picture.addEventListener("click", pick);

  return () => {
    clearTimeout(rest);
    model.off("change:codes", updateControls);
    model.off("change:view", paint);
  };
}

export default { render };
