// The page's side of all widgets: each one's module is this file with its own behind it (page.py, "script").
// What a widget shows lives in its model: a control changes it there, and every change of it, whether from a control or from
// Python, is shown in the next animation frame.

/** An element with properties, aria attributes and children. */
function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  for (const name in properties) if (/^aria-|^role$/.test(name)) node.setAttribute(name, properties[name]);
  node.append(...children);
  return node;
}
const button = (text, title, onclick) => element("button", { type: "button", textContent: text, title, onclick });
const messageLine = () => element("p", { className: "message", role: "status" });
const minus = (text) => text.replace("-", "−");
const anyOf = (list) => list[Math.floor(Math.random() * list.length)];

// Bytes come as a DataView into a message, where they need not lie on a multiple of 4.
const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const floatsOf = (view) => new Float32Array(bytesOf(view).slice().buffer);

/** Numbers (N, width) as N arrays. */
function rowsOf(numbers, width) {
  return Array.from({ length: numbers.length / width }, (_, n) => numbers.subarray(n * width, (n + 1) * width));
}
/** float32 (N, Z) as N arrays of Z plain numbers. */
const codesOf = (view, width) => rowsOf(floatsOf(view), width).map((code) => Array.from(code));

/** A decoder that needs no kernel. Buffers: weight (in, out), bias (out) of each layer; ReLU follows all but the last.
 *  It takes inputs (N arrays) and returns pictures (N arrays of C·H·W pixels from 0 to 255). */
function buildDecoder(output, buffers) {
  const arrays = buffers.map(floatsOf);
  const finish = output === "sigmoid" ? (value) => 255 / (1 + Math.exp(-value)) : (value) => 255 * value;
  return (inputs) => {
    let batch = inputs;
    for (let k = 0; k < arrays.length; k += 2) {
      const matters = k ? (value) => value > 0 : (value) => value !== 0; // ReLU: about half of the weights are not looked at
      batch = batch.map((values) => layer(values, matters, arrays[k], arrays[k + 1]));
    }
    return batch.map((values) => Uint8ClampedArray.from(values, finish)); // rounds, and clamps to 0 … 255
  };
}

/** bias + values · weight over the values that matter, four at a time: twice as fast as one by one. */
function layer(values, matters, weight, bias) {
  const [sums, width, used] = [bias.slice(), bias.length, []];
  for (let i = 0; i < values.length; i++) if (matters(values[i])) used.push(i);
  for (let u = 0; u < used.length; u += 4) {
    const rows = [0, 1, 2, 3].map((k) => used[u + k] ?? used[u]);
    const [a, b, c, d] = rows.map((row, k) => (u + k < used.length ? values[row] : 0)); // the last four may be fewer
    const [A, B, C, D] = rows.map((row) => row * width);
    for (let j = 0; j < width; j++) sums[j] += a * weight[A + j] + b * weight[B + j] + c * weight[C + j] + d * weight[D + j];
  }
  return sums;
}

function pictureCanvas([, height, width], side, label) {
  const fit = side / Math.max(height, width);
  const scale = fit >= 2 ? Math.floor(fit) : fit; // whole multiples are crisp
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

/** Where values lie between the limits of their dimension, and how they are written. */
function scaleOf(limits) {
  const span = limits.map(([low, high]) => high - low);
  const digits = span.map((width) => Math.floor(Math.log10(width)));
  return {
    limits,
    span,
    clamp: (value, k) => Math.min(Math.max(value, limits[k][0]), limits[k][1]),
    share: (value, k) => (value - limits[k][0]) / span[k],
    unit: digits.map((digit) => 10 ** digit), // limits are tenths of it
    readable: (value, k) => minus(value.toFixed(Math.max(0, 2 - digits[k]))),
  };
}

const MOST_SLIDERS = 16;

/** A slider for each of the first dimensions of z; names count from 1. */
function buildSliders(model, scale, move) {
  const sliders = scale.limits.slice(0, MOST_SLIDERS).map(([min, max], k) => {
    const input = element("input", { type: "range", min, max, step: scale.unit[k] / 50, "aria-label": `z${k + 1}` });
    input.oninput = () => move(model.get("z").map((old, j) => (j === k ? input.valueAsNumber : old)));
    return { input, output: element("output"), name: element("span", { innerHTML: `<i>z</i><sub>${k + 1}</sub>` }) };
  });
  const rows = sliders.map(({ name, input, output }) => element("label", { className: "slider" }, name, input, output));
  const rest = scale.limits.length > MOST_SLIDERS ? `The first ${MOST_SLIDERS} of ${scale.limits.length} dimensions.` : "";
  return {
    nodes: [element("div", { className: "sliders" }, ...rows), element("p", { textContent: rest })],
    show: (z) => sliders.forEach(({ input, output }, k) => {
      input.value = z[k];
      output.value = scale.readable(z[k], k);
    }),
  };
}

/** A button that plays: while it does, `show` gets a share that goes from 0 to 1 and back in `seconds` each way. */
function buildPlay(text, title, seconds, show) {
  let frame = 0;
  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
    play.textContent = `▶ ${text}`;
  }
  function start() {
    play.textContent = "❚❚ Pause";
    const began = performance.now();
    const step = (now) => {
      frame = requestAnimationFrame(step);
      show((1 - Math.cos((Math.PI * (now - began)) / 1000 / seconds)) / 2); // gently at the ends
    };
    frame = requestAnimationFrame(step);
  }
  const play = button("", title, () => (frame ? stop() : start()));
  stop();
  return { button: play, stop };
}

/** Sets traits of the model and has Python hear of it: at once where the kernel `must` answer, else when the hand rests. */
function buildSetter(model, must) {
  let saving = 0;
  return (name, value) => {
    model.set(name, value); // fires change:name
    clearTimeout(saving);
    if (must()) model.save_changes(); // ipywidgets keeps one message on its way and holds back all but the newest
    else saving = setTimeout(() => model.save_changes(), 150);
  };
}

/** `show`, at most once in an animation frame; returns what asks for it and what calls it off. */
function oncePerFrame(show) {
  let frame = 0;
  const soon = () => (frame ||= requestAnimationFrame(() => {
    frame = 0;
    show();
  }));
  return [soon, () => cancelAnimationFrame(frame)];
}

/** Put a finished widget into its cell; `receive` gets what the kernel sends to a page that has just opened. */
function mount(model, root, widget, message, receive) {
  const controls = widget.querySelectorAll(".pad, input, select, button");
  for (const control of controls) control.dataset.lmSuppressShortcuts = "true"; // or else JupyterLab takes the arrow keys
  root.append(widget);
  model.on("change:message", () => (message.textContent = model.get("message")));
  if (!receive) return;
  model.on("msg:custom", receive);
  model.send({ wanted: "parcel" });
}
