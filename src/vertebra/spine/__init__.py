"""The spine: levels, dimensions, and vertebrae that can be deformed."""
