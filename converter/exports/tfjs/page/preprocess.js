// Turns a picture into the model's tensor, in the same steps and with the same bytes as
// edge/core/images/preprocess.py. A test compares the two.
"use strict";

// The plan for a picture of this size: where it is cropped, how often it is halved, by which whole
// numbers its rows and columns are then divided, the size that it is then resized to, and where that
// is in the tensor. Lengths are pixels.
function planFor(height, width, spec) {
  let [top, left, cutHeight, cutWidth] = [0, 0, height, width];
  let [innerHeight, innerWidth] = [spec.height, spec.width];
  if (spec.geometry === "letterbox") {
    const scale = Math.min(spec.height / height, spec.width / width);
    innerHeight = Math.max(1, roundToEven(height * scale));
    innerWidth = Math.max(1, roundToEven(width * scale));
  } else if (spec.geometry === "center_crop") {
    const scale = Math.max(spec.height / height, spec.width / width);
    cutHeight = Math.min(height, Math.max(1, roundToEven(spec.height / scale)));
    cutWidth = Math.min(width, Math.max(1, roundToEven(spec.width / scale)));
    top = Math.floor((height - cutHeight) / 2);
    left = Math.floor((width - cutWidth) / 2);
  }
  const { halvings, rows, columns } = factorsFor(cutHeight, cutWidth, innerHeight, innerWidth);
  const usedHeight = Math.floor(cutHeight / (rows << halvings)) * (rows << halvings);
  const usedWidth = Math.floor(cutWidth / (columns << halvings)) * (columns << halvings);
  return {
    top: top + Math.floor((cutHeight - usedHeight) / 2),
    left: left + Math.floor((cutWidth - usedWidth) / 2),
    usedHeight,
    usedWidth,
    halvings,
    rows,
    columns,
    innerHeight,
    innerWidth,
    above: Math.floor((spec.height - innerHeight) / 2),
    beside: Math.floor((spec.width - innerWidth) / 2),
  };
}

// A picture is halved while both its sides stay at least as long as wanted, and divided by what is
// left of the whole factors; where the factors come out even, by exactly these.
function factorsFor(height, width, wantedHeight, wantedWidth) {
  const whole = (has, wants) => Math.max(1, Math.floor(has / wants));
  const rows = whole(height, wantedHeight);
  const columns = whole(width, wantedWidth);
  const even = height === rows * wantedHeight && width === columns * wantedWidth;
  let halvings = 0;
  const both = even ? rows | columns : Math.min(rows, columns);
  while (even ? (both >> halvings) % 2 === 0 : both >> (halvings + 1) > 0) {
    halvings++;
  }
  return {
    halvings,
    rows: even ? rows >> halvings : whole(height >> halvings, wantedHeight),
    columns: even ? columns >> halvings : whole(width >> halvings, wantedWidth),
  };
}

// The tensor of a picture of RGBA bytes: a Uint8Array of height x width x channels.
function preprocess(rgba, width, height, spec) {
  const plan = planFor(height, width, spec);
  let picture = cropped(rgba, width, plan);
  for (let i = 0; i < plan.halvings; i++) {
    picture = averageBlocks(picture, 2, 2);
  }
  const { rows, columns } = plan;
  if (rows * columns === 2) {
    // Between two pixels lies their mean.
    picture = resizeLinear(picture, picture.height / rows, picture.width / columns);
  } else if (rows * columns > 2) {
    picture = averageBlocks(picture, rows, columns);
  }
  const { rgb } = resizeLinear(picture, plan.innerHeight, plan.innerWidth);
  const tensor = new Uint8Array(spec.height * spec.width * spec.channels).fill(spec.fill);
  for (let y = 0; y < plan.innerHeight; y++) {
    let from = y * plan.innerWidth * 3;
    let to = ((plan.above + y) * spec.width + plan.beside) * spec.channels;
    for (let x = 0; x < plan.innerWidth; x++, from += 3) {
      if (spec.channels === 3) {
        tensor[to++] = rgb[from];
        tensor[to++] = rgb[from + 1];
        tensor[to++] = rgb[from + 2];
      } else {
        tensor[to++] = (77 * rgb[from] + 150 * rgb[from + 1] + 29 * rgb[from + 2] + 128) >> 8;
      }
    }
  }
  return tensor;
}

// The part of a picture that is used, as RGB bytes with its height and width.
function cropped(rgba, width, plan) {
  const rgb = new Uint8Array(plan.usedHeight * plan.usedWidth * 3);
  for (let y = 0, to = 0; y < plan.usedHeight; y++) {
    let from = ((plan.top + y) * width + plan.left) * 4;
    for (let x = 0; x < plan.usedWidth; x++, from += 4) {
      rgb[to++] = rgba[from];
      rgb[to++] = rgba[from + 1];
      rgb[to++] = rgba[from + 2];
    }
  }
  return { rgb, height: plan.usedHeight, width: plan.usedWidth };
}

// A picture shrunk by whole factors: each pixel is the mean of a block of rows x columns.
function averageBlocks(picture, rows, columns) {
  const [height, width] = [picture.height / rows, picture.width / columns];
  const result = new Uint8Array(height * width * 3);
  const area = Math.fround(1 / (rows * columns));
  const small = rows === 2 && columns === 2;
  const sums = new Int32Array(width * 3);
  for (let y = 0, from = 0, to = 0; y < height; y++) {
    sums.fill(0);
    for (let row = 0; row < rows; row++) {
      for (let at = 0; at < sums.length; at += 3) {
        for (let column = 0; column < columns; column++) {
          sums[at] += picture.rgb[from++];
          sums[at + 1] += picture.rgb[from++];
          sums[at + 2] += picture.rgb[from++];
        }
      }
    }
    for (let at = 0; at < sums.length; at++) {
      // OpenCV rounds halves up for blocks of 2 x 2, and to even for all others.
      result[to++] = small ? (sums[at] + 2) >> 2 : roundToEven(Math.fround(sums[at] * area));
    }
  }
  return { rgb: result, height, width };
}

// A picture resized by linear interpolation with weights in steps of 1/256, like OpenCV's
// INTER_LINEAR_EXACT.
function resizeLinear(picture, outHeight, outWidth) {
  const { rgb, height, width } = picture;
  if (height === outHeight && width === outWidth) {
    return picture;
  }
  const across = weightsFor(width, outWidth);
  const down = weightsFor(height, outHeight);
  const result = new Uint8Array(outHeight * outWidth * 3);
  const lines = new Map();
  // A row of the picture resized across, in units of 1/256.
  function line(y) {
    if (!lines.has(y)) {
      const row = new Int32Array(outWidth * 3);
      for (let x = 0, to = 0; x < outWidth; x++) {
        const near = (y * width + across.near[x]) * 3;
        const far = (y * width + across.far[x]) * 3;
        const weight = across.weight[x];
        for (let channel = 0; channel < 3; channel++) {
          row[to++] = rgb[near + channel] * (256 - weight) + rgb[far + channel] * weight;
        }
      }
      lines.set(y, row);
    }
    return lines.get(y);
  }
  for (let y = 0, to = 0; y < outHeight; y++) {
    const [near, far, weight] = [line(down.near[y]), line(down.far[y]), down.weight[y]];
    for (let at = 0; at < near.length; at++) {
      result[to++] = (near[at] * (256 - weight) + far[at] * weight + 32768) >> 16;
    }
  }
  return { rgb: result, height: outHeight, width: outWidth };
}

// For each pixel of a line of length `outSize`: the two pixels of a line of length `size` between
// which it lies, and the weight of the second one in units of 1/256.
function weightsFor(size, outSize) {
  const near = new Int32Array(outSize);
  const far = new Int32Array(outSize);
  const weight = new Int32Array(outSize);
  const scale = 1 / (outSize / size);
  for (let i = 0; i < outSize; i++) {
    const place = scale * (i + 0.5) - 0.5;
    const before = Math.floor(place);
    near[i] = Math.min(Math.max(before, 0), size - 1);
    far[i] = Math.min(near[i] + 1, size - 1);
    weight[i] = before >= 0 && before < size - 1 ? roundToEven((place - before) * 256) : 0;
  }
  return { near, far, weight };
}

function roundToEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) {
    return rest < 0.5 ? below : below + 1;
  }
  return below % 2 === 0 ? below : below + 1;
}

if (typeof module !== "undefined") {
  module.exports = { planFor, preprocess };
}
