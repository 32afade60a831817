"""The contract: what training and device must agree on, and the model as the device sees it."""
