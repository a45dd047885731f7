"""The literature, what patient pages claim, the trials, the guidelines, and how far each has been checked."""
