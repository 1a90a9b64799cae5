"""The folded form on a CPU: one face in oneDNN's fused convolutions, and several faces side by side."""
