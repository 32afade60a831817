// Scores pictures with TF.js in Node.js, one at a time, in plain JavaScript.
//
//   node score.js TF.MIN.JS MODEL_FOLDER FOLDER PICTURES HEIGHT WIDTH CHANNELS
//
// FOLDER contains `tensors`, uint8 in C order. The script writes to it a file of float32 values for
// each output, named after the output, `outputs.json` with their shapes, and `done` with the number
// of pictures that have been scored.
"use strict";

const fs = require("fs");
const path = require("path");

const [library, modelFolder, folder, ...sizes] = process.argv.slice(2);
const [pictures, height, width, channels] = sizes.map(Number);
console.warn = () => {}; // TF.js advertises the package tfjs-node there
const tf = require(path.resolve(library));

async function score() {
  await tf.setBackend("cpu");
  const model = await tf.loadGraphModel(tf.io.fromMemory(read(modelFolder)));
  const names = model.outputs.map((output) => output.name);
  const levels = fs.readFileSync(path.join(folder, "tensors"));
  const size = height * width * channels;
  const rows = names.map(() => []);
  for (let i = 0; i < pictures; i++) {
    tf.tidy(() => {
      const tensor = Float32Array.from(levels.subarray(i * size, (i + 1) * size));
      const picture = tf.tensor4d(tensor, [1, height, width, channels]);
      const [input] = model.inputs.map((each) => each.name);
      const outputs = [].concat(model.execute({ [input]: picture }, names));
      outputs.forEach((output, at) => rows[at].push(output.dataSync()));
    });
    fs.writeFileSync(path.join(folder, "done"), String(i + 1));
  }
  const shapes = {};
  names.forEach((name, at) => {
    const values = Float32Array.from(rows[at].flatMap((row) => Array.from(row)));
    fs.writeFileSync(path.join(folder, name), Buffer.from(values.buffer));
    shapes[name] = [pictures, pictures ? values.length / pictures : 0];
  });
  fs.writeFileSync(path.join(folder, "outputs.json"), JSON.stringify(shapes));
}

function read(modelFolder) {
  const model = JSON.parse(fs.readFileSync(path.join(modelFolder, "model.json"), "utf8"));
  const [group] = model.weightsManifest;
  const bytes = Buffer.concat(group.paths.map((name) => fs.readFileSync(path.join(modelFolder, name))));
  return {
    modelTopology: model.modelTopology,
    format: model.format,
    signature: model.signature,
    weightSpecs: group.weights,
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  };
}

score().catch((error) => {
  process.stderr.write(`${error.message || error}\n`);
  process.exit(1);
});
