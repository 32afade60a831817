// The verdict on one picture, as edge/core/verdict.py decides it. A test compares the two.
"use strict";

// `scores` are the probabilities of `labels`, `unknown` the novelty score, null where there is none.
function decide({ scores, unknown }, labels, contract) {
  const best = scores.indexOf(Math.max(...scores));
  const [label, score] = [labels[best], scores[best]];
  const limit = contract.unknown ? contract.unknown.threshold : null;
  let reject = score >= contract.accept[label] ? null : "low_confidence";
  // First: what is of no label often gets low scores, too. Not `>`: nor is what is no number.
  if (unknown !== null && limit !== null && !(unknown <= limit)) {
    reject = "unknown";
  }
  return { label, score, reject };
}

if (typeof module !== "undefined") {
  module.exports = { decide };
}
