"""Pictures as tensors: colour and depth, resizing, warps, conversions and metadata."""
