"""Keys and certificates of one bundled cluster, made with the `openssl` command.

Two CAs, because the API server must not take a client of the aggregation layer for a user: one
signs the serving certificate, one the front proxy's. Users come in by bearer token.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

VALID_DAYS = "365"

_CONFIGURATION_FILE = "openssl.cnf"
# An own file, so that nothing depends on the machine's openssl.cnf.
_CONFIGURATION = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, IP:{service_address}, DNS:localhost, DNS:kubernetes, \
DNS:kubernetes.default, DNS:kubernetes.default.svc, DNS:kubernetes.default.svc.cluster.local
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
[peer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
"""


class OpenSslError(RuntimeError):
    """`openssl` is missing or refused; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """File paths; private keys are readable by the owner only."""

    folder: Path

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"


def create_certificates(folder: Path, *, service_address: str) -> Certificates:
    """Make `ca`, `apiserver`, `front-proxy-ca`, `front-proxy-client`, and key `service-accounts`.

    Raises:
        OpenSslError: see there.
    """
    folder.mkdir(parents=True, mode=0o700)
    configuration = folder / _CONFIGURATION_FILE
    configuration.write_text(_CONFIGURATION.format(service_address=service_address))
    maker = _Maker(Certificates(folder=folder), configuration)
    maker.authority("ca")
    maker.signed("apiserver", authority="ca", purpose="server")
    maker.authority("front-proxy-ca")
    maker.signed("front-proxy-client", authority="front-proxy-ca", purpose="client")
    maker.private_key("service-accounts")
    return maker.made


def add_peer_certificate(made: Certificates, name: str) -> None:
    """Let `ca` sign one more certificate, for a server on loopback that is also a client.

    Raises:
        OpenSslError: see there.
    """
    _Maker(made, made.folder / _CONFIGURATION_FILE).signed(name, authority="ca", purpose="peer")


class _Maker:
    def __init__(self, made: Certificates, configuration: Path) -> None:
        self.made = made
        self._configuration = str(configuration)

    def private_key(self, name: str) -> str:
        path = self.made.key(name)
        path.touch(mode=0o600)
        _openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(path))
        return str(path)

    def authority(self, name: str) -> None:
        _openssl(
            *("req", "-x509", "-new", "-config", self._configuration, "-extensions", "authority"),
            *("-key", self.private_key(name), "-subj", f"/CN={name}", "-days", VALID_DAYS),
            *("-out", str(self.made.certificate(name))),
        )

    def signed(self, name: str, *, authority: str, purpose: str) -> None:
        request = str(self.made.folder / f"{name}.csr")
        _openssl(
            *("req", "-new", "-config", self._configuration, "-subj", f"/CN={name}"),
            *("-key", self.private_key(name), "-out", request),
        )
        _openssl(
            *("x509", "-req", "-in", request, "-days", VALID_DAYS, "-CAcreateserial"),
            *("-CA", str(self.made.certificate(authority))),
            *("-CAkey", str(self.made.key(authority))),
            *("-extfile", self._configuration, "-extensions", purpose),
            *("-out", str(self.made.certificate(name))),
        )


def _openssl(*arguments: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise OpenSslError("the command `openssl` is needed to make certificates; install it")
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise OpenSslError(f"openssl {' '.join(arguments)}:\n{answer.stderr.strip()}")
