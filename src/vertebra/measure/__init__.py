"""Morphometry of the vertebral body and the fracture scores built on it."""
