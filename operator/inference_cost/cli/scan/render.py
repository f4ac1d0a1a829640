"""A scan in the form that was asked for."""

from inference_cost.cli import rendering
from inference_cost.cli.scan.command import Output
from inference_cost.cli.scan.document import ScanDocument
from inference_cost.cli.scan.page import to_page
from inference_cost.cli.scan.table import to_table, to_yaml


def to_text(document: ScanDocument, output: Output, *, to_file: bool) -> str:
    match output:
        case Output.JSON:
            return document.model_dump_json(by_alias=True, indent=2) + "\n"
        case Output.HTML:
            return to_page(document)
        case Output.YAML:
            return to_yaml(document.workloads)
        case Output.TABLE:
            return to_table(document, color=rendering.wants_color() and not to_file)
