"""The device: its choice, precision, streams, memory and threads.

The only part of the package that writes process-wide state: torch's switches, numbers of threads, the environment,
the allocators, and limits of Pillow and OpenCV. Nothing is imported here, so that modules without torch
(`malloc`, `pillow`, `opencv`) load at once.
"""
