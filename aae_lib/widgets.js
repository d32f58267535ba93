// The page's side of LatentExplorer (widgets.py). z lives in the model: every control changes it there, and every change of it,
// from a control or from Python, is shown in the next animation frame.

const STYLE = `
.latent-explorer { color: var(--jp-ui-font-color1, #222); font: 13px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
  max-width: 760px; padding: 4px; accent-color: var(--jp-brand-color1, #1976d2); }
.latent-explorer :is(figure, p, fieldset) { margin: 0; padding: 0; border: 0; min-width: 0; }
.latent-explorer .row { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: flex-start; }
.latent-explorer .tools { display: flex; flex-direction: column; gap: 8px; flex: 1 1 130px; max-width: 260px; }
.latent-explorer figcaption, .latent-explorer legend { color: var(--jp-ui-font-color2, #555); padding: 0; }
.latent-explorer canvas { display: block; border-radius: 3px; }
.latent-explorer .picture, .latent-explorer .thumbnail { image-rendering: pixelated; background: #000; }
.latent-explorer .pad { position: relative; width: 256px; height: 256px; cursor: crosshair; touch-action: none;
  background: #fcfcfc; border-radius: 3px; box-shadow: 0 0 0 1px var(--jp-border-color1, #bbb); }
.latent-explorer .point { position: absolute; left: 0; top: 0; width: 14px; height: 14px; margin: -7px; border-radius: 50%; pointer-events: none;
  background: #fff9; border: 2px solid #111; box-sizing: border-box; box-shadow: 0 0 0 2px #fff; }
.latent-explorer :is(button, select, input[type=number]) { font: inherit; color: inherit; cursor: pointer; padding: 2px 8px;
  background: var(--jp-layout-color2, #eee); border: 1px solid var(--jp-border-color1, #bbb); border-radius: 3px; }
.latent-explorer button:hover { background: var(--jp-layout-color3, #ddd); }
.latent-explorer input[type=number] { width: 4.2em; padding: 2px; cursor: text; }
.latent-explorer :is(.pad, button, select, input):focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 2px; }
.latent-explorer .sliders { display: grid; grid-template-columns: repeat(auto-fill, minmax(215px, 1fr)); gap: 2px 20px; margin-top: 10px; }
.latent-explorer .slider { display: grid; grid-template-columns: 2em 1fr 3.5em; align-items: center; gap: 6px; }
.latent-explorer input[type=range] { width: 100%; margin: 0; }
.latent-explorer output { text-align: right; font-variant-numeric: tabular-nums; }
.latent-explorer .legend { display: flex; flex-wrap: wrap; gap: 0 8px; max-width: 256px; }
.latent-explorer .legend i { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 3px; }
.latent-explorer .message { color: var(--jp-error-color1, #c62828); }
`;

const SIDE = 256; // of the picture and the pad, in CSS pixels
const MOST_SLIDERS = 16;
const SECONDS_TO_PLAY = 3; // from A to B

const el = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(properties)) if (name.startsWith("aria-")) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

// Bytes come as a DataView somewhere inside a message, which need not lie on a multiple of 4.
const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const floatsOf = (view) => new Float32Array(bytesOf(view).slice().buffer);

const rowsOf = (view, width) => {
  const floats = floatsOf(view);
  return Array.from({ length: floats.length / width }, (_, row) => Array.from(floats.subarray(row * width, (row + 1) * width)));
};

const mix = (a, b, position) => a.map((value, k) => (1 - position) * value + position * b[k]);

/** A decoder that needs no kernel: affine layers with ReLU between them. Buffers: weight (in, out), bias (out), weight, … */
function buildDecoder(output, buffers) {
  const arrays = buffers.map(floatsOf);
  const finish = output === "sigmoid" ? (value) => 255 / (1 + Math.exp(-value)) : (value) => 255 * value;
  return (z) => {
    let values = Float32Array.from(z);
    for (let k = 0; k < arrays.length; k += 2) {
      const weight = arrays[k];
      const next = arrays[k + 1].slice();
      const width = next.length;
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (k > 0 && value <= 0) continue; // ReLU: about half of the weights need not be looked at
        const row = i * width;
        for (let j = 0; j < width; j++) next[j] += value * weight[row + j];
      }
      values = next;
    }
    return Uint8ClampedArray.from(values, finish); // rounds, and clamps to 0 … 255
  };
}

/** Put pixels (C, H, W) onto a canvas, one canvas pixel each. */
function paint(canvas, pixels, [channels, height, width]) {
  const area = height * width;
  const image = new ImageData(width, height);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[channels === 3 ? c * area + i : i];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function pictureCanvas(className, [, height, width], side, label) {
  const scale = Math.max(side / Math.max(height, width), 0);
  const whole = scale > 2 ? Math.floor(scale) : scale; // whole pixels are crisp
  const canvas = el("canvas", { className, width, height, role: "img", "aria-label": label });
  canvas.style.cssText = `width: ${whole * width}px; height: ${whole * height}px`;
  return canvas;
}

function render({ model, el: root }) {
  const shape = model.get("image_shape");
  const limits = model.get("limits");
  const codes = rowsOf(model.get("codes"), limits.length);
  const draws = rowsOf(model.get("draws"), limits.length);
  const labels = model.get("labels");
  const colours = model.get("colours");
  const span = limits.map(([low, high]) => high - low);
  const clamp = (value, k) => Math.min(Math.max(value, limits[k][0]), limits[k][1]);
  const readable = (value, k) => value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(span[k])))).replace("-", "−");

  let decode = null; // set when the weights arrive
  let frameRequest = 0;
  let saving = 0;
  let playing = 0;

  // Moving z ------------------------------------------------------------------------------------------------------------

  function move(z) {
    model.set("z", z); // fires change:z
    clearTimeout(saving);
    if (decode) saving = setTimeout(() => model.save_changes(), 150); // Python hears of it when the hand rests
    else model.save_changes(); // ipywidgets holds all but the newest back while the kernel is busy
  }
  const moveDimension = (k, value) => move(model.get("z").map((old, j) => (j === k ? clamp(value, k) : old)));

  function showSoon() {
    frameRequest ||= requestAnimationFrame(show);
  }
  function show() {
    frameRequest = 0;
    const z = model.get("z");
    paint(picture, decode ? decode(z) : bytesOf(model.get("frame")), shape);
    sliders.forEach((slider, k) => slider.show(z[k]));
    pad?.show(z);
  }

  // The parts -----------------------------------------------------------------------------------------------------------

  const picture = pictureCanvas("picture", shape, SIDE, "The picture that z decodes to");

  const sliders = limits.slice(0, MOST_SLIDERS).map(([low, high], k) => {
    const name = `z${k + 1}`;
    const input = el("input", { type: "range", min: low, max: high, step: span[k] / 200, "aria-label": name });
    const output = el("output");
    input.oninput = () => moveDimension(k, input.valueAsNumber);
    const row = el("label", { className: "slider" }, el("span", { innerHTML: `<i>z</i><sub>${k + 1}</sub>` }), input, output);
    return {
      row,
      show(value) {
        input.value = value;
        output.value = readable(value, k);
      },
    };
  });

  const pad = limits.length > 1 ? buildPad() : null;

  function buildPad() {
    const scale = window.devicePixelRatio || 1;
    const dots = el("canvas", { width: SIDE * scale, height: SIDE * scale });
    dots.style.cssText = "width: 100%; height: 100%";
    const point = el("div", { className: "point" });
    const box = el("div", { className: "pad", tabIndex: 0, role: "application", "aria-roledescription": "2-D slider" }, dots, point);
    const axes = [0, 1]; // the dimensions that run rightwards and upwards
    const place = (z) => axes.map((k, side) => {
      const share = (clamp(z[k], k) - limits[k][0]) / span[k];
      return SIDE * (side ? 1 - share : share);
    });

    function moveAxes(right, up) {
      const z = model.get("z").slice();
      z[axes[0]] = clamp(right, axes[0]);
      z[axes[1]] = clamp(up, axes[1]);
      move(z);
    }
    function follow(event) {
      const area = box.getBoundingClientRect();
      const right = (event.clientX - area.left) / area.width;
      const up = 1 - (event.clientY - area.top) / area.height;
      moveAxes(limits[axes[0]][0] + right * span[axes[0]], limits[axes[1]][0] + up * span[axes[1]]);
    }
    box.onpointerdown = (event) => {
      stop();
      box.setPointerCapture(event.pointerId);
      follow(event);
    };
    box.onpointermove = (event) => box.hasPointerCapture(event.pointerId) && follow(event);
    box.onkeydown = (event) => {
      const [right, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key] ?? [0, 0];
      if (!right && !up) return;
      event.preventDefault();
      const step = event.shiftKey ? 0.1 : 0.02;
      const z = model.get("z");
      moveAxes(z[axes[0]] + right * step * span[axes[0]], z[axes[1]] + up * step * span[axes[1]]);
    };

    function drawDots() {
      const pen = dots.getContext("2d");
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, SIDE, SIDE);
      const [zeroX, zeroY] = place(limits.map(() => 0));
      pen.fillStyle = "#ddd";
      pen.fillRect(zeroX, 0, 1, SIDE);
      pen.fillRect(0, zeroY, SIDE, 1);
      pen.globalAlpha = 0.45;
      codes.forEach((code, n) => {
        const [x, y] = place(code);
        pen.fillStyle = labels.length ? colours[labels[n] % colours.length] : "#5577aa";
        pen.beginPath();
        pen.arc(x, y, codes.length > 500 ? 1.8 : 2.8, 0, 2 * Math.PI);
        pen.fill();
      });
      pen.globalAlpha = 1;
      pen.font = "bold 13px sans-serif";
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.lineWidth = 4;
      model.get("pair").forEach((n, side) => {
        const [x, y] = place(codes[n]).map((value) => Math.min(Math.max(value, 8), SIDE - 8));
        pen.strokeStyle = "#fff";
        pen.strokeText("AB"[side], x, y);
        pen.fillStyle = "#111";
        pen.fillText("AB"[side], x, y);
      });
    }
    const chooser = (side) => {
      const choice = el("select", { "aria-label": `dimension shown ${side ? "upwards" : "to the right"}` });
      limits.forEach((_, k) => choice.append(el("option", { value: k, text: `z${k + 1}`, selected: k === side })));
      choice.onchange = () => {
        axes[side] = Number(choice.value);
        drawDots();
        showSoon();
      };
      return choice;
    };
    const caption = el("figcaption", {}, "→ ");
    if (limits.length > 2) caption.append(chooser(0), "  ↑ ", chooser(1));
    else caption.append("z₁   ↑ z₂");
    return {
      figure: el("figure", {}, box, caption, legend()),
      drawDots,
      show(z) {
        const [x, y] = place(z);
        point.style.transform = `translate(${x}px, ${y}px)`;
        const where = axes.map((k) => `z${k + 1} = ${readable(z[k], k)}`).join(", ");
        box.setAttribute("aria-label", `Latent space, ${where}; drag, or use the arrow keys`);
      },
    };
  }

  function legend() {
    const entry = (label) => {
      const dot = el("i");
      dot.style.background = colours[label % colours.length];
      return el("span", {}, dot, String(label));
    };
    return el("div", { className: "legend" }, ...[...new Set(labels)].sort((a, b) => a - b).slice(0, 30).map(entry));
  }

  // From image A to image B ---------------------------------------------------------------------------------------------

  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = "▶ Play A to B";
  }
  function start() {
    const began = performance.now();
    play.textContent = "❚❚ Pause";
    const step = (now) => {
      playing = requestAnimationFrame(step);
      const turns = (now - began) / 1000 / SECONDS_TO_PLAY; // odd from A to B, even back, slower at the ends
      moveBetween((1 - Math.cos(Math.PI * Math.max(turns, 0))) / 2);
    };
    playing = requestAnimationFrame(step);
  }
  function moveBetween(share) {
    position.value = share;
    const [a, b] = model.get("pair");
    move(mix(codes[a], codes[b], share));
  }
  const play = el("button", { type: "button", onclick: () => (playing ? stop() : start()) });
  const position = el("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": "position between A and B" });
  position.oninput = () => {
    stop();
    moveBetween(position.valueAsNumber);
  };
  const ends = [0, 1].map((side) => {
    const name = "AB"[side];
    const canvas = pictureCanvas("thumbnail", shape, 56, `Image ${name}`);
    const number = el("input", { type: "number", min: 0, max: codes.length - 1, "aria-label": `number of image ${name}` });
    const choose = (n) => {
      if (!Number.isInteger(n) || n < 0 || n >= codes.length) return;
      stop();
      model.set("pair", model.get("pair").map((old, k) => (k === side ? n : old)));
      moveBetween(side);
      model.save_changes();
    };
    number.onchange = () => choose(number.valueAsNumber);
    const another = el("button", { type: "button", textContent: "another", "aria-label": `another image ${name}` });
    another.onclick = () => choose(Math.floor(Math.random() * codes.length));
    const tools = el("div", {}, el("label", {}, `${name} `, number), el("br"), another);
    return { canvas, number, row: el("div", { className: "row end" }, canvas, tools) };
  });
  function showEnds() {
    const pixels = bytesOf(model.get("thumbnails"));
    ends.forEach(({ canvas, number }, side) => {
      paint(canvas, pixels.subarray((side * pixels.length) / 2), shape);
      number.value = model.get("pair")[side];
    });
    pad?.drawDots();
  }

  // Putting it together -------------------------------------------------------------------------------------------------

  const jump = (text, title, target) => el("button", { type: "button", textContent: text, title, onclick: () => (stop(), move(target())) });
  const drawTitle = model.get("has_prior") ? "a random draw from the prior p(z)" : "a random point within the limits";
  const tools = el("div", { className: "tools" },
    jump("Draw z at random", drawTitle, () => draws[Math.floor(Math.random() * draws.length)]),
    jump("Back to z = 0", "every dimension to zero", () => limits.map(() => 0)));
  if (codes.length) tools.append(ends[0].row, position, ends[1].row, play);

  const message = el("p", { className: "message", role: "status" });
  const hidden = limits.length - MOST_SLIDERS;
  const note = hidden > 0 ? `Sliders for the first ${MOST_SLIDERS} of ${limits.length} dimensions.` : "";
  const explorer = el("div", { className: "latent-explorer" }, el("style", { textContent: STYLE }),
    el("div", { className: "row" }, el("figure", {}, picture, el("figcaption", {}, "decoded picture")), pad?.figure ?? "", tools),
    el("div", { className: "sliders" }, ...sliders.map(({ row }) => row)), el("p", { textContent: note }), message);
  explorer.dataset.lmSuppressShortcuts = "true"; // otherwise JupyterLab takes the arrow keys
  root.append(explorer);

  model.on("change:z", showSoon);
  model.on("change:frame", showSoon);
  model.on("change:thumbnails", showEnds);
  model.on("change:message", () => (message.textContent = model.get("message")));
  model.on("msg:custom", (content, buffers) => {
    decode = buildDecoder(content.output, buffers);
    showSoon();
  });
  stop();
  pad?.drawDots();
  if (codes.length) showEnds();
  showSoon();
  model.send({ wanted: "decoder" });
  return () => (stop(), cancelAnimationFrame(frameRequest), clearTimeout(saving));
}

export default { render };
