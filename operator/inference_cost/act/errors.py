"""What a Kubernetes call can end in, beside an answer. Connection errors and API answers map to one small tree."""

from collections.abc import Mapping

BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
GONE = 410
UNPROCESSABLE = 422
TOO_MANY_REQUESTS = 429
MESSAGE_LIMIT = 256  # the server's words are cut: they end in logs, events and conditions


class KubeError(Exception):
    """Any failure of a Kubernetes call. `message` is short and free of control characters."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class UnreachableError(KubeError):
    """No usable answer: refused, timed out, cut off, or a 5xx. Worth a retry on the next tick."""


class ThrottledError(KubeError):
    """429. `retry_after_seconds` is the server's wish."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message, status=TOO_MANY_REQUESTS)
        self.retry_after_seconds = retry_after_seconds


class NotFoundError(KubeError):
    """404: the object, or its kind, is not there. A result rather than a fault."""


class ConflictError(KubeError):
    """409: written by another since it was read, or created by another. A result rather than a fault."""


class RejectedError(KubeError):
    """400 or 422: the object does not pass the schema or admission."""


class UnauthenticatedError(KubeError):
    """401: the token is not accepted."""


class PermissionDeniedError(KubeError):
    """403. Names the verb and the resource that the role must grant."""

    def __init__(self, message: str, *, verb: str, resource: str) -> None:
        super().__init__(message, status=FORBIDDEN)
        self.verb = verb
        self.resource = resource


class FencedOffError(KubeError):
    """Not sent: leadership is lost, or ends before an answer could come."""


def printable(text: str) -> str:
    """One line of at most 256 characters, without control characters."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean if len(clean) <= MESSAGE_LIMIT else clean[: MESSAGE_LIMIT - 1] + "…"


def error_of(
    status: int, message: str, *, verb: str, resource: str, headers: Mapping[str, str]
) -> KubeError:
    """The error for an HTTP status of 400 and above."""
    text = printable(f"{verb} {resource}: {message or status}")
    if status == FORBIDDEN:
        return PermissionDeniedError(text, verb=verb, resource=resource)
    if status == TOO_MANY_REQUESTS:
        return ThrottledError(text, retry_after_seconds=retry_after(headers))
    kinds: dict[int, type[KubeError]] = {
        BAD_REQUEST: RejectedError,
        UNPROCESSABLE: RejectedError,
        UNAUTHORIZED: UnauthenticatedError,
        NOT_FOUND: NotFoundError,
        CONFLICT: ConflictError,
    }
    return kinds.get(status, UnreachableError)(text, status=status)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, at least one and at most a minute."""
    value = headers.get("Retry-After", "")
    return min(60.0, max(1.0, float(value))) if value.isdigit() else 1.0
