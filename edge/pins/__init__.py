"""The pins of this machine: the header, the pins that are switched and read, and I2C buses."""
