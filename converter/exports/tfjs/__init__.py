"""The TF.js export: the model, the TF.js library, a web page, and scoring in Node.js."""
