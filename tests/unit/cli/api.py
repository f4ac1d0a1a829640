"""An API server that lists what it is given, and refuses what it is told to refuse."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from inference_cost.cli.listing import BUDGET, CONFIG_MAP, NODE_POOL
from inference_cost.cli.timeline.reading import EVENT
from inference_cost.observe.kinds import WATCHED_KINDS, WatchedKind
from tests.unit.cli.served import served

Object = dict[str, Any]
KINDS = (*WATCHED_KINDS, BUDGET, NODE_POOL, CONFIG_MAP, EVENT)
PATHS = {kind.path: kind for kind in KINDS}
LARGEST_PAGE = 3  # so that a list takes several


@dataclass(slots=True)
class Api:
    """`forbidden`: plurals that may not be listed cluster-wide; `in_namespaces`: where they may be all the same."""

    objects: Sequence[Object] = ()
    forbidden: frozenset[str] = frozenset()
    in_namespaces: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset({"scaledobjects", "nodeoverlays", "nodepools"})
    asked: list[str] = field(default_factory=list)
    patched: list[tuple[str, Object]] = field(default_factory=list)
    documents: dict[str, Object | str] = field(default_factory=dict)  # by path; text as it is
    reviews: dict[str, Callable[[Object], bool] | None] = field(default_factory=dict)  # by plural

    def post(self, path: str, body: Object) -> tuple[int, Object]:
        """A review of rights; None of a plural: who asks may not ask that."""
        review = self.reviews.get(path.rpartition("/")[2])
        if review is None:
            return 403, {"kind": "Status", "reason": "Forbidden", "code": 403}
        return 201, {"status": {"allowed": review(body["spec"])}}

    def patch(self, path: str, query: Mapping[str, list[str]], body: Object) -> tuple[int, Object]:
        """A merge patch of annotations."""
        folder, _, name = path.rpartition("/")
        namespace, plain = _parted(folder)
        kind = PATHS[plain]
        found = [one for one in self._listed(kind, namespace) if one["metadata"]["name"] == name]
        if kind.plural in self.forbidden:
            return 403, {"kind": "Status", "reason": "Forbidden", "code": 403}
        if not found:
            return 404, {"kind": "Status", "details": {"name": name}}
        merged = dict(found[0]["metadata"].get("annotations") or {})
        merged |= body["metadata"]["annotations"]
        kept = {key: value for key, value in merged.items() if value is not None}
        if "dryRun" not in query:
            self.patched.append((path, body))
            found[0]["metadata"]["annotations"] = kept
        return 200, {**found[0], "metadata": {**found[0]["metadata"], "annotations": kept}}

    def _listed(self, kind: WatchedKind, namespace: str) -> list[Object]:
        items = [one for one in self.objects if one["kind"] == kind.kind]
        return [one for one in items if not namespace or _namespace(one) == namespace]

    def _discovery(self, path: str) -> tuple[int, Object] | None:
        """Kinds of a group and version. Who may not list a kind that is absent hears 403 of it, as of the real one."""
        served = [kind for kind in KINDS if kind.path.rpartition("/")[0] == path]
        if not served:
            return None
        resources = [{"name": kind.plural} for kind in served if kind.plural not in self.absent]
        return (200, {"resources": resources}) if resources else (404, {})

    def _one(self, path: str) -> tuple[int, Object] | None:
        """A single object, where the path is one's."""
        folder, _, name = path.rpartition("/")
        namespace, plain = _parted(folder)
        kind = PATHS.get(plain)
        if kind is None or kind.path == path:
            return None
        found = [one for one in self._listed(kind, namespace) if one["metadata"]["name"] == name]
        if kind.plural in self.forbidden:
            return 403, {"kind": "Status", "reason": "Forbidden", "code": 403}
        return (200, found[0]) if found else (404, {"kind": "Status", "details": {"name": name}})

    def answer(self, path: str, query: Mapping[str, list[str]]) -> tuple[int, Object | str]:
        self.asked.append(path)
        if path in self.documents:
            return 200, self.documents[path]
        namespace, plain = _parted(path)
        kind = PATHS.get(plain)
        if kind is None:
            return self._discovery(path) or self._one(path) or (404, {})
        if kind.plural in self.absent - self.forbidden:
            return 404, {}
        if kind.plural in self.forbidden and namespace not in self.in_namespaces:
            return 403, {"kind": "Status", "reason": "Forbidden", "code": 403}
        items = [one for one in self._listed(kind, namespace) if _selected(one, query)]
        start = int(query.get("continue", ["0"])[0])
        page = items[start : start + LARGEST_PAGE]
        more = start + LARGEST_PAGE < len(items)
        metadata = {"continue": str(start + LARGEST_PAGE)} if more else {}
        # As the real one: items do not tell their kind.
        plain_items = [
            {k: v for k, v in one.items() if k not in {"kind", "apiVersion"}} for one in page
        ]
        return 200, {"kind": f"{kind.kind}List", "items": plain_items, "metadata": metadata}


def _parted(path: str) -> tuple[str, str]:
    """The namespace, "" for all, and the path of the kind."""
    before, found, rest = path.partition("/namespaces/")
    namespace, slash, plural = rest.partition("/")
    return (namespace, f"{before}/{plural}") if found and slash else ("", path)


def _selected(one: Object, query: Mapping[str, list[str]]) -> bool:
    """By one label, as `key=value`."""
    key, _, value = query.get("labelSelector", [""])[0].partition("=")
    return not key or (one["metadata"].get("labels") or {}).get(key) == value


def _namespace(one: Object) -> str:
    return str(one["metadata"].get("namespace", ""))


@contextmanager
def api_server(api: Api) -> Iterator[str]:
    """Its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._send(*api.answer(parts.path, parse_qs(parts.query)))

        def do_PATCH(self) -> None:
            assert self.headers["Content-Type"] == "application/merge-patch+json"
            parts = urlsplit(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*api.patch(parts.path, parse_qs(parts.query), body))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*api.post(urlsplit(self.path).path, body))

        def _send(self, status: int, body: Object | str) -> None:
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as url:
        yield url


def named(objects: Iterable[Object], name: str) -> Object:
    return next(one for one in objects if one["metadata"]["name"] == name)
