"""Nodes kept ready for all policies of a pool together: how many pay, and when policies may rely on them."""
