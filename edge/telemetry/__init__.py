"""How a station, its machine and its model do, in figures."""
