"""Which number a person of the hub has in the file system: the hub, nbgrader's settings and the tests ask here.

Each person's server runs under a number of its own, so that the exchange, which all servers see, keeps one student's
files from another. The number follows from the name alone: whoever collects can check it without asking the hub, and
no table has to be kept. Standard library only: the hub's own container has nothing else of the course.
"""

import hashlib

FIRST, COUNT = 100_000, 2_000_000_000  # above the accounts of an image, below the largest number a system takes


def uid_of(name: str) -> int:
    """Return the user and group number of a person, from FIRST to FIRST + COUNT - 1.

    Two of n people share one with a probability of about n**2 / (2 * COUNT): 1 in 4000 for 1,000 people.
    """
    return FIRST + int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % COUNT
