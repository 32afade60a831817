"""From the camera to the items in view: cameras, the newest frame, the region, triggers."""
