"""The folded network on CUDA: Triton kernels and captured graphs."""
