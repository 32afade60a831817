"""Goods that are expected, counted and closed: deliveries, and the codes on them.

`delivery.py` (what is expected), `events.py` (what happened), `state.py` (what both come to) and
`scan.py` (what a scan is answered) are pure; `store.py` is the file that events are appended to.
`codes/` reads codes in pictures, `scanner/` a hand scanner; `station.py` has a station run both.
"""
