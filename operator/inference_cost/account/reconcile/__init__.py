"""The same costs by other people's rules, and what makes the difference."""
