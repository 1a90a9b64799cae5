"""Pictures as tensors: colour, resampling, warps, conversions and metadata. No stage knows another."""
