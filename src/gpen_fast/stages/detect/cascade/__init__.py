"""What the detectors of OpenCV's cascades share."""
