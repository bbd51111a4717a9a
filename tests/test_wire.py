import json
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processor_time import within
from safetensors.numpy import save

from grader import wire
from grader.errors import ChannelBroken, FrameRefused, WireError
from grader.model import Question


def body(header: object, payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + payload


def raw(text: bytes) -> bytes:
    return struct.pack("<I", len(text)) + text


def tensors(header: object, size: int = 0) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


def nested(depth: int) -> dict[str, Any]:
    """A header that many levels deep, itself one of them."""
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return {"x": value}


def test_what_is_just_allowed_is_read() -> None:
    header = {"deep": nested(wire.HEADER_DEPTH - 2), "x": 2**63 - 1, "y": "x" * wire.HEADER_TEXT}
    arrays = {
        "x": np.zeros((0, 2**20)),
        **{f"{i}": np.zeros(0) for i in range(wire.MAX_ARRAYS - 1)},
    }

    frame = wire.parse_frame(body(header, save(arrays)))

    assert frame.header == header
    assert frame.arrays["x"].shape == (0, 2**20)


def test_a_frame_comes_back_as_it_was_sent() -> None:
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "s": np.array(2.5)}
    arrays["turned"] = arrays["x"].T

    frame = wire.parse_frame(wire.compose_frame({"a": 1}, arrays)[8:])

    assert frame.header == {"a": 1}
    assert frame.arrays["turned"].tolist() == arrays["turned"].tolist()
    assert frame.arrays["x"].tolist() == arrays["x"].tolist()
    assert frame.arrays["s"].shape == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        struct.pack("<I", 2**31) + b"{}",
        body([1, 2]),
        body({"x": float("nan")}),
        b"\x05\x00\x00\x00[[[[[",
        struct.pack("<I", 60_000) + b"[" * 60_000,
        body({}, b"\xff" * 8),
        body({}, struct.pack("<Q", 2**60)),
        body({}, struct.pack("<Q", 2) + b"{}x"),
        body({}, save({f"a{i}": np.zeros(0) for i in range(20_000)})),
        body({}, save({f"{i}": np.zeros(0) for i in range(wire.MAX_ARRAYS + 1)})),
        body(nested(wire.HEADER_DEPTH + 1)),
        body({"x": "x" * (wire.HEADER_TEXT + 1)}),
        body({"x" * (wire.HEADER_TEXT + 1): 1}),
        body({"x": [0] * wire.HEADER_PARTS}),
        raw(b'{"x": %d}' % 2**63),
        raw(b'{"x": -%d}' % 2**63),
        raw(b'{"x": ' + b"9" * 5000 + b"}"),
        raw(b'{"x": 1e999}'),
        raw(b'{"id": "q", "id": "r"}'),
        raw(b'{"x": [{"y": 1, "y": 1}]}'),
        raw(b'\xff\xfe{"x": 1}'),
        body({}, tensors({"x": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, 4)),
        body({}, tensors({"x": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}, 2)),
        body({}, tensors({"x": {"dtype": "F32", "shape": [0, 2**63], "data_offsets": [0, 0]}})),
        body({}, tensors({"x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, 4)),
        body({}, tensors({"x": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}})),
        body({}, tensors({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, 4)),
        body(
            {},
            tensors(
                {
                    "x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                    "y": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]},
                },
                8,
            ),
        ),
        body({}, save({"x": np.zeros(2, dtype=np.complex64)})),
    ],
    ids=[
        "nothing",
        "one byte",
        "header longer than the frame",
        "header is a list",
        "NaN",
        "not JSON",
        "deep JSON",
        "array header of 2^64",
        "array header of 2^60",
        "trailing bytes",
        "thousands of arrays",
        "one array too many",
        "one level too deep",
        "a long text",
        "a long key",
        "many parts",
        "a large number",
        "a large negative number",
        "a number of thousands of digits",
        "an infinite number",
        "a key twice",
        "a key twice, further down",
        "another encoding",
        "bfloat16",
        "float8",
        "nothing times 2^63",
        "more than there is",
        "a size that overflows",
        "a negative size",
        "arrays that overlap",
        "complex numbers",
    ],
)
def test_malformed_frames_are_refused(data: bytes) -> None:
    with pytest.raises(FrameRefused):
        wire.parse_frame(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (struct.pack("<I", 3) + b"{}", "header longer than allowed"),
        (struct.pack("<I", 2**31) + b"{}", "header longer than allowed"),
        (body([1, 2]), "header is not an object"),
        (raw(b'{"x": NaN}'), "NaN in a header"),
        (raw(b'{"x": -Infinity}'), "-Infinity in a header"),
        (raw(b'{"x": 1e999}'), "number in a header without an end"),
        (raw(b'{"x": %d}' % 2**63), "number in a header larger than allowed"),
        (raw(b'{"x": -%d}' % 2**63), "number in a header larger than allowed"),
        (raw(b'{"id": "q", "id": "r"}'), "a key twice in a header"),
        (body({"x": "x" * (wire.HEADER_TEXT + 1)}), "text in a header longer than allowed"),
        (body({"x": [0] * (wire.HEADER_PARTS + 1)}), "header of too many parts"),
        (body(nested(wire.HEADER_DEPTH + 1)), "header nested deeper than allowed"),
        (b"", "unreadable frame: error"),
        (raw(b"[[[[["), "unreadable frame: JSONDecodeError"),
        (body({}, struct.pack("<Q", 2**60)), "array header longer than allowed"),
        (body({}, struct.pack("<Q", 2**63)), "array header longer than allowed"),
        (
            body({}, save({f"{i}": np.zeros(0) for i in range(wire.MAX_ARRAYS + 1)})),
            "more arrays than allowed",
        ),
        (body({}, save({"x": np.zeros(2, dtype=np.complex64)})), "an array is not numeric"),
    ],
)
def test_what_is_refused_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FrameRefused) as refused:
        wire.parse_frame(data)

    assert str(refused.value) == reason


def test_headers_of_just_the_allowed_size_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    header = {"x": "x" * 100}
    arrays = save({"x": np.arange(2.0)})
    (array_header,) = struct.unpack("<Q", arrays[:8])
    monkeypatch.setattr(wire, "HEADER_BYTES", len(json.dumps(header)))
    monkeypatch.setattr(wire, "TENSOR_HEADER_BYTES", array_header)

    assert wire.parse_frame(body(header)).header == header
    assert wire.parse_frame(body(header, arrays)).arrays["x"].tolist() == [0, 1]

    monkeypatch.setattr(wire, "TENSOR_HEADER_BYTES", array_header - 1)
    with pytest.raises(FrameRefused, match="array header longer"):
        wire.parse_frame(body(header, arrays))
    monkeypatch.setattr(wire, "HEADER_BYTES", len(json.dumps(header)) - 1)
    with pytest.raises(FrameRefused, match="header longer"):
        wire.parse_frame(body(header))


def test_a_header_of_just_as_many_parts_as_are_allowed_is_read() -> None:
    half = wire.HEADER_PARTS // 2 - 1
    for part in ([0], {}, {"y": 0}):
        parts: list[Any] = [*[part] * half, 0]
        assert wire.parse_frame(body({"x": parts})).header == {"x": parts}
        with pytest.raises(FrameRefused, match="too many parts"):
            wire.parse_frame(body({"x": [*parts, 0]}))


def test_a_frame_knows_its_size() -> None:
    data = body({"a": 1}, save({"x": np.zeros(3)}))

    assert wire.parse_frame(data).byte_count == len(data)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_parse_or_be_refused(data: bytes) -> None:
    try:
        wire.parse_frame(data)
    except WireError:
        return


VALID = wire.compose_frame(
    {"id": "q", "nonce": "n", "status": "ok", "data": {"calls": [{"error": "é"}, [1, -2.5e3]]}},
    {"out0": np.arange(6, dtype=np.float32).reshape(2, 3), "out1": np.ones(2, dtype=np.int64)},
)[8:]
PIECES = (b"[", b"{", b'"', b"\\u", b"9" * 30, b"1e999", b"BF16", b"-1", b"\xff" * 8, b"\x00" * 8)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(VALID)),
            st.integers(0, 12),
            st.one_of(st.binary(max_size=12), st.sampled_from(PIECES)),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=400)
def test_a_frame_that_was_tampered_with_is_parsed_or_refused(
    edits: list[tuple[int, int, bytes]],
) -> None:
    data = VALID
    for place, cut, piece in edits:
        data = data[:place] + piece + data[place + cut :]
    try:
        wire.read_observation(wire.parse_frame(data), nonces={"q": "n"})
    except WireError:
        return


WORDS = st.sampled_from(["q", "n", "ok", "raised", "", "\ud800", "\x1b[2J", "x" * 9000])
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from(["id", "nonce", "status", "data", "error", "end"]), JSONS),
)
def test_an_answer_of_any_shape_is_an_observation_or_refused(header: dict[str, Any]) -> None:
    try:
        found = wire.read_observation(wire.Frame(header=header, arrays={}), nonces={"q": "n"})
    except WireError:
        return
    assert found.id == "q"


def test_the_costliest_frames_are_refused_or_read_within_a_second() -> None:
    parts = wire.HEADER_PARTS // 2 - 2
    costly = (
        b'{"x": [' + b",".join([b"{}"] * parts) + b"]}",
        b'{"x": [' + b",".join([b'""'] * wire.HEADER_BYTES)[: wire.HEADER_BYTES - 20] + b"]}",
        b'{"x": "' + b"\\u0041" * (wire.HEADER_BYTES // 6 - 2) + b'"}',
        b'{"x": ' + b"[" * (wire.HEADER_PARTS - 10),
    )
    for text in costly:
        with within(1), suppress(WireError):
            wire.parse_frame(raw(text))


def test_a_question_is_answered_once() -> None:
    frame = wire.Frame(header={"id": "q", "nonce": "n", "status": "ok"}, arrays={})
    nonces = {"q": "n", "": "batch"}

    wire.read_observation(frame, nonces=nonces)

    with pytest.raises(ChannelBroken, match="answer to"):
        wire.read_observation(frame, nonces=nonces)


def test_an_answer_must_echo_its_nonce() -> None:
    frame = wire.Frame(header={"id": "q", "nonce": "guess", "status": "ok"}, arrays={})

    with pytest.raises(WireError):
        wire.read_observation(frame, nonces={"q": "secret", "": "batch"})


def test_an_answer_to_the_batch_itself_is_refused() -> None:
    frame = wire.Frame(header={"id": "", "nonce": "batch", "status": "ok"}, arrays={})

    with pytest.raises(WireError):
        wire.read_observation(frame, nonces={"q": "secret", "": "batch"})


def test_control_sequences_are_stripped() -> None:
    dirty = "a\x1b[31mred\x1b[0m\x1b]0;title\x07 \u202eright\u202c\x00\nb"

    assert wire.sanitize_text(dirty) == "ared right\nb"


def test_addresses_and_paths_are_scrubbed() -> None:
    told = "<f at 0x7f3a2b1c9d00> in /usr/lib/python3/site-packages/torch/nn.py or "
    told += f"{Path.home()}/x/y.py"

    scrubbed = wire.scrub_text(told)

    assert "7f3a" not in scrubbed
    assert "/usr" not in scrubbed
    assert f"{Path.home()}/" not in scrubbed
    assert "torch/nn.py" in scrubbed


def test_what_an_answer_says_is_fit_to_be_shown() -> None:
    dirty = (
        "\x1b[2Jin /usr/lib/python3/site-packages/torch/nn.py at 0x7f3a2b1c9d00\u202e " + "x" * 9000
    )
    data = {"calls": [{"error": dirty}, None, 3], "class": "Net", "a/b": 1.5}
    header = {"id": "q", "nonce": "n", "status": "ok", "data": data}

    found = wire.read_observation(wire.Frame(header=header, arrays={}), nonces={"q": "n"}).data

    error = found["calls"][0]["error"]
    assert error.startswith("in torch/nn.py at 0x…")
    assert error.isprintable()
    assert len(error) <= wire.MAX_TEXT
    assert found == {"calls": [{"error": error}, None, 3], "class": "Net", "a/b": 1.5}


def test_texts_are_cut_where_they_are_said_to_be() -> None:
    assert wire.sanitize_text("x" * 5000) == wire.scrub_text("x" * 5000) == "x" * wire.MAX_TEXT
    assert (
        wire.sanitize_text("abcdef", max_length=3)
        == wire.scrub_text("abcdef", max_length=3)
        == "abc"
    )
    assert wire.sanitize_text("\x1b[31m" + "abc", max_length=3) == "abc"
    assert wire.sanitize_text("\x00" * 12 + "abc", max_length=3) == ""
    assert wire.sanitize_text("\x00" * 9 + "abc", max_length=3) == "abc"


def test_what_is_no_text_is_told_as_one_and_half_a_letter_is_no_obstacle() -> None:
    assert wire.sanitize_text({"a": 1.5}) == "{'a': 1.5}"
    assert wire.sanitize_text("a\ud800b") == "a?b"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("File /usr/lib/python3/site-packages/torch/nn.py", "File torch/nn.py"),
        ("at (/opt/x/dist-packages/a/b.py)", "at (a/b.py)"),
        ("see/opt/x/site-packages/a/b.py", "seea/b.py"),
        ("/x/site-packages/y/site-packages/z.py", "z.py"),
        ("no-packages/ here", "no-packages/ here"),
        ("in /usr/lib/python3.11/json/decoder.py:353", "in json/decoder.py:353"),
        (f"in {Path(wire.__file__).parents[1]}/graded/hw.py:3", "in graded/hw.py:3"),
        (f"'{sys.prefix}/bin/python'", "'bin/python'"),
        ("No such file: '/box/work/data/x.csv'", "No such file: 'data/x.csv'"),
        ("in /tmp/grade-ab1_c/7/work/data/x.csv", "in data/x.csv"),
        (f"in {tempfile.gettempdir()}/grade-ab1/log", "in log"),
        ("at /tmp/ipykernel_2/988612441.py, line 3", "at line 3"),
        ("in /Users/ada/hw.py:3", "in /Users/ada/hw.py:3"),
        ("'/content/drive/MyDrive/x.csv'", "'/content/drive/MyDrive/x.csv'"),
        ("'/tmp/mine/x.csv' and '/data/x/y'", "'/tmp/mine/x.csv' and '/data/x/y'"),
        ("https://host.example/box/work/b.csv", "https://host.example/box/work/b.csv"),
        ("https://h.example/lib/python3/b.csv", "https://h.example/lib/python3/b.csv"),
        ("1/2 and a/b", "1/2 and a/b"),
        ("12345.py, line 3", "line 3"),
        ("123456.py, line 3 and 654321.py, line 4", "line 3 and line 4"),
        ("1234.py, line 3", "1234.py, line 3"),
        ("0x12345 and 0x123456", "0x12345 and 0x…"),
    ],
)
def test_a_text_names_no_place_of_this_machine(told: str, shown: str) -> None:
    answer = {"id": "q", "nonce": "n", "status": "ok", "data": {"said": [told]}, "error": told}

    found = wire.read_observation(wire.Frame(header=answer, arrays={}), nonces={"q": "n"})

    assert wire.scrub_text(told) == shown
    assert found.data == {"said": [shown]}
    assert found.error == shown


def test_a_tracebacks_lines_of_source_are_the_students_own() -> None:
    lines = (
        "Cell In[2], line 2",
        "      1 at = 0x7f3a2b1c",
        '----> 2 open("/tmp/grade-a/x.csv")',
        "File /usr/lib/python3.11/json/decoder.py:353, in raw_decode",
        "-> 1832 read('/box/work/y.csv')",
        "FileNotFoundError: '/box/work/x.csv'",
    )

    scrubbed = wire.scrub_traceback("\n".join(lines)).split("\n")

    assert tuple(scrubbed[:3]) == lines[:3]
    assert scrubbed[3] == "File json/decoder.py:353, in raw_decode"
    assert scrubbed[4:] == [lines[4], "FileNotFoundError: 'x.csv'"]


def test_an_answer_is_read_as_it_is() -> None:
    arrays = {"out0": np.arange(3)}
    header = {"id": "q", "nonce": "n", "status": "raised", "error": "e" * 700}

    found = wire.read_observation(wire.Frame(header=header, arrays=arrays), nonces={"q": "n"})

    assert (found.id, found.status, found.data, found.arrays) == ("q", "raised", {}, arrays)
    assert found.error == "e" * 600


def test_an_answer_that_says_nothing_of_an_error_has_none() -> None:
    header = {"id": "q", "nonce": "n", "status": "ok"}

    assert (
        wire.read_observation(wire.Frame(header=header, arrays={}), nonces={"q": "n"}).error == ""
    )


@pytest.mark.parametrize("changes", [{"status": "not_asked"}, {"status": None}, {"data": []}])
def test_an_answer_without_status_or_data_is_invalid_and_was_an_answer(
    changes: dict[str, Any],
) -> None:
    header = {"id": "q", "nonce": "n", "status": "ok", "data": {}, **changes}
    nonces = {"q": "n"}

    found = wire.read_observation(wire.Frame(header=header, arrays={}), nonces=nonces)

    assert (found.id, found.status, found.error) == ("q", "invalid", "")
    assert found.data == {"refused": "an answer without a status"}
    assert nonces == {}


@pytest.mark.parametrize(
    "changes", [{"id": 3}, {"id": None}, {"id": ""}, {"id": "r"}, {"nonce": None}, {"nonce": "b"}]
)
def test_an_answer_to_nothing_that_was_asked_is_none(changes: dict[str, Any]) -> None:
    header = {"id": "q", "nonce": "n", "status": "ok", **changes}
    nonces = {"q": "n", "": "n"}

    with pytest.raises(ChannelBroken, match=r"^an answer to nothing that was asked$"):
        wire.read_observation(wire.Frame(header=header, arrays={}), nonces=nonces)
    assert nonces == {"q": "n", "": "n"}


def test_no_text_takes_long_to_scrub() -> None:
    parts = (
        " /tmp/grade-a/",
        "/box/",
        "/",
        "/-",
        "/a",
        "/.",
        "~/",
        "/x/site-packages",
        "\x1b[",
        "\x1b]a",
        "0x",
        "(/-/",
        "1",
    )
    texts = [part * (24_000 // len(part)) for part in parts]
    texts += [
        f"{text[:20_000]}{end}" for text in texts for end in ("/site-packages/", " /x-packages/")
    ]

    with within(1):
        for text in texts:
            wire.scrub_text(text, max_length=6000)


def test_questions_name_their_arrays_and_one_that_is_shared_is_sent_once() -> None:
    shared, other = np.ones(2), np.zeros(3)
    first = Question(id="q", kind="function", arrays={"x": shared, "y": other})
    second = Question(id="r", kind="function", arrays={"z": shared})

    frame = wire.parse_frame(
        wire.compose_batch(
            wire.pack_questions((first, second)), nonces={"q": "n", "r": "m", "": "b"}, seconds=1
        )[8:]
    )

    one, two = frame.header["questions"]
    assert len(frame.arrays) == 2
    assert frame.arrays[one["arrays"]["x"]].tolist() == [1, 1]
    assert frame.arrays[one["arrays"]["y"]].tolist() == [0, 0, 0]
    assert two["arrays"] == {"z": one["arrays"]["x"]}
    assert (one["nonce"], two["nonce"]) == ("n", "m")


def test_a_batch_says_what_is_asked_of_whom_and_for_how_long() -> None:
    question = Question(id="q", kind="function", params={"name": "f", "args": ["x"]})

    frame = wire.parse_frame(
        wire.compose_batch(
            wire.pack_questions((question,)), nonces={"q": "n", "": "b"}, seconds=2.5
        )[8:]
    )

    asked = {"id": "q", "nonce": "n", "kind": "function", "arrays": {}}
    asked |= {"params": {"name": "f", "args": ["x"]}}
    assert frame.header == {
        "nonce": "b",
        "seconds": 2.5,
        "most_seconds": 2.5 * wire.WALL_FACTOR,
        "live": False,
        "questions": [asked],
    }
    assert frame.arrays == {}


def test_a_number_that_is_none_is_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        wire.compose_frame({"x": float("nan")})


def test_a_text_of_nothing_but_slashes_is_scrubbed_at_once() -> None:
    with within(1):
        for text in ("/" * 6000, "/a" * 3000, "/-" * 3000 + "\n"):
            wire.scrub_text(text, max_length=6000)
