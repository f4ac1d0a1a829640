"""What keeps a need from becoming an order: the user, and caution."""
