// LatentExplorer (explorer.py): a pad and sliders that move z, and the picture that z decodes to.

const SIDE = 256; // of the picture and of the pad, in CSS pixels (widgets.css knows it too)

/** A square on which two dimensions are dragged at once; behind the point lie prior (grey) and codes (by class). */
function buildPad(model, space, move) {
  const { limits, span, clamp } = space;
  const scale = window.devicePixelRatio || 1;
  const canvas = element("canvas", { width: SIDE * scale, height: SIDE * scale });
  canvas.style.cssText = "width: 100%; height: 100%";
  const point = element("div", { className: "point" });
  const pad = element("div", { className: "pad", tabIndex: 0, role: "application" }, canvas, point);
  const axes = [0, 1]; // the dimensions that run rightwards and upwards
  const place = (z) => [SIDE * space.share(z[axes[0]], axes[0]), SIDE * (1 - space.share(z[axes[1]], axes[1]))];

  function moveTo(right, up) {
    const z = [...model.get("z")];
    z[axes[0]] = clamp(right, axes[0]);
    z[axes[1]] = clamp(up, axes[1]);
    move(z);
  }
  function follow(event) {
    const box = pad.getBoundingClientRect();
    const [right, up] = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height];
    moveTo(limits[axes[0]][0] + right * span[axes[0]], limits[axes[1]][0] + up * span[axes[1]]);
  }
  pad.onpointerdown = (event) => (pad.setPointerCapture(event.pointerId), follow(event));
  pad.onpointermove = (event) => pad.hasPointerCapture(event.pointerId) && follow(event);
  pad.onkeydown = (event) => {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!direction) return;
    event.preventDefault(); // or else the page scrolls
    const [right, up] = axes.map((k, a) => model.get("z")[k] + direction[a] * span[k] * (event.shiftKey ? 0.1 : 0.02));
    moveTo(right, up);
  };

  const [labels, names, colours] = ["labels", "names", "colours"].map((name) => model.get(name));
  const colour = (label) => colours[label % colours.length];

  function drawCodes() {
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, SIDE, SIDE);
    const dot = (z, radius, fill) => {
      pen.fillStyle = fill;
      pen.beginPath();
      pen.arc(...place(z), radius, 0, 2 * Math.PI);
      pen.fill();
    };
    if (model.get("has_prior")) space.draws.forEach((z) => dot(z, 1, "#ccc"));
    pen.globalAlpha = 0.5;
    space.codes.forEach((z, n) => dot(z, 2, labels.length ? colour(labels[n]) : "#4477aa"));
    pen.globalAlpha = 1;
    Object.assign(pen, { font: "bold 14px sans-serif", textAlign: "center", textBaseline: "middle" });
    Object.assign(pen, { lineWidth: 4, strokeStyle: "#fff", fillStyle: "#111" });
    model.get("pair").forEach((n, end) => {
      const at = place(space.codes[n]).map((pixel) => Math.min(Math.max(pixel, 8), SIDE - 8));
      pen.strokeText("AB"[end], ...at);
      pen.fillText("AB"[end], ...at);
    });
  }

  function chooser(axis) {
    const options = limits.map((_, k) => element("option", { value: k, text: `z${k + 1}`, selected: k === axis }));
    const select = element("select", { "aria-label": axis ? "dimension upwards" : "dimension rightwards" }, ...options);
    select.onchange = () => {
      axes[axis] = Number(select.value);
      drawCodes();
      show(model.get("z"));
    };
    return select;
  }
  function show(z) {
    const [x, y] = place(z.map(clamp));
    point.style.transform = `translate(${x}px, ${y}px)`;
    const where = axes.map((k) => `z${k + 1} = ${space.readable(z[k], k)}`).join(", ");
    pad.setAttribute("aria-label", `Latent space, ${where}. Drag, or use the arrow keys.`);
  }
  const axisNames = space.limits.length > 2 ? [chooser(0), chooser(1)] : ["z₁", "z₂"];
  const caption = element("figcaption", {}, "→ ", axisNames[0], "\u2003↑ ", axisNames[1]);
  const classes = element("div", { className: "classes" });
  for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
    const swatch = element("i");
    swatch.style.background = colour(label);
    classes.append(element("span", {}, swatch, names[label] ?? `${label}`));
  }
  return { node: element("figure", {}, pad, caption, classes), drawCodes, show };
}

/** Two images, and z on its way from the code of the one to that of the other. */
function buildPlayer(model, space, move) {
  function moveBetween(share) {
    position.value = share;
    const [a, b] = model.get("pair").map((n) => space.codes[n]);
    move(a.map((value, k) => (1 - share) * value + share * b[k]));
  }
  const { button: play, stop } = buildPlay("Play A to B", "from A to B and back", 3, moveBetween);
  const position = element("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": "from A to B" });
  position.oninput = () => (stop(), moveBetween(position.valueAsNumber));

  const shape = model.get("image_shape");
  const ends = ["A", "B"].map((name, end) => {
    const choose = (n) => {
      if (!space.codes[n]) return;
      stop();
      model.set("pair", model.get("pair").map((old, k) => (k === end ? n : old)));
      moveBetween(end);
      model.save_changes();
    };
    const canvas = pictureCanvas(shape, 56, `image ${name}`);
    const number = element("input", { type: "number", min: 0, max: space.codes.length - 1, "aria-label": `number of image ${name}` });
    number.onchange = () => choose(number.valueAsNumber);
    const another = button("another", `another image ${name}`, () => choose(Math.floor(Math.random() * space.codes.length)));
    return { canvas, number, row: element("div", { className: "end" }, canvas, element("label", {}, `${name} `, number), another) };
  });
  function showEnds() {
    const pixels = bytesOf(model.get("thumbnails"));
    ends.forEach(({ canvas, number }, end) => {
      paint(canvas, pixels.subarray((end * pixels.length) / 2), shape);
      number.value = model.get("pair")[end];
    });
  }
  return { nodes: [play, ends[0].row, position, ends[1].row], stop, showEnds };
}

function render({ model, el: root }) {
  const scale = scaleOf(model.get("limits"));
  const [codes, draws] = ["codes", "draws"].map((name) => codesOf(model.get(name), scale.limits.length));
  const space = { ...scale, codes, draws };
  const shape = model.get("image_shape");
  let decode = null; // set when the weights have come

  const set = buildSetter(model, () => !decode);
  const move = (z) => set("z", z);
  const take = (z) => (player?.stop(), move(z)); // a hand on a control ends the playing
  const picture = pictureCanvas(shape, SIDE, "the picture that z decodes to");
  const sliders = buildSliders(model, space, take);
  const pad = space.limits.length > 1 ? buildPad(model, space, take) : null;
  const player = codes.length ? buildPlayer(model, space, move) : null;

  const [showSoon, forget] = oncePerFrame(() => {
    const z = model.get("z");
    paint(picture, decode ? decode([z])[0] : bytesOf(model.get("frame")), shape);
    sliders.show(z);
    pad?.show(z);
  });
  const showPair = () => {
    player?.showEnds();
    pad?.drawCodes();
  };

  const drawTitle = model.get("has_prior") ? "a random draw from the prior p(z)" : "a random point within the limits";
  const tools = element("div", { className: "tools" },
    button("Draw z at random", drawTitle, () => take(anyOf(draws))),
    button("Back to z = 0", "all dimensions to zero", () => take(space.limits.map(() => 0))),
    ...(player?.nodes ?? []));
  const message = messageLine();
  const explorer = element("div", { className: "aae-widget latent-explorer" },
    element("div", { className: "row" },
      element("figure", {}, picture, element("figcaption", {}, "decoded picture")), pad?.node ?? "", tools),
    ...sliders.nodes, message);

  model.on("change:z", showSoon);
  model.on("change:frame", showSoon);
  model.on("change:thumbnails", showPair);
  showPair();
  showSoon();
  mount(model, root, explorer, message, (content, buffers) => {
    decode = buildDecoder(content.output, buffers);
    showSoon();
  });
  return () => (player?.stop(), forget());
}

export default { render };
