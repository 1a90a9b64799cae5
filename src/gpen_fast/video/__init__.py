"""Videos: frames in and out with everything that a file holds beside them. Its modules import PyAV."""

# Before PyAV: both wheels bring libraries of the same names for X11, the first to be loaded serves both, and OpenCV's
# first window never returns with PyAV's.
import cv2  # noqa: F401
