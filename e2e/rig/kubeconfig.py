"""Kubeconfig files with a bearer token."""

import base64
import json
from pathlib import Path
from typing import Any


def write_kubeconfig(path: Path, *, api_url: str, ca_file: Path, user: str, token: str) -> Path:
    """Write a self-contained kubeconfig, readable by its owner only."""
    authority = base64.b64encode(ca_file.read_bytes()).decode()
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "bundled",
                "cluster": {"server": api_url, "certificate-authority-data": authority},
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "bundled", "context": {"cluster": "bundled", "user": user}}],
        "current-context": "bundled",
    }
    write_private(path, json.dumps(content, indent=2) + "\n")
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
