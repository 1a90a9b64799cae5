"""The folded form in plain PyTorch: on any device, and what the forms of `cpu` and `cuda` are measured against."""
