"""What a student sees and moves: thin widgets over the rooms below, each with its browser half beside it."""
