"""The TF.js export: model, library, page, and a run in Node.js."""
