"""What nodes cost over time, and whom it was for: from their history to lines that add up."""
