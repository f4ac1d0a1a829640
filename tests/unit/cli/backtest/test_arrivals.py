"""Arrivals as people have them in files, and a sentence for each way in which a file is wrong."""

import gzip
import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.cli.backtest.arrivals import Arrivals, read_arrivals
from inference_cost.cli.failure import CommandError


def read(tmp_path: Path, content: str | bytes, **options: object) -> Arrivals:
    file = tmp_path / "traffic.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_arrivals(str(file), **options)  # type: ignore[arg-type]


EVEN = "t_s,requests,model\n" + "".join(f"{i},5,a\n" for i in range(20))
GOOD: dict[str, tuple[str | bytes, dict[str, object], float, list[float]]] = {
    "counts per bin": ("t_s,count\n0,5\n10,7\n20,0\n", {}, 10, [5, 7, 0]),
    "gzip, told by its first bytes": (gzip.compress(b"t_s,count\n0,5\n10,7\n"), {}, 10, [5, 7]),
    "two gzip members in a row": (
        gzip.compress(b"t_s,count\n0,5\n") + gzip.compress(b"10,7\n"), {}, 10, [5, 7],
    ),
    "a byte order mark": (b"\xef\xbb\xbft_s,count\n0,5\n10,7\n", {}, 10, [5, 7]),
    "lines that end as on Windows": ("t_s,count\r\n0,5\r\n10,7\r\n", {}, 10, [5, 7]),
    "no line end at the end": ("t_s,count\n0,5\n10,7", {}, 10, [5, 7]),
    "blank lines": ("t_s,count\n0,5\n\n10,7\n\n", {}, 10, [5, 7]),
    "a first time that is not zero": ("t_s,count\n3600,5\n3610,7\n", {}, 10, [5, 7]),
    "a width below a second": ("t_s,count\n0,5\n0.5,7\n1.0,1\n", {}, 0.5, [5, 7, 1]),
    "a width in rounded thirds": ("t_s,count\n0,5\n3.333,7\n6.667,1\n10,1\n", {}, 10 / 3, [5, 7, 1, 1]),
    "another column": ("t_s,a,b\n0,5,50\n10,7,70\n", {"column": "b"}, 10, [50, 70]),
    "rates": ("t_s,rate_rps,gap\n0,0.5,0\n600,2,0\n", {"rate_column": "rate_rps"}, 600, [300, 1200]),
    "columns that are not numbers": ("t_s,note,count\n0,x,5\n10,y,7\n", {}, 10, [5, 7]),
    "fields in quotes": ('t_s,note,count\n0,"a, ""b""",5\n"10",,"7"\n', {}, 10, [5, 7]),
    "one row per request": ("t_s\n0.2\n9.9\n25\n", {}, 10, [2, 0, 1]),
    "requests at the same time": ("t_s\n0\n0\n0\n10\n", {}, 10, [3, 1]),
    "requests with text that has line breaks": (
        't_s,prompt\n0.2,"two\nlines"\n9.9,"one"\n25,""\n', {}, 10, [2, 0, 1],
    ),
    "requests in epoch seconds keep their place within ten seconds": (
        "t_s\n1700000009\n1700000010.1\n", {}, 10, [1, 1],
    ),
    "blank lines between requests": ("t_s\n0.2\n\n0.9\n", {}, 10, [2]),
    "requests at one distance, without other columns": (
        "t_s\n" + "".join(f"{i}\n" for i in range(20)), {}, 10, [10, 10],
    ),
    "requests at one distance, insisted on": (EVEN, {"column": "t_s"}, 10, [10, 10]),
    "evenly spaced counts under another name": (EVEN, {"column": "requests"}, 1, [5] * 20),
    "requests by the second, many of them in one": (
        "t_s,model\n" + "".join(f"{i // 3},a\n" for i in range(60)), {}, 10, [30, 30],
    ),
    "the largest count": ("t_s,count\n0,1e9\n10,7\n", {}, 10, [1e9, 7]),
}  # fmt: skip


@pytest.mark.parametrize("sentence", GOOD)
def test_read(sentence: str, tmp_path: Path) -> None:
    content, options, width, counts = GOOD[sentence]
    traffic = read(tmp_path, content, **options).traffic[""]
    assert traffic.width_seconds == pytest.approx(width)
    assert traffic.counts.tolist() == counts
    assert traffic.times is None


BAD: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "traffic.csv is empty"),
    "a header alone": ("t_s,count\n", "there is no row below the header line"),
    "blank lines alone": ("\n\n\n", "line 1: it must name the columns"),
    "no header": ("0,5\n10,7\n", "line 1: it holds numbers; a first line must name the columns"),
    "no time": ("time,count\n0,5\n", "line 1: there is no column 't_s'; the columns are time, count"),
    "a column twice": ("t_s,count,count\n0,5,5\n", "line 1: two columns have the name 'count'"),
    "semicolons": ("t_s;count\n0;5\n", "line 1: there is no column 't_s'; the columns are t_s;count"),
    "text for a count": ("t_s,count\n0,5\n10,many\n", "line 3, column count: 'many' is not a number"),
    "a time of day": (
        "t_s,count\n2026-01-31T08:00:00Z,5\n",
        "column t_s: '2026-01-31T08:00:00Z' is not a number: it must be seconds, counted from any start",
    ),
    "no count": ("t_s,count\n0,5\n10,\n", "line 3, column count: '' is empty"),
    "a negative count": ("t_s,count\n0,5\n10,-7\n", "line 3, column count: '-7' must not be negative"),
    "not a number": ("t_s,count\n0,5\n10,nan\n", "line 3, column count: 'nan' must be a finite number"),
    "an infinite time": ("t_s,count\n0,5\ninf,7\n", "line 3, column t_s: 'inf' must be a finite number"),
    "times out of order": (
        "t_s,count\n0,5\n10,7\n5,7\n", "line 4, column t_s: '5' comes after 10: times must ascend; sort",
    ),
    "a time twice": ("t_s,count\n0,5\n10,7\n10,7\n", "line 4, column t_s: '10' is there twice: add up"),
    "the first time twice": ("t_s,count\n0,5\n0,7\n", "line 3, column t_s: '0' is there twice"),
    "a gap": (
        "t_s,count\n0,5\n10,7\n40,7\n",
        "line 4, column t_s: '40' leaves a gap of 30 s after 10 where bins are 10 s wide: missing is not",
    ),
    "a narrower bin": (
        "t_s,count\n0,5\n10,7\n15,7\n", "line 4, column t_s: '15' is 5 s after 10 where bins are 10 s wide",
    ),
    "a gap below blank lines": ("t_s,count\n0,5\n\n\n10,7\n40,7\n", "line 6, column t_s: '40' leaves a gap"),
    "a gap below quoted line breaks": (
        't_s,count,x\n0,5,"a\nb"\n10,7,\n40,7,\n', "line 5, column t_s: '40' leaves a gap",
    ),
    "one bin alone": ("t_s,count\n0,5\n", "there is one row; at least two are needed"),
    "a short row": ("t_s,count\n0,5\n10\n", "line 3: the number of fields is 1 where the header has 2"),
    "a decimal comma": ("t_s,count\n0,5\n10,7,5\n", "line 3: the number of fields is 3 where the header has 2"),
    "zeros alone": ("t_s,count\n0,0\n10,0\n", "every count is 0: there is nothing to replay"),
    "milliseconds for seconds": (
        "t_s,count\n0,5\n10000000,7\n20000000,7\n30000000,7\n", "the most is 400; are the times in seconds?",
    ),
    "binary rubbish": (bytes(range(256)) * 100, "line 1: it is not text; a CSV file, plain or gzip"),
    "text with zero bytes": (b"t_s,count\n0,5\n\0\0\0\n", "line 3: it is not text"),
    "UTF-16": ("t_s,count\n0,5\n".encode("utf-16"), "line 1: it is not UTF-8 text"),
    "a damaged byte far down": (b"t_s,count\n0,5\n10,\xff\n", "line 3: it is not UTF-8 text"),
    "a gzip file cut short": (gzip.compress(b"t_s,count\n0,5\n10,7\n")[:-9], "the gzip stream ends early"),
    "a damaged gzip file": (gzip.compress(b"t_s,count\n0,5\n")[:-8] + b"12345678", "the gzip stream is damaged"),
    "a quote that is never closed": (
        't_s,count,x\n0,5,"a\n' + "1,2,3\n" * 2_000_000, "longer than 8 MiB",
    ),
    "a line without an end": (b"t_s,count\n" + b"1" * 9_000_000, "line 2: a line or a field in quotes"),
    "a header without an end": (b"t_s," + b"x" * 9_000_000, "line 1: it is too long for a header"),
    "many policies without counts": ("policy,t_s\na,0\n", "there is no column 'count'; the columns are policy"),
    "a policy without a name": ("policy,t_s,count\na,0,1\n,10,1\n", "line 3, column policy: '' is empty"),
    "a gap in one of many policies": (
        "policy,t_s,count\na,0,1\nb,0,1\na,10,1\nb,10,1\na,20,1\nb,40,1\n",
        "line 7, column t_s: '40' leaves a gap of 30 s",
    ),
    "requests out of order": ("t_s\n0\n2\n1\n", "line 4, column t_s: '1' comes after 2: times must ascend"),
    "a count beyond all measure": (
        "t_s,count\n0,5\n10,1e308\n", "line 3, column count: '1e308' must be at most 1,000,000,000",
    ),
    "a time beyond all measure": (
        "t_s,count\n-1e308,5\n1e308,7\n", "line 2, column t_s: '-1e308' is too far away; are the times in seconds?",
    ),
    "requests by the nanosecond": ("t_s\n1700000000000000000\n", "line 2, column t_s: '1700000000000000000' is too"),
    "counts under another name": (
        EVEN,
        ("there is no column 'count' and the rows are 1 s apart, as counts per bin are: name the column of the counts "
        "with --column NAME (there: requests, model), or that of requests/s with --rate-column NAME; where each row "
        "is one request: --column t_s"),
    ),
    "counts under another name, with a gap": (
        EVEN.replace("\n7,5,a", ""), "there is no column 'count' and the rows are 1 s apart",
    ),
    "policies of two clocks": (
        "policy,t_s,count\na,0,1\na,10,1\nb,1700000000,1\nb,1700000010,1\n",
        "column t_s: policy 'a' begins 19,676 days before policy 'b' ends, the most is 400; give their times by one",
    ),
    "no policy with a request": ("policy,t_s,count\na,0,0\na,10,0\nb,0,0\nb,10,0\n", "every count is 0: there is"),
    "a request far away": ("t_s\n0\n1e12\n", "line 3, column t_s: '1e12' is too late: the file covers"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BAD)
def test_refused(sentence: str, tmp_path: Path) -> None:
    content, message = BAD[sentence]
    with pytest.raises(CommandError) as refused:
        read(tmp_path, content)
    assert message in str(refused.value)
    assert str(refused.value).startswith("traffic.csv")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("bad", ["gap", "text", "order"])
def test_what_is_wrong_beyond_the_first_block_is_told_by_its_line(bad: str, tmp_path: Path) -> None:
    """Blocks are read one by one; the numbers of lines go on."""
    rows = [f"{10 * i},7" for i in range(300_000)]
    rows[250_000] = {"gap": "9999990,7", "text": "2500000,x", "order": "0,7"}[bad]
    with pytest.raises(CommandError, match=r"line 250002, column (t_s|count)"):
        read(tmp_path, "t_s,count\n" + "\n".join(rows))


def test_a_file_that_is_not_there_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no file") as refused:
        read_arrivals(str(tmp_path / "none.csv"))
    assert refused.value.code == 3


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        read_arrivals(str(tmp_path))


def test_a_pipe_will_do(tmp_path: Path) -> None:
    content = gzip.compress(b"t_s,count\n0,5\n10,7\n")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    arrivals = read_arrivals(str(pipe))
    writer.join()
    assert arrivals.traffic[""].counts.tolist() == [5, 7]
    assert arrivals.file.sha256 == hashlib.sha256(content).hexdigest()


def test_the_file_is_named_without_its_folder_and_hashed_as_stored(tmp_path: Path) -> None:
    content = b"t_s,count\n0,5\n10,7\n"
    arrivals = read(tmp_path, content)
    assert arrivals.file.name == "traffic.csv"
    assert arrivals.file.sha256 == hashlib.sha256(content).hexdigest()


def test_times_of_requests_are_kept_where_asked_for(tmp_path: Path) -> None:
    traffic = read(tmp_path, "t_s\n100.5\n100.5\n107\n", keep_times=True).traffic[""]
    assert traffic.times is not None
    assert traffic.times.tolist() == [0.5, 0.5, 7.0]
    assert traffic.counts.tolist() == [3]


SORTED_BY = {
    "policy": "policy,t_s,count\na,0,1\na,10,2\na,20,3\nn/b,100,4\nn/b,105,5\n",
    "time": "t_s,policy,count\n0,a,1\n10,a,2\n20,a,3\n100,n/b,4\n105,n/b,5\n",
}


@pytest.mark.parametrize("order", SORTED_BY)
def test_many_policies_in_one_file(order: str, tmp_path: Path) -> None:
    arrivals = read(tmp_path, SORTED_BY[order])
    assert arrivals.by_policy
    assert {k: v.counts.tolist() for k, v in arrivals.traffic.items()} == {
        "a": [1, 2, 3],
        "n/b": [4, 5],
    }
    assert {k: v.width_seconds for k, v in arrivals.traffic.items()} == {"a": 10, "n/b": 5}
    assert arrivals.origins == {"a": 0, "n/b": 100}


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=60).filter(any),
    st.sampled_from([0.25, 1.0, 10.0, 60.0, 300.0]),
    st.integers(0, 10**9),
)
def test_any_counts_come_back(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], width: float, first: int
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    lines = (f"{first + i * width},{count}" for i, count in enumerate(counts))
    file.write_text("t_s,count\n" + "\n".join(lines))
    traffic = read_arrivals(str(file)).traffic[""]
    assert traffic.width_seconds == width
    assert np.array_equal(traffic.counts, counts)
