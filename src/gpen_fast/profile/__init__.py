"""The clock, what it records, and what is made of that."""
