"""The state of a station by PackML's names, and the incidents that change it."""
