"""Goods that are expected, counted and closed: deliveries, and the codes on them.

`delivery.py` (the goods that are expected), `events.py` (what happened to a delivery), `state.py`
(the counts that follow from the events) and `scan.py` (the answer to a scan) are pure; `store.py`
is the file that events are appended to. `codes/` reads codes in pictures, `scanner/` a hand
scanner; `station.py` has a station run both; `reports/` says what a delivery came to.
"""
