"""Questions as data: the bank, its schema, scoring, certainty marks and the responses file."""
