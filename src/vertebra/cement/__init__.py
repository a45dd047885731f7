"""Bone cement: its chemistry, its flow through bone, its heat, and the procedures that use it."""
