#!/bin/sh

# Hand-over to InferenceCostPolicy/resnet in namespace team-a from nobody.
# Never two scale at once; in between replicas stay as they are, and no pod is restarted.
# Replicas now: 4; the operator would run 3.
# The installation must have enforce.enabled=true: `kubectl inference-cost doctor` says so.

set -eu

# 1. Let the operator scale.
kubectl -n team-a patch icp resnet --type merge -p '{"spec":{"mode":"Enforce"}}'

# 2. See that the operator has them.
kubectl inference-cost explain resnet -n team-a || true

# To undo, at any time:
#   kubectl -n team-a patch icp resnet --type merge -p '{"spec":{"mode":"Recommend"}}'
