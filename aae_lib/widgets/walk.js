// Walk (walk.py): a dot on a curve in the latent plane, and the picture that it decodes to.

const SIDE = 256; // of the picture and of the plane, in CSS pixels

function render({ model, el: root }) {
  const shape = model.get("image_shape");
  const curve = codesOf(model.get("curve"), 2);
  const [classes, colours] = [model.get("classes"), model.get("colours")];
  const last = curve.length - 1;
  const classAt = (u) => Math.min(Math.floor(u * classes), classes - 1);
  const colourAt = (u) => (classes ? colours[classAt(u) % colours.length] : "#4477aa");
  let decode = null; // set when the weights have come

  const reach = 1.1 * Math.max(...curve.flat().map(Math.abs));
  const place = ([x, y]) => [(SIDE / 2) * (1 + x / reach), (SIDE / 2) * (1 - y / reach)];
  const scale = window.devicePixelRatio || 1;
  const canvas = element("canvas", { width: SIDE * scale, height: SIDE * scale, role: "img", "aria-label": "the curve in the latent plane" });
  canvas.style.cssText = "width: 100%; height: 100%";
  const point = element("div", { className: "point" });
  const plane = element("div", { className: "plane" }, canvas, point);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  Object.assign(pen, { lineWidth: 4, lineCap: "round" });
  for (let n = 0; n < last; n++) {
    pen.strokeStyle = colourAt(n / last);
    pen.beginPath();
    pen.moveTo(...place(curve[n]));
    pen.lineTo(...place(curve[n + 1]));
    pen.stroke();
  }

  const set = buildSetter(model, () => !decode);
  const move = (u) => set("u", u);
  const take = (u) => (stop(), move(u)); // a hand on a control ends the playing
  const { button: play, stop } = buildPlay("Walk", "from the start to the end and back", 10, move);
  function follow(event) {
    const box = plane.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const far = curve.map((z) => Math.hypot(place(z)[0] - x, place(z)[1] - y));
    take(far.indexOf(Math.min(...far)) / last);
  }
  plane.onpointerdown = (event) => (plane.setPointerCapture(event.pointerId), follow(event));
  plane.onpointermove = (event) => plane.hasPointerCapture(event.pointerId) && follow(event);

  const picture = pictureCanvas(shape, SIDE, "the picture that the point decodes to");
  const slider = element("input", { type: "range", min: 0, max: 1, step: 1 / last, "aria-label": "u, the share of the way" });
  slider.oninput = () => take(slider.valueAsNumber);
  const [name, where] = [element("span", { className: "class" }), element("output")];

  const [showSoon, forget] = oncePerFrame(() => {
    const u = model.get("u");
    const z = curve[Math.round(u * last)];
    paint(picture, decode ? decode([z])[0] : bytesOf(model.get("frame")), shape);
    const [x, y] = place(z);
    point.style.transform = `translate(${x}px, ${y}px)`;
    point.style.background = name.style.borderColor = colourAt(u);
    name.textContent = classes ? `class ${classAt(u)}` : "";
    where.value = `u = ${u.toFixed(3)}\u2003z = (${z.map((value) => minus(value.toFixed(2))).join(", ")})`;
    slider.value = u;
    slider.setAttribute("aria-valuetext", `${where.value} ${name.textContent}`);
  });

  const message = messageLine();
  const widget = element("div", { className: "aae-widget walk" },
    element("div", { className: "row" },
      element("figure", {}, plane, element("figcaption", { textContent: "the prior, and where z stands" })),
      element("figure", {}, picture, element("figcaption", { textContent: "decoded picture" }))),
    element("div", { className: "line" }, play, slider, name), where, message);
  model.on("change:u", showSoon);
  model.on("change:frame", showSoon);
  showSoon();
  mount(model, root, widget, message, (content, buffers) => {
    decode = buildDecoder(content.output, buffers);
    showSoon();
  });
  return () => (stop(), forget());
}

export default { render };
