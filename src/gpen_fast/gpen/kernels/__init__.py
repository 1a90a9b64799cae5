"""The generator's elementwise work on CUDA: one file a kernel, each with its torch reference beside it."""
