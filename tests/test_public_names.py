"""What users see of the package."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lossatlas

ROOT = Path(lossatlas.__file__).parents[2]


def test_every_public_name_can_be_had():
    for name in lossatlas.__all__:
        assert getattr(lossatlas, name).__name__ == name


def test_dir_shows_the_public_names_alone():
    assert set(dir(lossatlas)) == {*lossatlas.__all__, "__version__"}
    assert len(lossatlas.__all__) == len(set(lossatlas.__all__))  # the linter holds their order


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'phat'"):
        lossatlas.phat  # noqa: B018


def test_every_public_name_has_a_docstring_of_a_sentence():
    for name in lossatlas.__all__:
        first = (getattr(lossatlas, name).__doc__ or "").strip().split("\n\n")[0]
        assert re.search(r"[.;:]$", first.strip()), f"{name}: {first!r}"


@pytest.mark.parametrize("heavy", ["torch", "numpy", "matplotlib", "numba", "sklearn"])
def test_importing_the_package_loads_nothing_heavy(heavy):
    code = f"import lossatlas, sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_atlas_function_stays_a_function_whatever_is_imported_first():
    code = "import lossatlas.draw, lossatlas.experiments.report, lossatlas as la; assert callable(la.atlas), la.atlas"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("absent", ["torch", "sklearn"])
def test_maps_are_made_without_what_takes_long_to_load(absent, tmp_path):
    """A finished run is mapped and drawn where it cannot even be imported."""
    import torch

    with lossatlas.Recorder(tmp_path / "run", model := torch.nn.Linear(3, 2)) as recorder:
        for step in range(12):
            with torch.no_grad():
                model.weight += 0.1 * torch.sin(torch.tensor(float(step)))
            recorder.step(loss=1 / (step + 1))
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {absent!r}:\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import lossatlas as la\n"
        f"la.atlas({str(tmp_path / 'run')!r}).write_html({str(tmp_path / 'a.html')!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "a.html").stat().st_size > 10_000


def test_the_version_is_one():
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{lossatlas.__version__}"' in pyproject
    assert f"version: {lossatlas.__version__}" in (ROOT / "CITATION.cff").read_text()


def test_without_torch_the_names_that_need_it_say_so():
    code = "import sys; sys.modules['torch'] = None\nimport lossatlas\ntry: lossatlas.Recorder\nexcept ImportError as e: print(e)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer == "lossatlas.Recorder works on PyTorch models and needs PyTorch: pip install torch\n"
