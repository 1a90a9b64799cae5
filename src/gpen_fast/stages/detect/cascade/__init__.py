"""What `lite` and `haar` share, and the networks of `lite`."""
