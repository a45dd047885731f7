"""Imaging: the real CT, a virtual C-arm, needles and films with known truth."""
