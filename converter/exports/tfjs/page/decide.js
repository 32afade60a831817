// Decides the verdict on one picture in the same way as edge/core/verdict.py. A test compares them.
"use strict";

// `scores` are the probabilities of `labels`; `unknown` is the novelty score, or null if the model
// has none.
function decide({ scores, unknown }, labels, contract) {
  const best = scores.indexOf(Math.max(...scores));
  const [label, score] = [labels[best], scores[best]];
  const limit = contract.unknown ? contract.unknown.threshold : null;
  let reject = score >= contract.accept[label] ? null : "low_confidence";
  // This reason comes first, because unknown things often get low scores, too. It is written with
  // `<=`, so that a score that is not a number is rejected as well.
  if (unknown !== null && limit !== null && !(unknown <= limit)) {
    reject = "unknown";
  }
  return { label, score, reject };
}

if (typeof module !== "undefined") {
  module.exports = { decide };
}
