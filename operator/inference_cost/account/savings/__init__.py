"""What another way to run the same demand would have cost, at the same objective."""
