"""End-to-end scenarios: a real API server, the operator installed by Helm, real targets."""
