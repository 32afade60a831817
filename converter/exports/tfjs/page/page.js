// Classifies the camera's pictures, or a chosen one, with the model beside this page.
"use strict";

const PAUSE = 100; // milliseconds between two pictures of the camera
const LARGEST = 16e6; // pixels of a canvas on some phones

let contract, labels, model;
let stream = null;
let facing = "environment";
let turn = 0; // counts the actions of the user, so that results of an earlier one are ignored

class PageError extends Error {} // its message is for the person who looks at the page

async function start() {
  if (typeof tf === "undefined") {
    throw new PageError("tf.es2017.min.js could not be loaded: copy the whole folder to the web server.");
  }
  contract = await (await fetched("contract.json")).json();
  labels = (await (await fetched(contract.labels)).text()).split("\n").filter((line) => line);
  document.title = `${contract.title}: classify pictures`;
  element("title").textContent = contract.title;
  await tf.ready();
  try {
    // TF.js looks for the weights beside the model only where it has the model's whole address.
    model = await tf.loadGraphModel(new URL(contract.model, document.baseURI).href, {
      fetchFunc: fetched,
      onProgress: (share) => say(`Loading the model … ${Math.round(100 * share)}%`),
    });
  } catch (error) {
    throw error instanceof PageError
      ? error
      : new PageError(`The model could not be loaded (${error.message}).`);
  }
  say("Preparing the model …");
  await tf.nextFrame();
  if (!(await computesWell())) {
    await tf.setBackend("cpu"); // the numbers of some graphics processors are too coarse
  }
  if (!(await computesWell())) {
    throw new PageError("This browser computes the model wrongly: try another one.");
  }
  showFacts();
  say(`Ready. The model knows ${labels.length} labels.`);
  const waiting = [element("camera"), element("file")];
  waiting.forEach((control) => (control.disabled = false));
  element("choose").removeAttribute("aria-disabled");
  if (contract.preprocessing.crop === "item") {
    element("hint").textContent =
      "The model was trained on close pictures: let one thing fill the picture.";
    element("hint").hidden = false;
  }
  element("camera").addEventListener("click", () => (stream ? stop() : guarded(openCamera)));
  element("other").addEventListener("click", () => {
    facing = facing === "environment" ? "user" : "environment";
    guarded(openCamera);
  });
  element("file").addEventListener("change", () => guarded(classifyFile));
  window.addEventListener("resize", placeFrame);
  window.addEventListener("pagehide", stop);
}

async function fetched(address, options) {
  const answer = await fetch(address, options).catch(() => null);
  if (!answer || !answer.ok) {
    throw new PageError(
      `${address.split("/").pop()} could not be loaded${answer ? ` (the server answers ${answer.status})` : ""}: ` +
        "copy the whole folder to the web server."
    );
  }
  return answer;
}

// The camera

async function openCamera() {
  stop();
  if (!navigator.mediaDevices) {
    throw new PageError(
      "The browser gives the camera only to pages from https:// or from this computer itself " +
        "(http://localhost). You can choose a picture instead; a phone then also offers to take one."
    );
  }
  const mine = ++turn;
  say("Asking for the camera …");
  let opened;
  try {
    opened = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    throw new PageError(cameraProblem(error));
  }
  if (mine !== turn) {
    opened.getTracks().forEach((track) => track.stop());
    return;
  }
  stream = opened;
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    if (mine === turn) {
      stop();
      complain("The camera was taken away or unplugged. Start it again, or choose a picture.");
    }
  });
  const video = element("video");
  video.srcObject = stream;
  await video.play();
  show("video");
  element("camera").textContent = "Stop the camera";
  const devices = await navigator.mediaDevices.enumerateDevices();
  element("other").hidden = devices.filter((each) => each.kind === "videoinput").length < 2;
  say("");
  await watch(video, mine);
}

function cameraProblem(error) {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return (
        "The camera was refused. To allow it, use the camera or lock symbol beside the address, " +
        "then press “Use the camera” again. Or choose a picture."
      );
    case "NotFoundError":
    case "OverconstrainedError":
      return "There is no camera on this device. Choose a picture instead.";
    case "NotReadableError":
    case "AbortError":
      return "The camera is used by another program: close that, and press “Use the camera” again.";
    default:
      return `The camera cannot be used (${error.name}: ${error.message}). Choose a picture instead.`;
  }
}

async function watch(video, mine) {
  const canvas = document.createElement("canvas");
  while (mine === turn) {
    if (!document.hidden && video.videoWidth) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      await classify(drawn(canvas, video), mine);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function stop() {
  turn++;
  if (stream) {
    stream.getTracks().forEach((track) => track.stop());
    stream = null;
    element("video").srcObject = null;
    element("camera").textContent = "Use the camera";
    element("other").hidden = true;
    show(null);
    say("The camera is off.");
  }
}

// A chosen picture

async function classifyFile() {
  const [file] = element("file").files;
  element("file").value = ""; // so that the same picture can be chosen again
  if (!file) {
    return;
  }
  stop();
  const mine = ++turn;
  say("Reading the picture …");
  const bitmap = await decoded(file);
  const shrink = Math.min(1, Math.sqrt(LARGEST / (bitmap.width * bitmap.height)));
  const canvas = element("photo");
  canvas.width = Math.max(1, Math.floor(bitmap.width * shrink));
  canvas.height = Math.max(1, Math.floor(bitmap.height * shrink));
  const pixels = drawn(canvas, bitmap);
  bitmap.close();
  show("photo");
  await classify(pixels, mine);
  say(file.name);
}

async function decoded(file) {
  try {
    // The levels as they are in the file, upright, as a device reads them.
    return await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch (error) {
    try {
      return await createImageBitmap(file); // an older browser does not support all of these options
    } catch (again) {
      throw new PageError(`${file.name} is not a picture that this browser can read: use JPEG or PNG.`);
    }
  }
}

// Classification, for the camera and for chosen pictures

function drawn(canvas, source) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff"; // transparent pixels are laid on white
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

async function classify(pixels, mine) {
  const tensor = preprocess(pixels.data, pixels.width, pixels.height, contract.preprocessing);
  const before = performance.now();
  const answer = await scoresOf(tensor);
  if (mine !== turn) {
    return;
  }
  element("message").hidden = true;
  showVerdict(decide(answer, labels, contract), answer);
  showSeen(tensor);
  element("took").textContent = `${Math.round(performance.now() - before)} ms`;
}

function size() {
  const { height, width, channels } = contract.preprocessing;
  return height * width * channels;
}

async function scoresOf(tensor) {
  const { height, width, channels } = contract.preprocessing;
  const names = Object.keys(contract.outputs);
  const outputs = tf.tidy(() => {
    const picture = tf.tensor4d(Float32Array.from(tensor), [1, height, width, channels]);
    return [].concat(model.execute({ [contract.input.name]: picture }, names));
  });
  const values = await Promise.all(outputs.map((output) => output.data()));
  outputs.forEach((output) => output.dispose());
  const named = Object.fromEntries(names.map((name, at) => [name, values[at]]));
  return { scores: named.scores, unknown: named.unknown ? named.unknown[0] : null };
}

// Whether the scores of a picture add up to 1. This also warms up TF.js, whose first run is slow.
async function computesWell() {
  const { scores } = await scoresOf(new Uint8Array(size()).fill(128));
  return Math.abs(scores.reduce((sum, score) => sum + score, 0) - 1) < 0.01;
}

async function guarded(work) {
  try {
    element("message").hidden = true;
    await work();
  } catch (error) {
    complain(error instanceof PageError ? error.message : `Something went wrong: ${error.message}`);
  }
}

if (location.protocol !== "file:") {
  element("file-page").hidden = true; // it says what to do
  say("Loading TF.js …");
  document.addEventListener("DOMContentLoaded", () => guarded(start)); // TF.js is there then
}
