"""Exports a model in other formats: TFLite, SavedModel, TF.js and Keras."""
