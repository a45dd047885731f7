"""The instructor's side: hand out, grade and give feedback, from files and without running any of them."""
