// A page of its own (export.py): behind a widget's module, what JupyterLab's model does for it, without JupyterLab.
{
  /** Numbers of 16 bits as Float32Array: a sign, 5 bits of exponent, 10 of fraction. */
  function floatsOfHalves(buffer) {
    return Float32Array.from(new Uint16Array(buffer), (half) => {
      const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
      return (half & 0x8000 ? -1 : 1) * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
    });
  }
  function viewOf({ bytes, halves }) {
    const text = atob(bytes ?? halves);
    const array = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) array[i] = text.charCodeAt(i);
    return new DataView(halves === undefined ? array.buffer : floatsOfHalves(array.buffer).buffer);
  }

  const { state, content, buffers, images } = JSON.parse(document.getElementById("contents").textContent);
  for (const name in state) if (state[name]?.bytes !== undefined) state[name] = viewOf(state[name]);
  const listeners = {};
  const fire = (event, ...values) => (listeners[event] ?? []).forEach((listener) => listener(...values));
  const area = state.image_shape.reduce((product, side) => product * side);
  const pictures = rowsOf(bytesOf(viewOf(images)), area);

  /** What Python does where the explorer's images A and B are others. */
  function answer(pair) {
    const both = new Uint8Array(2 * area);
    pair.forEach((n, end) => both.set(pictures[n], end * area));
    model.set("thumbnails", new DataView(both.buffer));
  }
  const model = {
    get: (name) => state[name],
    set: (name, value) => {
      state[name] = value;
      fire(`change:${name}`);
      if (name === "pair") answer(value);
    },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    save_changes: () => {}, // nobody else wants to hear of them
    send: () => fire("msg:custom", content, buffers.map(viewOf)),
  };
  const place = document.getElementById("widget");
  const [standIn] = place.children; // stays where no script runs, or an old browser stops in the middle of one
  render({ model, el: place });
  standIn.remove();
}
