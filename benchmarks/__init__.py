"""Speed, as ratios: two ways in one process, in the order A B A B, on the same data."""
