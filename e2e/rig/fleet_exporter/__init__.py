"""Triton's metrics page for simulated pods: what a real server would export under a given load.

`python -m e2e.rig.fleet_exporter --kubeconfig FILE --listen HOST:PORT` follows the pods of kwok nodes and answers
`/metrics?namespace=…&pod=…` for each that is Ready. See docs/fleet-exporter.md.
"""
