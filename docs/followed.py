"""Follow a page as its reader would: save the files that it names, and type its commands."""

import os
import re
import subprocess
import sys
from pathlib import Path

# A file that a sentence ends with, then its text; or lines for a shell.
_FILE = re.compile(r"`(?P<name>\w+\.py)`:\n\n```python\n(?P<text>.*?)^```", flags=re.MULTILINE | re.DOTALL)
_LINES = re.compile(r"^```sh\n(?P<lines>.*?)^```", flags=re.MULTILINE | re.DOTALL)
# An environment is there already, and its making needs the network.
_OF_INSTALLING = ("mkdir", "cd", "python3 -m venv", ". ", "pip")


def follow(page: str, folder: Path) -> list[str]:
    """Do in ``folder`` what the text of a page says, in its order, and return the commands.

    Lines that make an environment are left out; what stands for it is the environment of this interpreter.
    """
    steps = sorted([*_FILE.finditer(page), *_LINES.finditer(page)], key=lambda found: found.start())
    here = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = []
    for step in steps:
        if step.re is _FILE:
            (folder / step["name"]).write_text(step["text"])
            continue
        for command in step["lines"].splitlines():
            if not command.startswith(_OF_INSTALLING):
                subprocess.run(command, shell=True, cwd=folder, env=here, check=True)
                done.append(command)
    return done
