"""What the store refuses, in one line that says what came and what to do."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from small_runs import ENTRIES, append_steps, assert_holds_steps, raw, values_at, write_run

from lossatlas.sketch import sketch
from lossatlas.store import RawTensor, RunWriter, TensorEntry, open_run, open_runs, refuse_not_finite, unwritable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole run of three points."""
    return write_run(tmp_path / "run")


def test_no_paths_are_refused(refuses):
    with refuses("no run was given; name at least one run folder"):
        open_runs([])


def test_a_pattern_that_matches_no_run_is_refused(tmp_path, refuses):
    (tmp_path / "notes").mkdir()
    with refuses(r"no run matches '.*/\*'; record one with lossatlas.Recorder, or check the pattern"):
        open_runs(tmp_path / "*")


@pytest.mark.parametrize(
    ("name", "what"), [("absent", "is not there"), ("folder", "has no run.json"), ("file", "is no folder")], ids=str
)
def test_what_is_no_run_is_refused(tmp_path, refuses, name, what):
    (tmp_path / "folder" / "deeper").mkdir(parents=True)
    (tmp_path / "file").write_text("text")
    for opened in (open_run, open_runs):
        with refuses(f"'.*{name}' is not a run: it {what}; record one with lossatlas.Recorder"):
            opened(tmp_path / name)


@pytest.mark.parametrize("text", [b"", b'{"format": "loss', b"\xff\xfe\x00"])
def test_a_description_that_cannot_be_read_is_refused(path, refuses, text):
    (path / "run.json").write_bytes(text)
    with refuses(r"run.json' cannot be read \(.+\); restore it or record the run again"):
        open_run(path)


def test_a_description_that_is_a_folder_is_refused(path, refuses):
    (path / "run.json").unlink()
    (path / "run.json").mkdir()
    with refuses(r"run.json' cannot be read \(.*Is a directory.*\); restore it"):
        open_run(path)


@pytest.mark.parametrize("text", ["[]", '"lossatlas-run"', "{}", '{"format": "other", "version": 1}'])
def test_another_programs_run_json_is_refused(path, refuses, text):
    (path / "run.json").write_text(text)
    with refuses("'.*run' is not a run: its run.json was written by something else; name a run folder"):
        open_run(path)


@pytest.mark.parametrize("fields", [{}, {"tensors": [{"name": "w"}], "settings": {}}, {"tensors": 3}, {"tensors": []}])
def test_a_description_without_its_fields_is_refused(path, refuses, fields):
    (path / "run.json").write_text(json.dumps({"format": "lossatlas-run", "version": 1, **fields}))
    with refuses(r"run.json' is damaged; restore it or record the run again"):
        open_run(path)


@pytest.mark.parametrize("version", [0, 3, None, "1"])
def test_another_version_of_the_format_is_refused(path, refuses, version):
    text = json.loads((path / "run.json").read_text()) | {"version": version}
    (path / "run.json").write_text(json.dumps(text))
    with refuses(f"the run '.*run' has format {version}, and this lossatlas reads 1 and 2; update lossatlas"):
        open_run(path)


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b'{"point": 1, "step": 1}', b'{"file": "000001.safetensors", "metrics": {}}', b"\0"]
)
def test_a_damaged_line_that_is_not_the_last_is_refused_by_number(path, refuses, line):
    manifest = path / "snapshots.jsonl"
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join([lines[0], line + b"\n", *lines[2:]]))
    for opened in (open_run, lambda run: RunWriter(run, ENTRIES, if_exists="append")):
        with refuses(r"line 2 of '.*snapshots.jsonl' is damaged; restore it, or cut the file before that line"):
            opened(path)


def test_a_snapshot_that_is_missing_is_refused(path, refuses):
    (path / "snapshots" / "000001.safetensors").unlink()
    with refuses(r"run 'run', point 1 \(step 1\): its file 000001.safetensors is missing; restore it or remove its line"):
        open_run(path)


def test_a_snapshot_that_is_cut_short_anywhere_is_refused(path, refuses):
    file = path / "snapshots" / "000002.safetensors"
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        with refuses(
            r"(point 2 \(step 2\): its file is cut short|000002.safetensors' is damaged); restore it or remove its line"
        ):
            open_run(path)
    file.write_bytes(whole)
    assert_holds_steps(path, range(3))


def test_a_flipped_bit_is_found_where_a_point_is_read_whole(path, refuses):
    file = path / "snapshots" / "000001.safetensors"
    whole = file.read_bytes()
    for place in range(int.from_bytes(whole[:8], "little") + 8, len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        run = open_run(path)
        run.snapshot(0)
        with refuses(r"point 1 \(step 1\): its file 000001.safetensors is not what was written \(checksum \w{8}, not \w{8}\)"):
            run.snapshot(1)
    file.write_bytes(whole)
    assert_holds_steps(path, range(3))


@pytest.mark.parametrize("name", ["../000000.safetensors", "/etc/passwd", "..", "a/b", "a\\b", ""])
def test_a_line_that_leads_out_of_the_run_is_refused(path, refuses, name):
    manifest = path / "snapshots.jsonl"
    lines = manifest.read_text().splitlines(keepends=True)
    line = json.loads(lines[1]) | {"file": name}
    manifest.write_text("".join([lines[0], json.dumps(line) + "\n", *lines[2:]]))
    with refuses(r"line 2 of '.*snapshots.jsonl' is damaged"):
        open_run(path)


def test_a_snapshot_that_vanishes_after_opening_is_refused(path, refuses):
    run = open_run(path)
    (path / "snapshots" / "000000.safetensors").unlink()
    for read in (lambda: run.snapshot(0), run.weights, lambda: run.block(0, 1)):
        with refuses(r"run 'run', point 0 \(step 0\): its file 000000.safetensors is missing"):
            read()


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"conv.weight": np.zeros((2, 3), np.float32)}, r"tensor 'conv.weight' should be F32 \(3, 2\) and is F32 \(2, 3\)"),
        ({"conv.weight": np.zeros((3, 2))}, r"tensor 'conv.weight' should be F32 \(3, 2\) and is F64 \(3, 2\)"),
        ({"out.bias": None}, "tensor 'out.bias' is missing"),
        ({"more": np.zeros(1)}, "tensor 'more' is not in the run"),
    ],
    ids=["shape", "type", "missing", "extra"],
)
def test_a_snapshot_of_another_layout_is_refused(path, tmp_path, refuses, other, what):
    tensors = raw({name: value for name, value in (values_at(1) | other).items() if value is not None})
    with RunWriter(tmp_path / "new", ENTRIES) as writer:
        append_steps(writer, [0])
        with refuses(f"snapshot 1 of run 'new': {what}; record it as a run of its own"):
            writer.append(tensors, step=1, metrics={})
        append_steps(writer, [1])
    assert_holds_steps(tmp_path / "new", [0, 1])
    with RunWriter(tmp_path / "other", [TensorEntry(n, t.shape, t.dtype, "parameter") for n, t in tensors.items()]) as writer:
        writer.append(tensors, step=1, metrics={})
    (tmp_path / "other" / "snapshots" / "000000.safetensors").replace(path / "snapshots" / "000001.safetensors")
    with refuses(rf"run 'run', point 1 \(step 1\): {what}; one run has one layout, record the other as its own"):
        open_run(path).block(0, 10)  # of the same size it is found where it is read


@pytest.mark.parametrize("point", [3, -4, 100])
def test_a_point_that_is_not_there_is_refused(path, refuses, point):
    run = open_run(path)
    for read in (run.snapshot, lambda point: run.block(0, 1, [point])):
        with refuses(f"run 'run' has 3 points, but point {point} was asked for; name one of them"):
            read(point)


def test_the_last_point_of_a_run_without_points_is_refused(tmp_path, refuses):
    with RunWriter(tmp_path / "run", ENTRIES):
        pass
    with refuses("run 'run' has 0 points, but point -1 was asked for"):
        open_run(tmp_path / "run").snapshot()


@pytest.mark.parametrize(("bad", "count"), [([np.nan], "1 value that is"), ([np.nan, np.inf], "2 values that are")])
def test_weights_that_are_no_numbers_are_refused_by_the_name_of_their_point(path, refuses, bad, count):
    run = open_run(path)
    block = run.block(0, 10, [0, 2])
    refuse_not_finite(run, [0, 2], block)
    block[1, : len(bad)] = bad
    what = rf"run 'run', point 2 \(step 2\) has {count} NaN or infinite"
    with refuses(what + "; leave that point out, as atlas does with diverged='skip'"):
        refuse_not_finite(run, [0, 2], block)


@pytest.mark.usefixtures("as_users_call")
def test_a_word_that_is_no_way_to_open_is_refused(tmp_path, refuses):
    with refuses("if_exists must be one of refuse, append, replace, but is 'overwrite'; choose one"):
        RunWriter(tmp_path / "run", ENTRIES, if_exists="overwrite")
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_there_is_refused(path, refuses):
    with refuses("'.*run' holds a run already; choose another path, or if_exists='append' or 'replace'"):
        RunWriter(path, ENTRIES)
    assert_holds_steps(path, range(3))


@pytest.mark.parametrize("if_exists", ["refuse", "append", "replace"])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path, refuses, if_exists):
    (tmp_path / "thesis.tex").write_text("chapter 1")
    (tmp_path / "snapshots").mkdir()
    with refuses("is a folder with other files in it; choose another path for the run"):
        RunWriter(tmp_path, ENTRIES, if_exists=if_exists)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["snapshots", "thesis.tex"]


def test_another_model_is_not_appended(path, refuses):
    with refuses("the run '.*run' holds another model .the order of its tensors differs.; choose another path"):
        RunWriter(path, ENTRIES[::-1], if_exists="append")
    with refuses("holds another model .tensor 'out.bias' is missing.; choose another path"):
        RunWriter(path, ENTRIES[:2], if_exists="append")
    with RunWriter(path, ENTRIES, if_exists="append") as writer:
        append_steps(writer, [3])
    assert_holds_steps(path, range(4))


def test_settings_that_are_no_plain_values_are_refused_while_the_old_run_is_there(path, refuses):
    circle: dict = {}
    circle["self"] = circle
    for settings in ({"array": np.zeros(1)}, circle):
        with refuses(r"the settings of a run must be plain values \(.+\); pass numbers, text, lists or dictionaries"):
            RunWriter(path, ENTRIES, settings=settings, if_exists="replace")
    assert_holds_steps(path, range(3))


def _places(tmp_path: Path) -> list[tuple[Path, str]]:
    (tmp_path / "file").write_text("text")
    places = [(tmp_path / "file", "File exists"), (tmp_path / "file" / "run", "Not a directory")]
    places.append((tmp_path / ("x" * 300), "File name too long"))
    if Path("/proc/self").exists():
        places.append((Path("/proc/nope/run"), "No such file or directory"))
    if os.geteuid():
        closed = tmp_path / "closed"
        closed.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
        places.append((closed / "run", "Permission denied"))
    return places


def test_a_place_that_cannot_be_written_is_refused_with_the_systems_reason(tmp_path, refuses):
    for place, reason in _places(tmp_path):
        with refuses(f"cannot write '{place}': {reason}; choose a place that you can write to"):
            RunWriter(place, ENTRIES)
    assert (tmp_path / "file").read_text() == "text"


def test_a_system_error_without_words_is_named_by_itself():
    assert str(unwritable(Path("run"), OSError("quota"))) == "cannot write 'run': quota; choose a place that you can write to"


def test_a_wrong_number_of_bytes_never_becomes_a_run_that_is_read(tmp_path, refuses):
    entry = TensorEntry("w", (4,), "F32", "parameter")
    with RunWriter(tmp_path / "run", [entry]) as writer:
        writer.append({"w": RawTensor("F32", (4,), bytes(12))}, step=0, metrics={})
    with refuses("its file is cut short"):
        open_run(tmp_path / "run")


@pytest.fixture
def sketched(tmp_path):
    """A run that has sketches beside its weights."""
    with RunWriter(tmp_path / "both", ENTRIES, keep="both", start=sketch(np.zeros(10), k=64)) as writer:
        append_steps(writer, range(3), sketched=True)
        writer.end("complete")
    return tmp_path / "both"


def test_a_sketch_that_is_missing_or_cut_short_is_refused(sketched, refuses):
    file = sketched / "sketches/000001.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with refuses("run 'both', point 1 .step 1.: its sketch 000001.safetensors is cut short; restore it or remove its line"):
        open_run(sketched)
    file.unlink()
    with refuses("run 'both', point 1 .step 1.: its sketch 000001.safetensors is missing; restore it or remove its line"):
        open_run(sketched)
    file.write_bytes(content)
    run = open_run(sketched)
    file.unlink()
    with refuses("its sketch 000001.safetensors is missing"):
        run.sketch(1)
    (sketched / "sketches/start.safetensors").unlink()
    with refuses("run 'both': its sketch start.safetensors is missing"):
        run.start()


def test_a_flipped_bit_in_a_sketch_is_found(sketched, refuses):
    file = sketched / "sketches/000002.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 4
    file.write_bytes(bytes(content))
    with refuses("run 'both', point 2 .step 2.: its file 000002.safetensors is not what was written"):
        open_run(sketched).sketch(2)


@pytest.mark.parametrize("point", [3, -4])
def test_a_sketch_of_a_point_that_is_not_there_is_refused(sketched, refuses, point):
    with refuses(f"run 'both' has 3 points, but point {point} was asked for; name one of them"):
        open_run(sketched).sketch(point)


def test_a_first_file_that_leads_out_of_the_run_is_refused(path, refuses):
    manifest = path / "snapshots.jsonl"
    lines = manifest.read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | {"first": "../../other/000000.safetensors"})
    manifest.write_text("\n".join(lines) + "\n")
    with refuses("line 2 of '.*snapshots.jsonl' is damaged"):
        open_run(path)


def test_what_is_no_pattern_is_refused(tmp_path, refuses):
    with refuses(r"'.*/runs\*\*x' is no pattern \(.*\); write \*\* between slashes, as in 'runs/\*\*'"):
        open_runs(tmp_path / "runs**x")
