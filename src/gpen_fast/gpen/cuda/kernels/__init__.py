"""The generator's work on CUDA besides convolutions: one file a kernel, each with its torch reference beside it."""
