"""Nodes whose pods run as local processes; see docs/process-nodes.md."""
