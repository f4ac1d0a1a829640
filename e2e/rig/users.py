"""Users of a bundled cluster that are not service accounts, each with a static bearer token.

One user per part, so that the audit log says who did what.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.rig.kubeconfig import write_kubeconfig, write_private

MASTERS = "system:masters"
# Name in the rig → (user name, group). Components without a group have a built-in ClusterRole,
# Prometheus gets its own (see prometheus.py).
USERS: Mapping[str, tuple[str, str]] = {
    "admin": ("admin", MASTERS),
    "rig": ("rig", MASTERS),
    "kwok": ("kwok", MASTERS),
    # Its built-in role expects one service account per controller; in this rig it acts as itself.
    "controller-manager": ("system:kube-controller-manager", MASTERS),
    "scheduler": ("system:kube-scheduler", ""),
    "prometheus": ("prometheus", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFiles:
    """Token and kubeconfig files of the users, in the state folder of a cluster."""

    folder: Path

    @property
    def token_table(self) -> Path:
        """For the API server's --token-auth-file."""
        return self.folder / "tokens.csv"

    def token(self, name: str) -> Path:
        return self.folder / f"{name}.token"

    def kubeconfig(self, name: str) -> Path:
        """Kubeconfig of a user; the admin's has the plain name, as people use it."""
        return self.folder / ("kubeconfig" if name == "admin" else f"{name}.kubeconfig")


def create_users(folder: Path, *, api_url: str, ca_file: Path) -> UserFiles:
    """Make new random tokens for all `USERS` and write their files."""
    files = UserFiles(folder=folder)
    rows = []
    for name, (user, group) in USERS.items():
        token = secrets.token_hex(24)
        rows.append(f'{token},{user},{name},"{group}"' if group else f"{token},{user},{name}")
        write_private(files.token(name), token)
        path = files.kubeconfig(name)
        write_kubeconfig(path, api_url=api_url, ca_file=ca_file, user=name, token=token)
    write_private(files.token_table, "\n".join(rows) + "\n")
    return files
