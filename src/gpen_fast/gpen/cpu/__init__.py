"""One face on a CPU, in oneDNN's fused convolutions."""
