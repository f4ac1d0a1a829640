#!/bin/sh

# Hand-over to InferenceCostPolicy/resnet in namespace team-a from ScaledObject/resnet-keda (Deployment/resnet).
# Never two scale at once; in between replicas stay as they are, and no pod is restarted.
# Replicas now: 4; the operator would run 3.
# The installation must have enforce.enabled=true: `kubectl inference-cost doctor` says so.
# Bounds change: ScaledObject/resnet-keda kept 2 to 12 replicas, the policy 1 to 8.

set -eu

# 1. Keep ScaledObject/resnet-keda, to undo it.
cat > resnet-keda.undo.yaml <<'END_OF_UNDO'
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  namespace: team-a
  name: resnet-keda
spec:
  scaleTargetRef:
    name: resnet
  minReplicaCount: 2
  maxReplicaCount: 12
  triggers:
  - type: prometheus
    metadata:
      query: sum(rate(x[1m]))
      threshold: '20'
END_OF_UNDO

# 2. Let the operator scale; while the other is there it writes nothing.
kubectl -n team-a patch icp resnet --type merge -p '{"spec":{"mode":"Enforce"}}'
kubectl -n team-a wait icp/resnet --for=condition=Conflicted=True --timeout=120s

# 3. Pause ScaledObject/resnet-keda: KEDA takes its HorizontalPodAutoscaler away, and replicas stay.
kubectl -n team-a annotate scaledobject resnet-keda autoscaling.keda.sh/paused=true --overwrite

# 4. See that the operator has them.
kubectl -n team-a wait icp/resnet --for=condition=Conflicted=False --timeout=120s
kubectl inference-cost explain resnet -n team-a || true

# To undo, at any time:
#   kubectl -n team-a patch icp resnet --type merge -p '{"spec":{"mode":"Recommend"}}'
#   kubectl -n team-a annotate scaledobject resnet-keda autoscaling.keda.sh/paused-
