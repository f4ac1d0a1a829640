"""How the user's Prometheus is reached. Light to import; secrets are in files, as for the operator."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusAccess:
    """`header_files`: NAME=FILE. `matchers`: label matchers for each query. Labels: of the scraped pod."""

    url: str = ""
    bearer_token_file: str = ""
    header_files: tuple[str, ...] = ()
    ca_file: str = ""
    matchers: str = ""
    namespace_label: str = "namespace"
    pod_label: str = "pod"
