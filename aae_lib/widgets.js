// The page's side of LatentExplorer (widgets.py). z lives in the model: every control changes it there, and every change of it,
// whether from a control or from Python, is shown in the next animation frame.

const SIDE = 256; // of the picture and of the pad, in CSS pixels (widgets.css knows it too)
const MOST_SLIDERS = 16;
const SECONDS_TO_PLAY = 3; // from A to B

/** An element with properties, aria attributes and children. */
function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  for (const name in properties) if (/^aria-|^role$/.test(name)) node.setAttribute(name, properties[name]);
  node.append(...children);
  return node;
}
const button = (text, title, onclick) => element("button", { type: "button", textContent: text, title, onclick });

// Bytes come as a DataView into a message, where they need not lie on a multiple of 4.
const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const floatsOf = (view) => new Float32Array(bytesOf(view).slice().buffer);

/** float32 (N, Z) as N arrays of Z numbers. */
function codesOf(view, width) {
  const floats = floatsOf(view);
  return Array.from({ length: floats.length / width }, (_, n) => Array.from(floats.subarray(n * width, (n + 1) * width)));
}

/** A decoder that needs no kernel. Buffers: weight (in, out), bias (out) of each layer; ReLU follows all but the last. */
function buildDecoder(output, buffers) {
  const arrays = buffers.map(floatsOf);
  const finish = output === "sigmoid" ? (value) => 255 / (1 + Math.exp(-value)) : (value) => 255 * value;
  return (z) => {
    let values = z;
    for (let k = 0; k < arrays.length; k += 2) {
      const weight = arrays[k];
      const next = arrays[k + 1].slice();
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (k > 0 && value <= 0) continue; // ReLU: about half of the weights need not be looked at
        const row = i * next.length;
        for (let j = 0; j < next.length; j++) next[j] += value * weight[row + j];
      }
      values = next;
    }
    return Uint8ClampedArray.from(values, finish); // rounds, and clamps to 0 … 255
  };
}

function pictureCanvas([, height, width], side, label) {
  const fit = side / Math.max(height, width);
  const scale = fit > 2 ? Math.floor(fit) : fit; // whole multiples are crisp
  const canvas = element("canvas", { className: "picture", width, height, role: "img", "aria-label": label });
  canvas.style.cssText = `width: ${scale * width}px; height: ${scale * height}px`;
  return canvas;
}

/** Put pixels (C, H, W) onto a canvas of as many pixels. */
function paint(canvas, pixels, [channels, height, width]) {
  const area = height * width;
  const image = new ImageData(width, height);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[channels === 3 ? c * area + i : i];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** What all controls need to know of the latent space; names count from 1. */
function latentSpace(model) {
  const limits = model.get("limits");
  const span = limits.map(([low, high]) => high - low);
  const digits = span.map((width) => Math.floor(Math.log10(width)));
  return {
    limits,
    span,
    codes: codesOf(model.get("codes"), limits.length),
    draws: codesOf(model.get("draws"), limits.length),
    clamp: (value, k) => Math.min(Math.max(value, limits[k][0]), limits[k][1]),
    share: (value, k) => (value - limits[k][0]) / span[k],
    unit: digits.map((digit) => 10 ** digit), // limits are tenths of it
    readable: (value, k) => value.toFixed(Math.max(0, 2 - digits[k])).replace("-", "−"),
  };
}

/** A slider for each of the first dimensions. */
function buildSliders(model, space, move) {
  const sliders = space.limits.slice(0, MOST_SLIDERS).map(([min, max], k) => {
    const input = element("input", { type: "range", min, max, step: space.unit[k] / 50, "aria-label": `z${k + 1}` });
    input.oninput = () => move(model.get("z").map((old, j) => (j === k ? input.valueAsNumber : old)));
    return { input, output: element("output"), name: element("span", { innerHTML: `<i>z</i><sub>${k + 1}</sub>` }) };
  });
  const rows = sliders.map(({ name, input, output }) => element("label", { className: "slider" }, name, input, output));
  const rest = space.limits.length > MOST_SLIDERS ? `The first ${MOST_SLIDERS} of ${space.limits.length} dimensions.` : "";
  return {
    nodes: [element("div", { className: "sliders" }, ...rows), element("p", { textContent: rest })],
    show: (z) => sliders.forEach(({ input, output }, k) => {
      input.value = z[k];
      output.value = space.readable(z[k], k);
    }),
  };
}

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

  const [labels, colours] = [model.get("labels"), model.get("colours")];
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
  const names = space.limits.length > 2 ? [chooser(0), chooser(1)] : ["z₁", "z₂"];
  const caption = element("figcaption", {}, "→ ", names[0], "\u2003↑ ", names[1]);
  const classes = element("div", { className: "classes" });
  for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
    const swatch = element("i");
    swatch.style.background = colour(label);
    classes.append(element("span", {}, swatch, `${label}`));
  }
  return { node: element("figure", {}, pad, caption, classes), drawCodes, show };
}

/** Two images, and z on its way from the code of the one to that of the other. */
function buildPlayer(model, space, move) {
  let frame = 0;
  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
    play.textContent = "▶ Play A to B";
  }
  function start() {
    play.textContent = "❚❚ Pause";
    const began = performance.now();
    const step = (now) => {
      frame = requestAnimationFrame(step);
      moveBetween((1 - Math.cos((Math.PI * (now - began)) / 1000 / SECONDS_TO_PLAY)) / 2); // there and back, gently at the ends
    };
    frame = requestAnimationFrame(step);
  }
  function moveBetween(share) {
    position.value = share;
    const [a, b] = model.get("pair").map((n) => space.codes[n]);
    move(a.map((value, k) => (1 - share) * value + share * b[k]));
  }
  const play = button("", "from A to B and back", () => (frame ? stop() : start()));
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
  stop();
  return { nodes: [play, ends[0].row, position, ends[1].row], stop, showEnds };
}

function render({ model, el: root }) {
  const space = latentSpace(model);
  const shape = model.get("image_shape");
  let decode = null; // set when the weights have come
  let [saving, frame] = [0, 0]; // a timeout and an animation frame to come

  function move(z) {
    model.set("z", z); // fires change:z
    clearTimeout(saving);
    if (decode) saving = setTimeout(() => model.save_changes(), 150); // Python hears of it when the hand rests
    else model.save_changes(); // ipywidgets keeps one message on its way and holds back all but the newest
  }
  const take = (z) => (player?.stop(), move(z)); // a hand on a control ends the playing
  const picture = pictureCanvas(shape, SIDE, "the picture that z decodes to");
  const sliders = buildSliders(model, space, take);
  const pad = space.limits.length > 1 ? buildPad(model, space, take) : null;
  const player = space.codes.length ? buildPlayer(model, space, move) : null;

  function show() {
    frame = 0;
    const z = model.get("z");
    paint(picture, decode ? decode(z) : bytesOf(model.get("frame")), shape);
    sliders.show(z);
    pad?.show(z);
  }
  const showSoon = () => (frame ||= requestAnimationFrame(show));
  const showPair = () => {
    player?.showEnds();
    pad?.drawCodes();
  };

  const drawTitle = model.get("has_prior") ? "a random draw from the prior p(z)" : "a random point within the limits";
  const anyDraw = () => space.draws[Math.floor(Math.random() * space.draws.length)];
  const tools = element("div", { className: "tools" },
    button("Draw z at random", drawTitle, () => take(anyDraw())),
    button("Back to z = 0", "all dimensions to zero", () => take(space.limits.map(() => 0))),
    ...(player?.nodes ?? []));
  const message = element("p", { className: "message", role: "status" });
  const explorer = element("div", { className: "latent-explorer" },
    element("div", { className: "row" },
      element("figure", {}, picture, element("figcaption", {}, "decoded picture")), pad?.node ?? "", tools),
    ...sliders.nodes, message);
  const controls = explorer.querySelectorAll(".pad, input, select, button");
  for (const control of controls) control.dataset.lmSuppressShortcuts = "true"; // or else JupyterLab takes the arrow keys
  root.append(explorer);

  model.on("change:z", showSoon);
  model.on("change:frame", showSoon);
  model.on("change:thumbnails", showPair);
  model.on("change:message", () => (message.textContent = model.get("message")));
  model.on("msg:custom", (content, buffers) => {
    decode = buildDecoder(content.output, buffers);
    showSoon();
  });
  showPair();
  showSoon();
  model.send({ wanted: "decoder" });
  return () => (player?.stop(), cancelAnimationFrame(frame));
}

export default { render };
