"""The folded form on CUDA: Triton kernels between the convolutions, and captured graphs."""
