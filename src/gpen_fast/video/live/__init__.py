"""Where frames of a live run come from and go to."""
