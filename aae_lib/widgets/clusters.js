// ClusterBrowser (clusters.py): a button for each cluster, and the members of the chosen one, page by page.

const MEMBERS = 60; // on a page

function render({ model, el: root }) {
  const shape = model.get("image_shape");
  const area = shape.reduce((product, side) => product * side);
  const [clusters, assigned, labels] = ["clusters", "assigned", "labels"].map((name) => model.get(name));
  const certainty = floatsOf(model.get("certainty")); // log-odds, which differ where q(y | x) rounds to 1
  const heads = rowsOf(bytesOf(model.get("heads")), area);
  const percent = (share) => `${minus((100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0))} %`;
  const plural = (count) => `${count.toLocaleString("en")} image${count === 1 ? "" : "s"}`;
  let images = []; // come in a message
  let page = 0;

  const choices = clusters.map(({ size, name, purity }, k) => {
    const head = pictureCanvas(shape, 42, "");
    paint(head, heads[k], shape);
    const words = [plural(size), ...(name === null ? [] : [`named ${name}`]), ...(purity === null ? [] : [`${percent(purity)} pure`])];
    const choose = button("", `cluster ${k}: ${words.join(", ")}`, () => (model.set("cluster", k), model.save_changes()));
    choose.setAttribute("aria-label", choose.title);
    const facts = [...(name === null ? [] : [`“${name}”`]), ...(purity === null ? [] : [percent(purity)])].join(" ");
    choose.append(head, element("span", { textContent: facts }), element("small", { textContent: size.toLocaleString("en") }));
    return choose;
  });
  const orders = {
    "largest first": (a, b) => clusters[b].size - clusters[a].size,
    "purest first": (a, b) => (clusters[b].purity ?? -1) - (clusters[a].purity ?? -1),
    "by name": (a, b) => (clusters[a].name ?? Infinity) - (clusters[b].name ?? Infinity) || a - b,
    "by number": (a, b) => a - b,
  };
  const named = clusters.some(({ name }) => name !== null);
  const offered = Object.keys(orders).filter((order) => named || !/purest|name/.test(order));
  const order = element("select", { "aria-label": "order of the clusters" }, ...offered.map((text) => element("option", { text })));
  const shelf = element("div", { className: "shelf", role: "group", "aria-label": "clusters" });
  order.onchange = () => shelf.append(...clusters.map((_, k) => k).sort(orders[order.value]).map((k) => choices[k]));
  order.onchange();

  const sureness = element("select", { "aria-label": "order of the members" },
    ...["most sure first", "least sure first"].map((text) => element("option", { text })));
  const turn = (pages) => ((page += pages), showSoon());
  const [back, next] = [button("◀", "page back", () => turn(-1)), button("▶", "next page", () => turn(1))];
  sureness.onchange = () => ((page = 0), showSoon());
  const [title, range] = [element("strong"), element("output")];
  const members = element("div", { className: "members" });

  function member(n, name) {
    const wrong = name !== null && labels.length > 0 && labels[n] !== name;
    const words = [`image ${n}`, ...(labels.length ? [`label ${labels[n]}`] : []), `q(y | x) = ${(1 / (1 + Math.exp(-certainty[n]))).toFixed(3)}, log-odds ${certainty[n].toFixed(1)}`];
    const canvas = pictureCanvas(shape, 42, words.join(", ") + (wrong ? ", not of the cluster's class" : ""));
    canvas.title = words.join(", ");
    canvas.classList.toggle("wrong", wrong);
    if (images[n]) paint(canvas, images[n], shape);
    return canvas;
  }
  const [showSoon, forget] = oncePerFrame(() => {
    const k = model.get("cluster");
    const { size, name, purity } = clusters[k];
    const sign = sureness.selectedIndex ? 1 : -1;
    const mine = assigned.flatMap((cluster, n) => (cluster === k ? [n] : [])).sort((a, b) => sign * (certainty[a] - certainty[b]));
    const first = page * MEMBERS;
    const wrong = purity === null ? "" : `, ${Math.round(size * (1 - purity))} of them of another class`;
    title.textContent = `Cluster ${k}${name === null ? "" : `, named “${name}”`}: ${plural(size)}${wrong}`;
    range.value = size > MEMBERS ? `${first + 1} to ${Math.min(first + MEMBERS, size)}` : "";
    back.disabled = page === 0;
    next.disabled = first + MEMBERS >= size;
    members.replaceChildren(...mine.slice(first, first + MEMBERS).map((n) => member(n, name)));
    choices.forEach((choose, j) => choose.setAttribute("aria-pressed", j === k));
  });

  const message = messageLine();
  const hint = named && labels.length ? "Outlined: members of another class." : "";
  const widget = element("div", { className: "aae-widget cluster-browser" },
    element("div", { className: "row" }, order), shelf,
    element("div", { className: "row" }, title), element("div", { className: "row" }, sureness, back, range, next,
      element("span", { className: "hint", textContent: hint })),
    members, message);
  model.on("change:cluster", () => ((page = 0), showSoon()));
  showSoon();
  mount(model, root, widget, message, (_, buffers) => {
    images = rowsOf(bytesOf(buffers[0]), area);
    showSoon();
  });
  return forget;
}

export default { render };
