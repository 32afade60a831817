// Shows the verdict, the picture and the model on the page.
"use strict";

const SHOWN = 5; // the largest number of labels that are shown with a bar
const element = (id) => document.getElementById(id);

function showVerdict({ label, score, reject }, { scores, unknown }) {
  const needed = contract.accept[label];
  const texts = {
    unknown: ["Unknown", `Reject: it looks like none of the labels (most like: ${label}).`],
    low_confidence: [
      "Not sure",
      `Reject: most likely ${label}, ${percent(score)}; ${percent(needed)} is needed.`,
    ],
  };
  const [head, reason] = reject ? texts[reject] : [label, `Accepted: ${percent(score)} sure.`];
  element("verdict").className = reject ? "verdict reject" : "verdict";
  element("verdict").dataset.reject = reject || "";
  element("verdict-label").textContent = head;
  element("verdict-reason").textContent = reason;
  const spoken = reject ? head : `${label}, accepted`;
  if (element("spoken").textContent !== spoken) {
    element("spoken").textContent = spoken; // said aloud only when it changes
  }
  ["verdict", "scores", "key", "details"].forEach((id) => (element(id).hidden = false));
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  const rows = order.slice(0, SHOWN).map((index) => scoreRow(labels[index], scores[index], reject));
  element("scores").replaceChildren(...rows);
  element("novelty").textContent = noveltyText(unknown);
}

function scoreRow(label, score, reject) {
  const row = document.createElement("li");
  const name = document.createElement("bdi");
  name.className = "name";
  name.textContent = label;
  const share = document.createElement("span");
  share.className = "share";
  share.textContent = percent(score);
  const bar = document.createElement("div");
  const taken = !reject && score >= contract.accept[label];
  bar.className = taken ? "bar taken" : "bar";
  const filled = document.createElement("span");
  filled.style.width = `${100 * score}%`;
  const threshold = document.createElement("i");
  threshold.style.left = `${100 * contract.accept[label]}%`;
  threshold.title = `accept threshold ${percent(contract.accept[label])}`;
  bar.append(filled, threshold);
  row.append(name, share, bar);
  return row;
}

function percent(share) {
  // Rounded down, so that 99.96% is not shown as 100%.
  return `${(Math.floor(1000 * share) / 10).toFixed(1)}%`;
}

function noveltyText(unknown) {
  if (unknown === null) {
    return "this model has none";
  }
  const { threshold } = contract.unknown;
  const limit = threshold === null ? "it rejects nothing" : `above ${threshold} a picture is rejected`;
  return `${unknown.toFixed(3)}; ${limit}`;
}

function showSeen(tensor) {
  const { height, width, channels } = contract.preprocessing;
  const canvas = element("seen");
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * pixel + channel] = tensor[pixel * channels + (channels === 3 ? channel : 0)];
    }
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function showFacts() {
  const { height, width, channels, geometry } = contract.preprocessing;
  const shapes = {
    letterbox: "the whole picture, with bars",
    center_crop: "the middle of the picture",
    squash: "the whole picture, stretched",
  };
  const coarse =
    tf.getBackend() === "webgl" && !tf.env().getBool("WEBGL_RENDER_FLOAT32_ENABLED")
      ? ", in half precision: scores may differ in the third digit"
      : "";
  const facts = [
    ["Model input", `${width} × ${height} pixels, ${channels === 3 ? "colour" : "grey"}: ${shapes[geometry]}`],
    ["Computed by", `TF.js ${tf.version.tfjs}, ${tf.getBackend()}${coarse}`],
    ["Time", "", "took"],
    ["Novelty score", "", "novelty"],
  ];
  for (const [name, text, id] of facts) {
    const term = document.createElement("dt");
    term.textContent = name;
    const said = document.createElement("dd");
    said.textContent = text;
    said.id = id || "";
    element("facts").append(term, said);
  }
}

function show(id) {
  for (const each of ["video", "photo"]) {
    element(each).hidden = each !== id;
  }
  element("empty").hidden = id !== null;
  if (id === null) {
    ["verdict", "scores", "key", "details"].forEach((each) => (element(each).hidden = true));
  }
  placeFrame();
}

// Shows which part of the picture the model sees, where that is not all of it.
function placeFrame() {
  const shown = ["video", "photo"].map(element).find((each) => !each.hidden);
  element("frame").hidden = !shown || contract.preprocessing.geometry !== "center_crop";
  if (element("frame").hidden) {
    return;
  }
  const width = shown.videoWidth || shown.width;
  const height = shown.videoHeight || shown.height;
  const scale = Math.min(shown.clientWidth / width, shown.clientHeight / height);
  const plan = planFor(height, width, contract.preprocessing);
  const left = shown.offsetLeft + (shown.clientWidth - width * scale) / 2;
  const top = shown.offsetTop + (shown.clientHeight - height * scale) / 2;
  Object.assign(element("frame").style, {
    left: `${left + plan.left * scale}px`,
    top: `${top + plan.top * scale}px`,
    width: `${plan.shrunkWidth * plan.columns * scale}px`,
    height: `${plan.shrunkHeight * plan.rows * scale}px`,
  });
}

function say(text) {
  element("status").textContent = text;
}

function complain(text) {
  say("");
  element("message").textContent = text;
  element("message").hidden = false;
}
