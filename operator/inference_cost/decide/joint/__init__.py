"""Pools with limits, shared out among all policies that run there."""
