#!/bin/sh

# Hand-over to InferenceCostPolicy/resnet in namespace team-a from HorizontalPodAutoscaler/resnet-hpa (Deployment/resnet).
# Never two scale at once; in between replicas stay as they are, and no pod is restarted.
# Replicas now: 4; the operator would run 3.
# The installation must have enforce.enabled=true: `kubectl inference-cost doctor` says so.
# Bounds change: HorizontalPodAutoscaler/resnet-hpa kept 2 to 10 replicas, the policy 1 to 8.
# The behavior of HorizontalPodAutoscaler/resnet-hpa is not taken over; spec.behavior of the policy has the same form.
# HorizontalPodAutoscaler/resnet-hpa is managed by Helm: take it out there first, or it comes back.

set -eu

# 1. Keep HorizontalPodAutoscaler/resnet-hpa, to undo it.
cat > resnet-hpa.undo.yaml <<'END_OF_UNDO'
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  namespace: team-a
  name: resnet-hpa
  labels:
    app.kubernetes.io/managed-by: Helm
  annotations:
    team: a
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: resnet
  maxReplicas: 10
  metrics:
  - type: Resource
    resource:
      name: cpu
      target:
        type: Utilization
        averageUtilization: 80
  minReplicas: 2
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 60
END_OF_UNDO

# 2. Let the operator scale; while the other is there it writes nothing.
kubectl -n team-a patch icp resnet --type merge -p '{"spec":{"mode":"Enforce"}}'
kubectl -n team-a wait icp/resnet --for=condition=Conflicted=True --timeout=120s

# 3. Delete HorizontalPodAutoscaler/resnet-hpa: replicas stay as it left them.
kubectl -n team-a delete hpa resnet-hpa

# 4. See that the operator has them.
kubectl -n team-a wait icp/resnet --for=condition=Conflicted=False --timeout=120s
kubectl inference-cost explain resnet -n team-a || true

# To undo, at any time:
#   kubectl -n team-a patch icp resnet --type merge -p '{"spec":{"mode":"Recommend"}}'
#   kubectl -n team-a apply -f resnet-hpa.undo.yaml
