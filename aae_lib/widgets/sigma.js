// SigmaSlider (sigma.py): the log-likelihood over σ with a marker, and what a Gaussian window of that σ looks like.

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [430, 260, 62, 36, 8, 12]; // of the graph and its margins, in CSS pixels
const DRAWS = 3; // from the window

/** An SVG element with attributes and children. */
function shape(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
/** Standard normal numbers (Box & Muller 1958). */
const normals = (count) => Float32Array.from({ length: count }, () =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));

/** About five round numbers between low and high. */
function ticksBetween(low, high) {
  const rough = (high - low) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((candidate) => candidate >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(Math.round(tick / step) * step);
  return ticks;
}

function buildGraph(sigmas, curves, best, choose) {
  const [first, last] = [Math.log(sigmas[0]), Math.log(sigmas.at(-1))];
  const validation = curves[0].values;
  const peak = Math.max(...validation);
  const drop = 1.2 * (peak - validation.at(-1)); // the left end is so steep that it would flatten all
  const [low, high] = [peak - drop, peak + drop / 2];
  const x = (sigma) => ((Math.log(sigma) - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (nats) => ((high - nats) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const area = shape("svg", { x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM, overflow: "hidden" });
  const graph = shape("svg", { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "log-likelihood over σ" });
  for (const nats of ticksBetween(low, high)) {
    graph.append(shape("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: TOP + y(nats), y2: TOP + y(nats) }));
    graph.append(shape("text", { x: LEFT - 6, y: TOP + y(nats) + 4, "text-anchor": "end" }, minus(`${nats}`)));
  }
  for (const sigma of [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10])
    if (sigma >= 0.999 * sigmas[0] && sigma <= 1.001 * sigmas.at(-1))
      graph.append(shape("text", { x: LEFT + x(sigma), y: HEIGHT - BOTTOM + 15, "text-anchor": "middle" }, `${sigma}`));
  graph.append(shape("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "σ, the width of the windows"));
  graph.append(shape("text", { x: -HEIGHT / 2 + 12, y: 11, "text-anchor": "middle", transform: "rotate(-90)" }, "nats per image"), area);
  for (const { values, name } of curves) {
    const points = values.map((nats, n) => `${x(sigmas[n])},${Math.max(y(nats), -1e4)}`).join(" ");
    area.append(shape("polyline", { class: `curve ${name}`, points }));
  }
  const marker = shape("line", { class: "marker", y1: 0, y2: HEIGHT });
  const dot = shape("circle", { class: "dot", r: 5 });
  area.append(shape("line", { class: "best", x1: x(best), x2: x(best), y1: 0, y2: HEIGHT }), marker, dot);

  const follow = (event) => {
    const box = graph.getBoundingClientRect();
    const share = ((event.clientX - box.left) * (WIDTH / box.width) - LEFT) / (WIDTH - LEFT - RIGHT);
    choose(Math.round(Math.min(Math.max(share, 0), 1) * (sigmas.length - 1)));
  };
  graph.onpointerdown = (event) => (graph.setPointerCapture(event.pointerId), follow(event));
  graph.onpointermove = (event) => graph.hasPointerCapture(event.pointerId) && follow(event);
  return {
    node: graph,
    show: (n) => {
      for (const end of ["x1", "x2"]) marker.setAttribute(end, x(sigmas[n]));
      dot.setAttribute("cx", x(sigmas[n]));
      dot.setAttribute("cy", y(validation[n]));
    },
  };
}

function render({ model, el: root }) {
  const size = model.get("image_shape");
  const area = size.reduce((product, side) => product * side);
  const [sigmas, validation, own, best] = ["sigmas", "validation", "own", "best"].map((name) => model.get(name));
  const samples = rowsOf(bytesOf(model.get("samples")), area);
  let sample = 0;
  let noise = normals(DRAWS * area);

  const set = buildSetter(model, () => false);
  const choose = (n) => set("sigma", sigmas[n]);
  const curves = [{ values: validation, name: "validation" }, { values: own, name: "own" }];
  const graph = buildGraph(sigmas, curves, best, choose);
  const slider = element("input", { type: "range", min: 0, max: sigmas.length - 1, step: 1, "aria-label": "σ" });
  slider.oninput = () => choose(slider.valueAsNumber);
  const value = element("output");

  const centre = pictureCanvas(size, 100, "a sample, the centre of its window");
  const draws = Array.from({ length: DRAWS }, () => pictureCanvas(size, 100, "a draw from the window"));
  const [showSoon, forget] = oncePerFrame(() => {
    const sigma = model.get("sigma");
    const far = sigmas.map((other) => Math.abs(Math.log(other / sigma)));
    const n = far.indexOf(Math.min(...far)); // the nearest on the grid: Python may have set any
    slider.value = n;
    graph.show(n);
    const nats = (list) => minus(list[n].toFixed(1));
    value.value = `σ = ${sigmas[n].toPrecision(3)}: ${nats(validation)} nats per image on validation, ${nats(own)} on the samples themselves`;
    slider.setAttribute("aria-valuetext", value.value);
    paint(centre, samples[sample], size);
    draws.forEach((canvas, d) => {
      const noisy = (pixel, i) => pixel + 255 * sigmas[n] * noise[d * area + i];
      paint(canvas, Uint8ClampedArray.from(samples[sample], noisy), size); // what leaves [0, 1] is cut off
    });
  });

  const message = messageLine();
  const explained = (name, text) => element("span", {}, element("i", { className: name }), text);
  const key = element("figcaption", { className: "key" }, explained("validation", "validation images"),
    explained("own", "the samples themselves"), explained("best", `best on validation: σ = ${best.toPrecision(3)}`));
  const widget = element("div", { className: "aae-widget sigma-slider" },
    element("div", { className: "row" },
      element("figure", {}, graph.node, key),
      element("figure", {},
        element("div", { className: "window" }, centre, ...draws),
        element("figcaption", { textContent: "a sample, and three draws from the window of width σ around it" }),
        element("div", { className: "row" },
          button("Another sample", "the window around another sample", () => ((sample = (sample + 1) % samples.length), showSoon())),
          button("Other draws", "three other draws from the window", () => ((noise = normals(DRAWS * area)), showSoon()))))),
    element("div", { className: "line" }, element("i", { textContent: "σ" }), slider,
      button("Best σ", "back to the σ that validation likes best", () => set("sigma", best))), value, message);
  model.on("change:sigma", showSoon);
  showSoon();
  mount(model, root, widget, message);
  return forget;
}

export default { render };
