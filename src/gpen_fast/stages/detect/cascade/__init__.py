"""What the detectors on OpenCV's cascades share."""
