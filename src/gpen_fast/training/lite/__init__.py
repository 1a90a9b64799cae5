"""Training of GPEN-Lite at the speed of the device: batches, losses, and measurements that need torch alone."""
