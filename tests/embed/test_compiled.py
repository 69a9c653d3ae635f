"""What is compiled runs wherever the package is installed."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import lossatlas


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="takes another user's place"
)
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_a_user_who_can_write_nowhere_embeds_all_the_same(tmp_path):
    """As in a container: the package belongs to root, and there is no home."""
    source = Path(lossatlas.__file__).parent
    copied = tmp_path / "site" / "lossatlas"
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [tmp_path, *tmp_path.parents[:-1]]:
        if folder.stat().st_uid == 0 and folder.is_relative_to(tempfile.gettempdir()):
            folder.chmod(folder.stat().st_mode | 0o055)
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'site')!r}]\n"
        "import numpy as np, lossatlas\n"
        "assert lossatlas.__file__.startswith(sys.path[0]), lossatlas.__file__\n"
        "print(lossatlas.phate(np.random.default_rng(0).normal(size=(12, 3)) + 5).coordinates.shape)"
    )
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    environment = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*user, sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if "Permission denied" in done.stderr and "lossatlas" not in done.stderr:
        pytest.skip("the interpreter itself is closed to other users")
    assert done.stdout == "(12, 2)\n", done.stderr
