"""The folded form in plain PyTorch."""
