"""Docstrings name what stands beside them without its module: such a name is a link where one thing alone has it."""

from typing import Any

from docutils import nodes
from sphinx.util.nodes import make_refnode


def setup(app: Any) -> dict[str, bool]:
    app.connect("missing-reference", _found)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _found(app: Any, env: Any, node: Any, content: nodes.Element) -> nodes.Element | None:
    if node.get("refdomain") != "py":
        return None
    ending = "." + node["reftarget"]
    named = {
        (known.docname, known.node_id)
        for name, known in env.domains["py"].objects.items()
        if name.endswith(ending) and not known.aliased
    }
    if len(named) != 1:
        return None
    [(page, anchor)] = named
    return make_refnode(app.builder, node["refdoc"], page, anchor, content)
