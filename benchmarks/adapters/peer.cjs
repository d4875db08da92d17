// An npm package that reads faces, behind one call: benchmarks.peers starts it. Requests and answers are peer.py's.
//
//     node peer.cjs NAME FOLDER
//
// FOLDER: where npm installed it, with @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm. It runs on WebAssembly: the
// native backend is fetched by an install script, and WebGL wants a browser.

const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const { join, resolve } = require("node:path");
const { fileURLToPath, pathToFileURL } = require("node:url");

const [name, folder] = process.argv.slice(2);
const modules = resolve(folder, "node_modules");
const load = (path) => require(join(modules, path));
const wasm = join(modules, "@tensorflow/tfjs-backend-wasm/dist/");

async function faceApi() {
  const tf = load("@tensorflow/tfjs");
  load("@tensorflow/tfjs-backend-wasm").setWasmPaths(wasm);
  await tf.setBackend("wasm");
  const { nets, detectAllFaces } = load("@vladmandic/face-api/dist/face-api.node-wasm.js");
  for (const net of ["ssdMobilenetv1", "faceLandmark68Net", "faceExpressionNet"]) {
    await nets[net].loadFromDisk(join(modules, "@vladmandic/face-api/model"));
  }
  const find = async (picture) => {
    const faces = await detectAllFaces(picture).withFaceLandmarks().withFaceExpressions();
    return faces.map((face) => [face.detection.box.area, face.expressions]);
  };
  return { tf, find, classify: (picture) => nets.faceExpressionNet.predictExpressions(picture) };
}

async function human() {
  const { fetch } = globalThis;
  // Node's own opens no files
  globalThis.fetch = async (address, ...more) =>
    String(address).startsWith("file:") ? new Response(readFileSync(fileURLToPath(address))) : fetch(address, ...more);
  const { Human } = load("@vladmandic/human/dist/human.node-wasm.js");
  const off = { enabled: false };
  const reader = new Human({
    backend: "wasm",
    wasmPath: wasm,
    modelBasePath: String(pathToFileURL(join(modules, "@vladmandic/human/models/"))),
    cacheSensitivity: 0, // each picture is a new one
    face: { detector: { maxDetected: 50 }, iris: off, description: off },
    ...{ body: off, hand: off, gesture: off, object: off, segmentation: off },
  });
  await reader.load();
  const { tf } = reader;
  const find = async (picture) => {
    const { face } = await reader.detect(picture);
    const scores = ({ emotion }) => Object.fromEntries(emotion.map((one) => [one.emotion, one.score]));
    return face.map((one) => [one.box[2] * one.box[3], scores(one)]);
  };
  // what its src/gear/emotion.ts does to a face, without the detector before it
  const order = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
  const classify = async (picture) => {
    const answer = tf.tidy(() => {
      const small = tf.image.resizeBilinear(tf.expandDims(tf.div(picture, 255)), [64, 64]);
      const gray = tf.sum(tf.mul(small, [0.2989, 0.587, 0.114]), 3, true);
      return reader.models.models.emotion.execute(tf.mul(tf.sub(gray, 0.5), 2));
    });
    const scores = Array.from(await answer.data());
    tf.dispose(answer);
    return Object.fromEntries(order.map((word, at) => [word, scores[at]]));
  };
  return { tf, find, classify };
}

function words(faces) {
  const best = (scores) => Object.keys(scores).reduce((one, other) => (scores[other] > scores[one] ? other : one));
  return faces.sort(([one], [other]) => other - one).map(([, scores]) => best(scores));
}

async function main() {
  console.log = console.error; // what packages print is no answer
  const { tf, find, classify } = await { "face-api": faceApi, human }[name]();
  for await (const line of createInterface({ input: process.stdin })) {
    const { file, shapes, whole } = JSON.parse(line);
    const pixels = readFileSync(file);
    const [named, seconds] = [[], []];
    let start = 0;
    for (const [height, width] of shapes) {
      const bytes = pixels.subarray(start, (start += height * width * 3));
      const begun = performance.now();
      const picture = tf.tensor3d(Int32Array.from(bytes), [height, width, 3], "int32");
      named.push(words(whole ? await find(picture) : [[1, await classify(picture)]]));
      if (whole) seconds.push((performance.now() - begun) / 1000);
      tf.dispose(picture);
    }
    process.stdout.write(`${JSON.stringify({ words: named, seconds })}\n`);
  }
}

main();
