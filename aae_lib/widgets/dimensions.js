// DimensionExplorer (dimensions.py): a slider over the latent dimension; for each kind of encoder its codes over the prior,
// and decoded draws. All of it comes once, in a message, and is kept: sliding shows finished pictures.

const [SIDE, GAP] = [224, 4]; // of a plot, and between pictures, in CSS pixels (widgets.css knows them too)
const NEAR = "a code is as near to the draw as the 7th nearest of as many other draws";
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const dimensionName = (axis) => `z${[...`${axis + 1}`].map((digit) => SUBSCRIPTS[digit]).join("")}`;

/** A plot's canvas: draws of the prior in grey, codes over them, each in the colour of its image's lightness. */
function drawPlot(frame, codes, draws, colourOf) {
  const scale = window.devicePixelRatio || 1;
  const canvas = element("canvas", { className: "plot", width: SIDE * scale, height: SIDE * scale, role: "img" });
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  const share = (value, axis) => (value - frame[axis][0]) / (frame[axis][1] - frame[axis][0]);
  const dot = (point, radius, fill) => {
    pen.fillStyle = fill;
    pen.beginPath();
    pen.arc(SIDE * share(point[0], 0), SIDE * (1 - share(point[1], 1)), radius, 0, 2 * Math.PI);
    pen.fill();
  };
  draws.forEach((point) => dot(point, 1.5, "#ccc"));
  pen.globalAlpha = 0.75;
  codes.forEach((point, n) => dot(point, 2, colourOf(n)));
  return canvas;
}

function render({ model, el: root }) {
  const shape = model.get("image_shape");
  const area = shape.reduce((product, side) => product * side);
  const [dimensions, names, plots, shades] = ["dimensions", "names", "plots", "shades"].map((name) => model.get(name));
  const percent = (share) => `${(100 * share).toFixed(0)} %`;
  let parts = null; // what came in the message
  const finished = {}; // by the number of the plot: its canvas and the decoded draws

  function pictures(bytes, label) {
    return rowsOf(bytesOf(bytes), area).map((pixels) => {
      const canvas = pictureCanvas(shape, 41, label); // five or more beside each other
      paint(canvas, pixels, shape);
      return canvas;
    });
  }
  function contentsOf(n) {
    if (finished[n]) return finished[n];
    const [codes, draws, images] = parts.plots.slice(3 * n, 3 * n + 3);
    const plot = drawPlot(plots[n].frame, codesOf(codes, 2), codesOf(draws, 2), (k) => shades[parts.shade[k]]);
    const decoded = pictures(images, "a decoded draw of the prior");
    const inLine = Math.floor((SIDE + GAP) / (parseFloat(decoded[0].style.width) + GAP));
    return (finished[n] = { plot, decoded: decoded.slice(0, 2 * inLine) });
  }

  const set = buildSetter(model, () => false);
  const slider = element("input", { type: "range", min: 0, max: dimensions.length - 1, step: 1, "aria-label": "latent dimension Z" });
  slider.oninput = () => set("dimension", dimensions[slider.valueAsNumber]);
  const ticks = element("div", { className: "ticks" }, ...dimensions.map((z) => element("span", { textContent: z })));

  const panels = names.map((name) => {
    const [plot, draws] = ["frame", "draws"].map((className) => element("div", { className }));
    const [axes, beyond, near] = [element("span"), element("span"), element("output", { title: NEAR })];
    const caption = element("figcaption", {}, axes, beyond);
    const node = element("section", {}, element("strong", { textContent: name }), plot, caption, near, draws);
    return { name, node, plot, axes, beyond, near, draws };
  });
  const examples = element("div", { className: "examples" });

  const [showSoon, forget] = oncePerFrame(() => {
    const column = dimensions.indexOf(model.get("dimension"));
    slider.value = column;
    slider.setAttribute("aria-valuetext", `${dimensions[column]} dimensions`);
    [...ticks.children].forEach((tick, k) => tick.classList.toggle("chosen", k === column));
    panels.forEach(({ name, plot, axes, beyond, near, draws }, row) => {
      const n = row * dimensions.length + column;
      const [right, up] = plots[n].axes;
      axes.textContent = `→ ${dimensionName(right)}\u2003↑ ${up === undefined ? "at random" : dimensionName(up)}`;
      beyond.textContent = plots[n].beyond >= 0.01 ? `${percent(plots[n].beyond)} beyond` : "";
      near.value = `${percent(plots[n].near)} of draws near a code`;
      if (!parts) return;
      const contents = contentsOf(n);
      contents.plot.setAttribute("aria-label", `codes over the prior, ${name}: ${near.value}`);
      plot.replaceChildren(contents.plot);
      draws.replaceChildren(...contents.decoded);
    });
  });

  const message = messageLine();
  const swatches = shades.map((colour) => element("i", { style: `background: ${colour}` }));
  const widget = element("div", { className: "aae-widget dimension-explorer" },
    element("div", { className: "line" }, element("span", { textContent: "latent dimension Z" }), element("div", { className: "scale" }, slider, ticks)),
    element("div", { className: "line" }, element("span", { textContent: "images held out" }), examples),
    element("div", { className: "panels" }, ...panels.map(({ node }) => node)),
    element("p", { className: "hint" }, "Above: prior ", element("i", { className: "prior" }), " and codes, coloured from dark to light images ",
      ...swatches, ". Below: draws of the prior, decoded."), message);
  model.on("change:dimension", showSoon);
  showSoon();
  mount(model, root, widget, message, (_, buffers) => {
    const [shade, images, ...plots] = buffers;
    parts = { shade: bytesOf(shade), plots };
    examples.replaceChildren(...pictures(images, "an image held out"));
    showSoon();
  });
  return forget;
}

export default { render };
