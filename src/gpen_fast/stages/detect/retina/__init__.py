"""What the two RetinaFace detectors share."""
