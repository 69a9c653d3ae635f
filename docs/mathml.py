"""Formulas as MathML, which browsers draw themselves: no script, no font and nothing from the network.

Docutils translates LaTeX to MathML, and this tells Sphinx to take it. What it cannot translate is a warning: ``make docs`` fails.
"""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)
# A function and what it is of, where no bracket stands between: TeX sets a thin space there, docutils none.
_APPLIED = re.compile(r"(<mi>(?:ln|log|sin|cos|tan|max|min)</mi>)(?=\s*<m(?:i|n|sub|sup|subsup|frac|sqrt|row)\b)")
# TeX draws \lVert and \lvert as high as a letter, a browser as high as all that stands beside them.
_BARS = re.compile(r"<mo( class=\"mathopen\")?>(?=[‖|]</mo>)")
# A hat stands on a letter and an index beside both; docutils puts the index below.
_ACCENTED = re.compile(
    r"<munderover>\s*(<mi>[^<]*</mi>)((?:(?!</?munderover>).)*)(<mo stretchy=\"false\">[ˆˉ˜]</mo>)\s*</munderover>", re.DOTALL
)


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _visit_inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_translated(node, is_block=False))
    raise nodes.SkipNode


def _visit_block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_translated(node, is_block=True)}</div>\n')
    raise nodes.SkipNode


def _translated(node: nodes.math | nodes.math_block, *, is_block: bool) -> str:
    formula = node.astext()
    try:
        translated = _APPLIED.sub(r'\1<mspace width="0.167em"></mspace>', tex2mathml(formula, as_block=is_block))
        translated = _BARS.sub(r'<mo\1 stretchy="false">', translated)
        return _ACCENTED.sub(r"<msub><mover accent='true'>\1\3</mover>\2</msub>", translated)
    except MathError as error:
        _LOGGER.warning("%s in the formula %s", error, formula, location=node)
        return f"<code>{formula}</code>"
