// A style-based generator that needs no kernel: what StyleGenerator (style.py) makes of codes w without noise, one picture
// at a time. Maps (C, side, side) lie in one Float32Array. In the inner loops a window slides along a row, so that a third
// of its pixels are read anew; destructuring there would cost half of the speed.

/** Maps with a border of zeros, (C, side + 2, side + 2). */
function bordered(maps, side) {
  const [channels, wide] = [maps.length / (side * side), side + 2];
  const result = new Float32Array(channels * wide * wide);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < side; y++)
      result.set(maps.subarray((c * side + y) * side, (c * side + y + 1) * side), (c * wide + y + 1) * wide + 1);
  return result;
}

/** A 3×3 convolution with weight (out, in, 3, 3). */
function convolve(maps, side, weight, channelsIn) {
  const [from, wide, area, channelsOut] = [bordered(maps, side), side + 2, side * side, weight.length / (9 * channelsIn)];
  const to = new Float32Array(channelsOut * area);
  for (let o = 0; o < channelsOut; o++)
    for (let i = 0; i < channelsIn; i++) {
      const k = 9 * (o * channelsIn + i);
      const w0 = weight[k], w1 = weight[k + 1], w2 = weight[k + 2], w3 = weight[k + 3], w4 = weight[k + 4];
      const w5 = weight[k + 5], w6 = weight[k + 6], w7 = weight[k + 7], w8 = weight[k + 8];
      for (let y = 0; y < side; y++) {
        let above = (i * wide + y) * wide, here = above + wide, below = here + wide, q = (o * side + y) * side;
        let a = from[above++], b = from[above++], d = from[here++], e = from[here++], g = from[below++], h = from[below++];
        for (const end = q + side; q < end; q++) {
          const c = from[above++], f = from[here++], j = from[below++];
          to[q] += w0 * a + w1 * b + w2 * c + w3 * d + w4 * e + w5 * f + w6 * g + w7 * h + w8 * j;
          a = b; b = c; d = e; e = f; g = h; h = j;
        }
      }
    }
  return to;
}

/** Nearest neighbours to twice the side, then a 3×3 convolution. Each pixel becomes 2×2, and each of these sees 2×2 pixels:
 *  weight (out, in, 2, 2, 2, 2), those that it becomes before those that they see. */
function enlargeAndConvolve(maps, side, weight, channelsIn) {
  const [from, wide, twice, channelsOut] = [bordered(maps, side), side + 2, 2 * side, weight.length / (16 * channelsIn)];
  const to = new Float32Array(channelsOut * twice * twice);
  for (let o = 0; o < channelsOut; o++)
    for (let i = 0; i < channelsIn; i++) {
      const k = 16 * (o * channelsIn + i);
      const w0 = weight[k], w1 = weight[k + 1], w2 = weight[k + 2], w3 = weight[k + 3]; // above left
      const x0 = weight[k + 4], x1 = weight[k + 5], x2 = weight[k + 6], x3 = weight[k + 7]; // above right
      const y0 = weight[k + 8], y1 = weight[k + 9], y2 = weight[k + 10], y3 = weight[k + 11]; // below left
      const z0 = weight[k + 12], z1 = weight[k + 13], z2 = weight[k + 14], z3 = weight[k + 15]; // below right
      for (let y = 0; y < side; y++) {
        let above = (i * wide + y) * wide, here = above + wide, below = here + wide, q = (o * twice + 2 * y) * twice;
        let a = from[above++], b = from[above++], d = from[here++], e = from[here++], g = from[below++], h = from[below++];
        for (const end = q + twice; q < end; q += 2) {
          const c = from[above++], f = from[here++], j = from[below++];
          to[q] += w0 * a + w1 * b + w2 * d + w3 * e;
          to[q + 1] += x0 * b + x1 * c + x2 * e + x3 * f;
          to[q + twice] += y0 * d + y1 * e + y2 * g + y3 * h;
          to[q + twice + 1] += z0 * e + z1 * f + z2 * h + z3 * j;
          a = b; b = c; d = e; e = f; g = h; h = j;
        }
      }
    }
  return to;
}

/** [1, 2, 1] / 4 along both sides; beyond the border all is zero. */
function blur(maps, side) {
  const [from, wide, channels] = [bordered(maps, side), side + 2, maps.length / (side * side)];
  const to = new Float32Array(maps.length);
  for (let c = 0, q = 0; c < channels; c++)
    for (let y = 0; y < side; y++) {
      let above = (c * wide + y) * wide + 1, here = above + wide, below = here + wide;
      for (let x = 0; x < side; x++, above++, here++, below++, q++) {
        const beside = from[above] + from[here - 1] + from[here + 1] + from[below];
        const diagonal = from[above - 1] + from[above + 1] + from[below - 1] + from[below + 1];
        to[q] = (4 * from[here] + 2 * beside + diagonal) / 16;
      }
    }
  return to;
}

/** weight (out, in) · values + bias. */
const linear = (values, weight, bias) =>
  bias.map((sum, j) => values.reduce((total, value, i) => total + value * weight[j * values.length + i], sum));

/** Bias and leaky ReLU, then each channel to mean b and standard deviation |1 + s|; style is s, then b. In place. */
function activateAndStyle(maps, area, bias, style) {
  const channels = bias.length;
  for (let c = 0; c < channels; c++) {
    const map = maps.subarray(c * area, (c + 1) * area);
    let sum = 0, squares = 0;
    for (let p = 0; p < area; p++) {
      const value = map[p] + bias[c];
      sum += map[p] = value < 0 ? 0.2 * value : value;
    }
    for (let p = 0; p < area; p++) squares += (map[p] - sum / area) ** 2;
    const scale = (1 + style[c]) / Math.sqrt(squares / area + 1e-8);
    const shift = style[channels + c] - (scale * sum) / area;
    for (let p = 0; p < area; p++) map[p] = map[p] * scale + shift;
  }
}

/** A function from one w (Z numbers) for each layer to a picture, C·H·W pixels from 0 to 255.
 *  kinds: "constant", "convolves" or "enlarges" of each layer; buffers: the constant; each layer's weight (but the first's),
 *  bias, and the weight and bias of its style; those to the image; and what resizes its side (H, side). */
function buildGenerator(kinds, buffers) {
  const arrays = buffers.map(floatsOf);
  const constant = arrays.shift();
  const layers = kinds.map((kind) => ({ kind, weight: kind === "constant" ? null : arrays.shift(), rest: arrays.splice(0, 3) }));
  const [toImage, imageBias, resize] = arrays;
  return (codes) => {
    let [maps, side, channels] = [constant.slice(), 4, constant.length / 16];
    layers.forEach(({ kind, weight, rest: [bias, styleWeight, styleBias] }, l) => {
      if (kind === "convolves") maps = convolve(maps, side, weight, channels);
      if (kind === "enlarges") [maps, side] = [blur(enlargeAndConvolve(maps, side, weight, channels), 2 * side), 2 * side];
      channels = bias.length;
      activateAndStyle(maps, side * side, bias, linear(codes[l], styleWeight, styleBias));
    });
    return finish(maps, side, toImage, imageBias, resize);
  };
}

/** The last maps as pixels from 0 to 255: mixed into colours, from [−1, 1] to [0, 1], and resized. */
function finish(maps, side, toImage, imageBias, resize) {
  const [area, channels, height] = [side * side, maps.length / (side * side), resize.length / side];
  const picture = new Uint8ClampedArray(imageBias.length * height * height); // rounds, and clamps to 0 … 255
  imageBias.forEach((bias, c) => {
    const colour = new Float32Array(area).fill(bias);
    for (let i = 0; i < channels; i++)
      for (let p = 0, w = toImage[c * channels + i]; p < area; p++) colour[p] += w * maps[i * area + p];
    const clamped = colour.map((value) => Math.min(Math.max((value + 1) / 2, 0), 1));
    const halfway = new Float32Array(height * side); // resized along its height
    for (let y = 0; y < height; y++)
      for (let i = 0; i < side; i++) {
        const r = resize[y * side + i];
        if (r) for (let x = 0; x < side; x++) halfway[y * side + x] += r * clamped[i * side + x];
      }
    for (let y = 0; y < height; y++)
      for (let x = 0; x < height; x++) {
        let sum = 0;
        for (let i = 0; i < side; i++) sum += resize[x * side + i] * halfway[y * side + i];
        picture[(c * height + y) * height + x] = 255 * sum;
      }
  });
  return picture;
}
