"""Triton kernels of the generator. Each kernel's file holds its torch reference, of one signature and equal result."""
