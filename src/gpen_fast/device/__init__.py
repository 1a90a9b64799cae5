"""The device: choice, precision, streams, memory, threads. The only writer of process-wide state."""
