import json
import lzma
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from extract.sources import Found, PassedOver, find_sources, load
from garments.errors import BadSource, BadTable, UnsafeURL
from garments.files import read_bytes


def put(path: Path, data: bytes | str = b"picture") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def names(top: Path, *inputs: str) -> list[str]:
    """The found paths relative to `top`."""
    paths = [found.path for found in find_sources(inputs or [str(top)])]
    return [path.relative_to(top).as_posix() for path in paths if path]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Fails the test, rather than hanging it, when something blocks."""

    def fail(*args: object) -> None:
        raise AssertionError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user whom permissions bind, which they do not the administrator."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


# Folders, files and globs


def test_a_folder_is_walked_in_order(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.PNG", "sub/2.webp", "sub/10.heic", "sub.jpg", "a/z.jpeg", "Z.jpg"):
        put(tmp_path / name)
    expected = ["Z.jpg", "a.PNG", "b.jpg", "sub.jpg", "a/z.jpeg", "sub/10.heic", "sub/2.webp"]
    assert names(tmp_path) == expected
    assert names(tmp_path) == expected
    assert names(tmp_path, str(tmp_path / "sub"), str(tmp_path)) == expected[5:] + expected[:5]


def test_what_is_no_picture_is_passed_over_and_counted(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.txt", "c.MP4", "d.mp4", "manifest.csv", "README", ".hidden.jpg"):
        put(tmp_path / name)
    put(tmp_path / ".git" / "x.jpg")
    passed_over = PassedOver()
    found = list(find_sources([str(tmp_path)], passed_over))
    assert [item.path for item in found] == [tmp_path / "a.jpg"]
    assert passed_over == {".txt": 1, ".mp4": 2, ".csv": 1, "": 1}


def test_an_empty_folder_has_nothing(tmp_path: Path) -> None:
    assert list(find_sources([str(tmp_path)])) == []


def test_a_named_file_is_tried_whatever_its_name(tmp_path: Path) -> None:
    path = put(tmp_path / "scan.0001")
    hidden = put(tmp_path / ".hidden.jpg")
    assert names(tmp_path, str(path), str(hidden)) == ["scan.0001", ".hidden.jpg"]


def test_origins_are_absolute_and_unique(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "photos" / "a.jpg")
    monkeypatch.chdir(tmp_path)
    inputs = ["photos", "photos/", "./photos/a.jpg", "photos/../photos/*.jpg", str(tmp_path)]
    found = list(find_sources(inputs))
    assert found == [Found(f"{tmp_path}/photos/a.jpg", tmp_path / "photos/a.jpg")]


def test_links_that_go_in_circles_end(tmp_path: Path) -> None:
    put(tmp_path / "real" / "deep" / "a.jpg")
    (tmp_path / "real" / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "real" / "self").symlink_to("self")
    (tmp_path / "again").symlink_to("real")
    (tmp_path / "b.jpg").symlink_to(tmp_path / "real" / "deep" / "a.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    assert names(tmp_path) == ["b.jpg", "broken.jpg", "again/deep/a.jpg"]
    assert names(tmp_path, f"{tmp_path}/**/*.jpg") == ["b.jpg", "broken.jpg", "real/deep/a.jpg"]
    with pytest.raises(BadSource, match="no such file"):
        load(Found("x", tmp_path / "broken.jpg"))
    with pytest.raises(BadSource, match="symbolic links"):
        load(Found("x", tmp_path / "real" / "self"))


@pytest.mark.parametrize(
    "name",
    [
        "with space.jpg", "quote'.jpg", 'double".jpg', "new\nline.jpg", "smile \U0001f600.jpg",
        "[1].jpg", "star*.jpg", "-rf.jpg", "~user.jpg", "  .jpg", "a%20b.jpg", "#1?.jpg",
        "u\u0308.jpg", "back\\slash.jpg", "e" * 250 + ".jpg",
    ],
)  # fmt: skip
def test_awkward_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / name, name)
    monkeypatch.chdir(tmp_path)
    (by_folder,) = find_sources(["."])
    assert by_folder == next(find_sources([str(path)])) == next(find_sources([name]))
    assert by_folder.origin == str(path)
    assert load(by_folder) == name.encode()
    put(tmp_path / "list.jsonl", json.dumps({"path": name}))
    assert next(find_sources(["list.jsonl"])) == by_folder


def test_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    path = put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")))
    (found,) = find_sources([str(tmp_path)])
    assert found.path == path and load(found) == b"picture"
    assert found.origin == f"{tmp_path}/caf\\xe9.jpg"
    found.origin.encode()
    put(tmp_path / "list.csv", b"path,handle\ncaf\xe9.jpg,ren\xe9\n")
    assert next(find_sources([str(tmp_path / "list.csv")])).path == path
    path.unlink()
    with pytest.raises(BadSource) as caught:
        load(found)
    str(caught.value).encode()


def test_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = (".b5.jpg", ".x/b.jpg")
    for name in ("b1.jpg", "b2.jpg", "c.txt", "sub/b3.jpg", "sub/deep/b4.jpg", *hidden):
        put(tmp_path / name)
    assert names(tmp_path, f"{tmp_path}/b?.jpg") == ["b1.jpg", "b2.jpg"]
    assert names(tmp_path, f"{tmp_path}/**/b[34].jpg") == ["sub/b3.jpg", "sub/deep/b4.jpg"]
    assert names(tmp_path, f"{tmp_path}/s*") == ["sub/b3.jpg", "sub/deep/b4.jpg"]
    everything = ["b1.jpg", "b2.jpg", "sub/b3.jpg", "sub/deep/b4.jpg"]
    assert sorted(names(tmp_path, f"{tmp_path}/**")) == everything
    assert names(tmp_path, f"{tmp_path}/.b*") == [".b5.jpg"]
    passed_over = PassedOver()
    assert len(list(find_sources([f"{tmp_path}/*"], passed_over))) == 4
    assert passed_over == {".txt": 1}
    monkeypatch.chdir(tmp_path)
    assert names(tmp_path, "*/*.jpg") == ["sub/b3.jpg"]


@pytest.mark.parametrize("text", ["nothing", "no/where/x.jpg", "*.png", "**.jpg", "", " ", "a\0b"])
def test_a_missing_input_is_an_error_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "a.jpg")
    with pytest.raises(BadSource, match=r"check the (spelling|pattern)|empty argument"):
        find_sources(["a.jpg", text])


def test_the_message_tells_where_the_path_ends(tmp_path: Path) -> None:
    put(tmp_path / "photos" / "a.jpg")
    with pytest.raises(BadSource) as caught:
        find_sources([str(tmp_path / "photo" / "2020" / "a.jpg")])
    assert f"in {tmp_path} there is no 'photo'" in str(caught.value)


# Reading


def test_reading_a_file(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jpg", b"12345")
    assert read_bytes(path) == read_bytes(str(path), 5) == b"12345"
    assert read_bytes(put(tmp_path / "empty")) is not None
    with pytest.raises(BadSource, match="at most 4 bytes"):
        read_bytes(path, 4)
    with pytest.raises(BadSource, match="at most 4 bytes"):
        load(Found("x", path), max_bytes=4)


def test_a_huge_sparse_file_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path / "huge.jpg")
    os.truncate(path, 2**40)
    with time_limit(5), pytest.raises(BadSource, match="has more"):
        read_bytes(path)


def test_what_is_no_file_is_refused_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # names of sockets are short
        server.bind("socket.jpg")
    kinds = {"pipe.jpg": "named pipe", "socket.jpg": "socket", ".": "folder"}
    for name, kind in kinds.items():
        with time_limit(5), pytest.raises(BadSource, match=f"is a {kind}"):
            read_bytes(tmp_path / name)
    for device in ("/dev/zero", "/dev/null"):
        with time_limit(5), pytest.raises(BadSource, match="is a device"):
            read_bytes(device)
    (link := tmp_path / "link.jpg").symlink_to("/dev/zero")
    with time_limit(5), pytest.raises(BadSource, match="is a device"):
        read_bytes(link)
    with time_limit(5):
        assert len(names(tmp_path)) == 3  # found by its name; reading says what is wrong


def test_unreadable_permissions() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others
        top = Path(name)
        top.chmod(0o755)
        secret = put(top / "secret.jpg")
        locked = put(top / "locked" / "b.jpg").parent
        for path in (secret, locked):
            path.chmod(0)
        with as_nobody():
            found = [*find_sources([name]), *find_sources([str(locked / "b.jpg")])]
            messages = []
            for item in found:
                with pytest.raises(BadSource) as caught:
                    load(item)
                messages.append(str(caught.value))
        locked.chmod(0o700)
    assert [item.path for item in found] == [secret, locked, locked / "b.jpg"]
    assert messages[0].startswith(f"cannot read {secret}: permission denied; make it readable")
    assert messages[1].startswith(f"cannot list the folder {locked}: Permission denied")
    assert messages[2].startswith(f"cannot read {locked / 'b.jpg'}: permission denied")


# Manifests and lists


def test_a_csv_manifest(tmp_path: Path) -> None:
    put(tmp_path / "photos" / "a b.jpg")
    table = put(
        tmp_path / "list.csv",
        "\ufeffPath, URL ,handle,license,consent,taken_at,split,mood\r\n"
        '"photos/a b.jpg",,jane,CC-BY-4.0,written,2020-01-31,test,good\r\n'
        "\r\n"
        ",https://example.org/b.jpg, joe ,,,\r\n"
        "/abs/c.jpg,https://example.org/c.jpg\r\n"
        ",,nobody\r\n"
        '"new\nline.jpg"\r\n',
    )
    found = list(find_sources([str(table)]))
    assert found[0] == Found(
        f"{tmp_path}/photos/a b.jpg",
        tmp_path / "photos/a b.jpg",
        handle="jane",
        licence="CC-BY-4.0",
        consent="written",
        taken_at="2020-01-31",
        split="test",
    )
    assert found[1] == Found(
        "https://example.org/b.jpg", url="https://example.org/b.jpg", handle="joe"
    )
    assert found[2] == Found("/abs/c.jpg", Path("/abs/c.jpg"), "https://example.org/c.jpg")
    assert found[3].origin == f"{table}:6" and found[3].handle == "nobody"
    assert found[4].path == tmp_path / "new\nline.jpg"
    assert len(found) == 5
    with pytest.raises(BadSource, match=r"list\.csv:6: expected a path or a url"):
        load(found[3])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("column", ["path", "file", "filename", "PATH"])
def test_separators_and_spellings(tmp_path: Path, separator: str, column: str) -> None:
    text = (
        f"{separator.join((column, 'date', 'licence'))}\n{separator.join(('a.jpg', '2020', 'x'))}\n"
    )
    (found,) = find_sources([str(put(tmp_path / "list.csv", text))])
    expected = Found(f"{tmp_path}/a.jpg", tmp_path / "a.jpg", licence="x", taken_at="2020")
    assert found == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", ""),
        ("list.csv", "\n"),
        ("list.csv", "photo,label\na.jpg,1\n"),
        ("list.csv", b"\xff\xd8\xff\xe0 not text"),
        ("list.csv", "path\n".encode("utf-16")),
        ("list.jsonl", '{"photo": "a.jpg"}\n'),
    ],
)
def test_a_manifest_without_the_column(tmp_path: Path, name: str, text: str | bytes) -> None:
    table = put(tmp_path / name, text)
    with pytest.raises(BadTable, match="expected a column 'path' or 'url'"):
        list(find_sources([str(table)]))


def test_a_damaged_row_does_not_end_a_manifest(tmp_path: Path) -> None:
    long = "x" * 200_000
    text = f'path,handle\na.jpg,1\n"b"ad.jpg,2\nc.jpg,{long}\nd.jpg,4\n"e.jpg,5\nf.jpg,6\n'
    found = list(find_sources([str(put(tmp_path / "list.csv", text))]))
    good = [item.path.name for item in found if item.path]
    assert good == ["a.jpg", "d.jpg"]
    assert [item.origin.rpartition(":")[2] for item in found if item.problem] == ["3", "4", "7"]


def test_a_jsonl_manifest(tmp_path: Path) -> None:
    lines = [
        '{"path": "a.jpg", "Handle": "jane", "licence": null, "extra": {"x": [1]}}',
        '{"path": "a.jpg"',
        "",
        "[1, 2]",
        "null",
        '{"url": "https://user:secret@example.org/b.jpg", "taken_at": 1580470000}',
        '{"handle": "\\ud800", "path": "\\ud800.jpg"}',
        '{"path": ""}',
        "[" * 100_000,
    ]
    table = put(tmp_path / "list.jsonl", "\n".join(lines))
    found = list(find_sources([str(table)]))
    assert found[0] == Found(f"{tmp_path}/a.jpg", tmp_path / "a.jpg", handle="jane")
    assert found[4].origin == "https://example.org/b.jpg" and found[4].taken_at == "1580470000"
    problems = {item.origin.rpartition(":")[2] for item in found if item.problem}
    assert problems == {"2", "4", "5", "8", "9"}
    for item in found:
        item.origin.encode()
        item.handle.encode()
        with pytest.raises(BadSource) as caught:
            load(item)
        str(caught.value).encode()
        assert "secret" not in str(caught.value)


def test_a_manifest_is_not_held_in_memory(tmp_path: Path) -> None:
    table = put(tmp_path / "list.csv", "path\n" + "".join(f"{n}.jpg\n" for n in range(10_000)))
    search = find_sources([str(table)])
    assert next(search).path == tmp_path / "0.jpg"
    assert sum(1 for _ in search) == 9_999


def test_a_list_of_urls(tmp_path: Path) -> None:
    table = put(
        tmp_path / "urls.txt",
        "\ufeff# my pictures\r\nhttps://example.org/a.jpg?x=#1\r\n\r\n  http://127.0.0.1/b.jpg \r\n"
        "ftp://example.org/c.jpg\r\njust words\r\nhttps://example.org/a.jpg?x=#1\r\n",
    )
    found = list(find_sources([str(table)]))
    assert [item.url for item in found[:3]] == [
        "https://example.org/a.jpg?x=#1",
        "http://127.0.0.1/b.jpg",
        "ftp://example.org/c.jpg",
    ]
    assert [item.origin for item in found[3:]] == [f"{table}:6"]
    for item in found[1:3]:
        with pytest.raises(UnsafeURL):
            load(item)
    with pytest.raises(BadSource, match="just words"):
        load(found[3])


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.jpg", "HTTPS://localhost/", "s3://bucket/a"])
def test_a_url_as_an_input(url: str) -> None:
    (found,) = find_sources([url])
    assert found == Found(url, url=url)
    with pytest.raises(UnsafeURL):
        load(found)


def test_a_table_that_is_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.csv")
    with time_limit(5), pytest.raises(BadSource, match="named pipe"):
        list(find_sources([str(tmp_path / "list.csv")]))


# Instagram


def handles(*inputs: Path) -> dict[str, tuple[str, str]]:
    found = find_sources([str(path) for path in inputs])
    return {item.path.name: (item.handle, item.taken_at) for item in found if item.path}


NOON = "2020-01-31_12-00-00_UTC"
ISO_NOON = "2020-01-31T12:00:00+00:00"


def post(owner: str | None = "jane.doe", **more: object) -> str:
    node = {"owner": {"id": "1"} | ({"username": owner} if owner else {})} | more
    return json.dumps({"node": node, "instaloader": {"version": "4.14", "node_type": "Post"}})


def test_an_instaloader_folder(tmp_path: Path) -> None:
    folder = tmp_path / "jane_d"
    for name in (NOON, f"{NOON}_1", f"{NOON}_2", "2021-05-01_00-00-01_UTC_profile_pic"):
        put(folder / f"{name}.jpg")
    put(folder / f"{NOON}.json", post(taken_at_timestamp=1580472001))
    put(folder / f"{NOON}.txt", "a caption")
    put(folder / f"{NOON}_2.mp4")
    put(folder / "2019-01-01_00-00-00_UTC.jpg")
    packed = lzma.compress(post("other", date=1546300800).encode())
    put(folder / "2019-01-01_00-00-00_UTC.json.xz", packed)
    put(folder / "jane_d_1234.json.xz", lzma.compress(b"{}"))
    put(folder / "id", "1234")
    put(folder / "holiday.jpg")
    passed_over = PassedOver()
    list(find_sources([str(folder)], passed_over))
    assert passed_over == {".mp4": 1, ".xz": 1, "": 1}
    seconds_later = "2020-01-31T12:00:01+00:00"
    expected = {
        "2019-01-01_00-00-00_UTC.jpg": ("other", "2019-01-01T00:00:00+00:00"),
        f"{NOON}.jpg": ("jane.doe", seconds_later),
        f"{NOON}_1.jpg": ("jane.doe", seconds_later),
        f"{NOON}_2.jpg": ("jane.doe", seconds_later),
        "2021-05-01_00-00-01_UTC_profile_pic.jpg": ("jane_d", "2021-05-01T00:00:01+00:00"),
        "holiday.jpg": ("", ""),
    }
    assert handles(folder) == handles(tmp_path) == expected


def test_other_nodes_of_instaloader(tmp_path: Path) -> None:
    folder = tmp_path / "jane"
    iphone = {"iphone_struct": {"user": {"username": "by_phone"}, "taken_at": 1580472000}}
    cases = {
        "a": (post(None, **iphone), ("by_phone", ISO_NOON)),
        "b": (post(None, taken_at_timestamp=1580472000), ("jane", ISO_NOON)),
        "c": (json.dumps({"node": {"username": "profile"}}), ("profile", "")),
        "d": (json.dumps({"title": "of another program"}), ("", "")),
        "e": (post("x", taken_at_timestamp=1e30), ("x", "")),
        "f": (post("x", taken_at_timestamp="soon"), ("x", "")),
    }
    for name, (text, _) in cases.items():
        put(folder / f"{name}.jpg")
        put(folder / f"{name}.json", text)
    assert handles(folder) == {f"{name}.jpg": expected for name, (_, expected) in cases.items()}


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'{"node": 1}', b'{"node": {"owner": 3}}', b"\xff" * 9]
)
def test_damaged_metadata_leaves_what_the_names_tell(tmp_path: Path, text: bytes) -> None:
    put(tmp_path / "jane" / f"{NOON}_1.jpg")
    put(tmp_path / "jane" / f"{NOON}.json", text)
    put(tmp_path / "jane" / f"{NOON}.json.xz", text)
    assert handles(tmp_path) == {f"{NOON}_1.jpg": ("jane", ISO_NOON)}


def test_folders_that_are_no_profile(tmp_path: Path) -> None:
    put(tmp_path / "#fashion" / f"{NOON}.jpg")
    put(tmp_path / ":saved" / "2020-13-31_12-00-00_UTC.jpg")
    assert handles(tmp_path) == {
        f"{NOON}.jpg": ("", ISO_NOON),
        "2020-13-31_12-00-00_UTC.jpg": ("", ""),
    }


@pytest.mark.parametrize("place", ["content", "your_instagram_activity/media", "media"])
@pytest.mark.parametrize("profile", [True, False])
def test_download_your_information(tmp_path: Path, place: str, profile: bool) -> None:
    top = tmp_path / "instagram-jane.doe-2024-01-01-AbCd"
    for name in (
        "posts/202001/1.jpg",
        "posts/202001/2.jpg",
        "stories/202002/3.webp",
        "other/4.jpg",
    ):
        put(top / "media" / name)
    posts = [
        {"media": [{"uri": "media/posts/202001/1.jpg", "creation_timestamp": 1580472000}]},
        {"media": [{"uri": "media/posts/202001/2.jpg"}], "creation_timestamp": 1580472000},
    ]
    put(top / place / "posts_1.json", json.dumps(posts))
    story = {"uri": "media/stories/202002/3.webp", "creation_timestamp": 1580472001}
    put(top / place / "stories.json", json.dumps({"ig_stories": [story]}))
    put(top / place / "posts_2.json", "damaged")
    if profile:
        name = {"string_map_data": {"Username": {"value": "jane_now"}}}
        place = "personal_information/personal_information/personal_information.json"
        put(top / place, json.dumps({"profile_user": [name]}))
    handle = "jane_now" if profile else "jane.doe"
    expected = {
        "1.jpg": (handle, ISO_NOON),
        "2.jpg": (handle, ISO_NOON),
        "3.webp": (handle, "2020-01-31T12:00:01+00:00"),
        "4.jpg": (handle, ""),
    }
    assert handles(top) == handles(tmp_path) == expected


def test_a_folder_named_media_is_no_export(tmp_path: Path) -> None:
    put(tmp_path / "media" / "a.jpg")
    put(tmp_path / "content" / "posts_1.json", "[]")
    assert handles(tmp_path) == {"a.jpg": ("", "")}
