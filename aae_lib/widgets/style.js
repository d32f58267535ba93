// StyleMatrix (style.py): a column for each content; the top row in the style of the sliders, the others in those of images.

function render({ model, el: root }) {
  const shape = model.get("image_shape");
  const names = model.get("names");
  const scale = scaleOf(model.get("limits"));
  const [draws, styles] = ["draws", "styles"].map((name) => codesOf(model.get(name), scale.limits.length));
  const area = shape.reduce((product, side) => product * side);
  const side = names.length > 12 ? 28 : 60; // of a picture, at most, in CSS pixels
  const contents = names.map((_, k) => names.map((_, j) => Number(j === k))); // one-hot: what the decoder sees before z
  let decode = null; // set when the weights have come

  const set = buildSetter(model, () => !decode);
  const move = (z) => set("z", z);
  const sliders = buildSliders(model, scale, move);

  const line = (style) => names.map((name) => pictureCanvas(shape, side, `content ${name} in ${style}`));
  const chosen = line("the style of the sliders");
  const matrix = element("div", { className: "matrix" }, element("span"),
    ...names.map((name) => element("span", { className: "name", textContent: name })),
    element("span", { className: "end", innerHTML: "style <i>z</i>" }), ...chosen);
  matrix.style.gridTemplateColumns = `repeat(${names.length + 1}, max-content)`;

  const thumbnails = rowsOf(bytesOf(model.get("thumbnails")), area);
  const rows = rowsOf(bytesOf(model.get("rows")), area);
  const takers = styles.map((style, n) => {
    const image = pictureCanvas(shape, side, `image ${n + 1}`);
    const take = button("", "take the style of this image", () => move(style));
    take.setAttribute("aria-label", `take the style of image ${n + 1}`);
    take.append(image);
    const pictures = line(`the style of image ${n + 1}`);
    paint(image, thumbnails[n], shape);
    pictures.forEach((canvas, k) => paint(canvas, rows[n * names.length + k], shape));
    matrix.append(take, ...pictures);
    return take;
  });

  const [showSoon, forget] = oncePerFrame(() => {
    const z = model.get("z");
    const pictures = decode ? decode(contents.map((y) => [...y, ...z])) : rowsOf(bytesOf(model.get("frames")), area);
    chosen.forEach((canvas, k) => paint(canvas, pictures[k], shape));
    sliders.show(z);
    takers.forEach((take, n) => take.setAttribute("aria-pressed", styles[n].every((value, k) => value === z[k])));
  });

  const message = messageLine();
  const widget = element("div", { className: "aae-widget style-matrix" },
    element("div", { className: "row" },
      button("Random style", "a random draw from the prior p(z)", () => move(anyOf(draws))),
      button("Back to z = 0", "all dimensions to zero", () => move(scale.limits.map(() => 0))),
      element("span", { className: "hint", textContent: styles.length ? "A click on an image takes its style." : "" })),
    ...sliders.nodes, matrix, message);
  model.on("change:z", showSoon);
  model.on("change:frames", showSoon);
  showSoon();
  mount(model, root, widget, message, (content, buffers) => {
    decode = buildDecoder(content.output, buffers);
    showSoon();
  });
  return forget;
}

export default { render };
