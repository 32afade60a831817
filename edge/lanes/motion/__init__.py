"""The moves of stepper motors: when each step is due (pure), and the pins that take it."""
