"""From the camera to the items in view: cameras, the latest frame, the region and triggers."""
