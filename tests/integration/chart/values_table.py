"""Installations that people make, keyed by a sentence."""

from typing import Any

ROLLOUT = {"kind": "Rollout", "group": "argoproj.io", "version": "v1alpha1", "plural": "rollouts"}

INSTALLATIONS: dict[str, dict[str, Any]] = {
    "no values at all": {},
    "Enforce, measured at a gateway": {
        "enforce": {"enabled": True},
        "prometheus": {"url": "http://prometheus.monitoring.svc:9090"},
        "gateway": {"preset": "envoy", "matchers": 'job="ingress"'},
    },
    "a central store behind a token and mutual TLS": {
        "prometheus": {
            "url": "https://store.example.com/prometheus",
            "matchers": 'cluster="prod-1", tenant=~"a|b"',
            "headers": {"X-Scope-OrgID": "platform"},
            "existingSecret": "store",
            "bearerTokenKey": "token",
            "caKey": "ca.crt",
            "clientCertificateKey": "tls.crt",
            "clientKeyKey": "tls.key",
            "headerKeys": {"X-Api-Key": "key"},
        }
    },
    "nodes kept ready, under a long name": {
        "enforce": {"enabled": True},
        "warm": {"enabled": True, "image": "images.example.com/pause:3.10"},
        "fullnameOverride": "a" * 63,
    },
    "everything that may be written, guarded whatever the cluster serves": {
        "enforce": {"enabled": True},
        "scaleInOrder": {"enabled": True},
        "warm": {"enabled": True, "capacityBuffers": True},
        "rbac": {"admissionPolicies": "Always"},
    },
    "more kinds to scale": {
        "enforce": {"enabled": True},
        "rbac": {"scaleTargets": [ROLLOUT]},
    },
    "definitions and roles owned by somebody else": {
        "crds": {"install": False},
        "rbac": {"create": False},
        "serviceAccount": {"create": False, "name": "inference-cost"},
    },
    "everything that can be placed, labelled and scraped": {
        "replicaCount": 1,
        "image": {"repository": "images.example.com/ico", "digest": "sha256:" + "a" * 64},
        "imagePullSecrets": [{"name": "pull"}],
        "fullnameOverride": "ico",
        "extraEnv": [
            {"name": "INFERENCE_COST_LOG__LEVEL", "value": "debug"},
            {
                "name": "INFERENCE_COST_HTTP__HOST",
                "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}},
            },
        ],
        "podAnnotations": {"a": "b"},
        "podLabels": {"team": "platform"},
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "podDisruptionBudget": {"enabled": False},
        "metrics": {
            "podMonitor": {"enabled": True},
            "serviceMonitor": {"enabled": True},
            "prometheusRule": {"enabled": True},
            "dashboards": {"enabled": True},
        },
        "settings": {"decision": {"rate_window_seconds": 10}, "loop": {"tick_seconds": 3}},
    },
}
