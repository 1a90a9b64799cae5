"""Videos: frames in and out with everything that a file holds beside them. Its modules import PyAV."""
