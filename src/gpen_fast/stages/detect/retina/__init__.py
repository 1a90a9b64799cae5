"""What RetinaFace's detectors share."""
