// StyleMixer (mixer.py): a row of cells for each source, a column for each style input of the generator; a filled cell says
// that the input takes its w from the source. The mix is generated in the page (generator.js) where it can be.

const [SIDE, THUMB, TRACK] = [192, 56, 300]; // of the mix, of a source, and of all cells of a row, in CSS pixels

/** What stands between a source's name and its end: cells on which a pointer that is dragged fills all on its way. */
function buildTrack(model, letter, s, group, set) {
  const count = model.get("layers").length;
  const cells = model.get("layers").map((_, l) => {
    const label = `style input ${l + 1} of ${count} from ${letter}`;
    const cell = element("input", { type: "radio", name: `${group}-${l}`, title: label, "aria-label": label });
    cell.onchange = () => fill(model.get("layers"), l, l); // by the arrow keys
    return cell;
  });
  const track = element("div", { className: "track" }, ...cells);
  const fill = (layers, first, last) =>
    set("layers", layers.map((source, l) => (l >= Math.min(first, last) && l <= Math.max(first, last) ? s : source)));
  let [before, began] = [null, 0]; // as it was when the pointer came down, and where that was
  const columnAt = (event) => {
    const box = track.getBoundingClientRect();
    return Math.min(Math.max(Math.floor(((event.clientX - box.left) / box.width) * count), 0), count - 1);
  };
  track.onpointerdown = (event) => {
    track.setPointerCapture(event.pointerId);
    [before, began] = [model.get("layers"), columnAt(event)];
    fill(before, began, began);
  };
  track.onpointermove = (event) => track.hasPointerCapture(event.pointerId) && fill(before, began, columnAt(event));
  return { track, show: (layers) => cells.forEach((cell, l) => (cell.checked = layers[l] === s)) };
}

function render({ model, el: root }) {
  const shape = model.get("image_shape");
  const area = shape.reduce((product, side) => product * side);
  const letters = [..."ABC"].slice(0, model.get("sources").length);
  const count = model.get("layers").length;
  const cut = (share) => Math.floor((count * share) / 3);
  const group = `styles-${Math.random()}`; // radio buttons of one name exclude each other, in the whole page
  let parts = null; // codes, images and decoded codes, when they have come
  let generate = null; // set when the weights have come

  const set = buildSetter(model, () => !generate);
  const take = (name, value) => (stop(), set(name, value)); // a hand on a control ends the playing
  const { button: play, stop } = buildPlay("Blend", "from A alone to the mix and back", 3, (share) => set("blend", share));
  const slider = element("input", { type: "range", min: 0, max: 1, step: 0.01, "aria-label": "from A alone to the mix" });
  slider.oninput = () => take("blend", slider.valueAsNumber);

  const kinds = model.get("drawn") ? ["draw"] : ["image", "decoded"];
  const rows = letters.map((letter, s) => {
    const canvases = kinds.map((kind) => pictureCanvas(shape, THUMB, `${kind} ${letter}`));
    const { track, show } = buildTrack(model, letter, s, group, set);
    const another = button("another", `another source ${letter}`, () => {
      const [taken, all] = [model.get("sources"), Array.from(parts?.codes ?? [], (_, n) => n)];
      const free = all.filter((n) => !taken.includes(n));
      if (free.length) set("sources", taken.map((n, k) => (k === s ? anyOf(free) : n)));
    });
    const name = element("strong", { textContent: letter });
    for (const node of [name, track]) node.style.setProperty("--source", model.get("colours")[s]);
    return { nodes: [name, ...canvases, another, track], canvases, another, show };
  });
  const parted = ["coarse", "middle", "fine"].map((name, k) => [name, cut(k), cut(k + 1)]);
  const heads = parted.map(([name, from, to]) => element("span", { textContent: name, style: `flex: ${to - from}` }));
  const roll = element("div", { className: "roll" },
    element("span"), ...kinds.map((kind) => element("span", { className: "hint", textContent: kind })), element("span"),
    element("div", { className: "heads" }, ...heads), ...rows.flatMap(({ nodes }) => nodes));
  roll.style.gridTemplateColumns = `repeat(${2 + kinds.length}, max-content) ${TRACK}px`;

  const fromB = parted.map(([name, from, to]) => button(name, `A with the ${name} styles of B`, () =>
    set("layers", model.get("layers").map((_, l) => Number(l >= from && l < to)))));
  const inTurn = button(letters.join(", ") + " in turn", `from coarse to fine: ${letters.join(", ")}`, () =>
    set("layers", model.get("layers").map((_, l) => Math.floor((l * letters.length) / count))));

  const picture = pictureCanvas(shape, SIDE, "the mix");
  const [showSoon, forget] = oncePerFrame(() => {
    const [layers, sources, blend] = ["layers", "sources", "blend"].map((name) => model.get(name));
    rows.forEach(({ show }) => show(layers));
    slider.value = blend;
    if (!generate) return paint(picture, bytesOf(model.get("frame")), shape);
    const [first, ...others] = sources.map((n) => parts.codes[n]);
    const mixed = layers.map((s) => first.map((value, k) => value + (s ? blend * (others[s - 1][k] - value) : 0)));
    paint(picture, generate(mixed), shape);
  });
  function showSources() {
    if (!parts) return;
    rows.forEach(({ canvases, another }, s) => {
      const n = model.get("sources")[s];
      canvases.forEach((canvas, k) => paint(canvas, parts.pictures[k][n], shape));
      another.disabled = parts.codes.length <= letters.length;
    });
  }

  const message = messageLine();
  const widget = element("div", { className: "aae-widget style-mixer" },
    element("div", { className: "row" },
      element("div", {}, roll,
        element("p", { className: "hint", textContent: "Click a cell, or drag along a row: filled styles come from the source on their left." }),
        element("div", { className: "line" }, "A with B's", ...fromB, "styles, or", inTurn),
        element("div", { className: "line" }, play, "A alone", slider, "the mix")),
      element("figure", {}, picture, element("figcaption", { textContent: "the mix" }))), message);
  model.on("change:layers", showSoon);
  model.on("change:blend", showSoon);
  model.on("change:frame", showSoon);
  model.on("change:sources", () => (showSources(), showSoon()));
  showSoon();
  mount(model, root, widget, message, ({ kinds: layers, width }, [codes, images, decoded, ...weights]) => {
    parts = { codes: codesOf(codes, width), pictures: [images, decoded].map((bytes) => rowsOf(bytesOf(bytes), area)) };
    if (layers.length) generate = buildGenerator(layers, weights);
    showSources();
    showSoon();
  });
  return () => (stop(), forget());
}

export default { render };
