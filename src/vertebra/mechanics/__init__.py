"""The mechanics of a vertebra and its neighbours: loads, strength and finite elements."""
