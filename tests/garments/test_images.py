import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from garments import jpeg
from garments.errors import BadImage
from garments.images import decode, encode_jpeg, fit, phash

WIDTH, HEIGHT = 120, 80


def scene(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> np.ndarray:
    """Soft blobs of colour, so that lossy formats come close; every corner is different."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def packed(image: Image.Image | np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def worst(a: np.ndarray, b: np.ndarray) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def mean_gap(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a package look as if it were not installed."""

    def hide(package: str) -> None:
        monkeypatch.setitem(__import__("sys").modules, package, None)
        jpeg._simplejpeg.cache_clear()

    yield hide
    jpeg._simplejpeg.cache_clear()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "JPEG2000"])
def test_lossless_formats_come_back_exactly(kind: str) -> None:
    options = {"irreversible": False} if kind == "JPEG2000" else {}
    picture = decode(packed(scene(), kind, **options))
    assert (picture.width, picture.height, picture.scale) == (WIDTH, HEIGHT, 1.0)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous and picture.pixels.flags.writeable
    np.testing.assert_array_equal(picture.pixels, scene())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_come_close(kind: str) -> None:
    assert mean_gap(decode(packed(scene(), kind, quality=95)).pixels, scene()) < 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    stored = Image.fromarray(scene())
    turns = (None, "ROTATE_0", "FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE")
    turns += ("ROTATE_270", "TRANSVERSE", "ROTATE_90")
    name = turns[orientation]
    expected = stored if name == "ROTATE_0" else stored.transpose(Image.Transpose[name])
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = packed(stored, kind, exif=exif)
    picture = decode(data)
    assert (picture.width, picture.height) == expected.size
    assert mean_gap(picture.pixels, np.asarray(expected)) < 12
    small = decode(data, longest=40)
    assert max(small.pixels.shape[:2]) == 40
    assert (small.width, small.height) == expected.size


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0garbage" * 9, b"\xff" * 40])
def test_damaged_exif_is_no_reason_to_lose_a_photo(exif: bytes) -> None:
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    data = packed(scene(), "JPEG")
    assert decode(data[:2] + segment + data[2:]).pixels.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("value", [0, 9, 255])
def test_an_orientation_out_of_range_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert decode(packed(scene(), "JPEG", exif=exif)).width == WIDTH


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    grey = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)
    images = {
        "I;16": Image.fromarray(grey.astype(np.uint16) * 257),
        "I": Image.fromarray(grey.astype(np.int32) * 257),
        "F": Image.fromarray(grey.astype(np.float32) / 255),
        "P": Image.fromarray(scene()).quantize(256),
    }
    image = images.get(mode) or Image.fromarray(scene()).convert(mode)
    pixels = decode(packed(image, "TIFF")).pixels
    expected = scene()
    if mode in ("L", "LA", "I;16", "I", "F"):
        expected = np.repeat(grey[:, :, None], 3, axis=2)
    if mode in ("1", "P"):
        expected = np.asarray(image.convert("RGB"))
    assert mean_gap(pixels, expected) < 2


@pytest.mark.parametrize("grey", [np.uint8(7), np.uint16(7 * 257)])
def test_dark_grey_stays_dark(grey: np.generic) -> None:
    assert decode(packed(np.full((9, 9), grey))).pixels.max() == 7


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_of_16_bit_grey(order: str) -> None:
    values = np.arange(0, 65536, 655, dtype=np.uint16).reshape(1, -1)
    head = struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8 + values.nbytes, 8)
    tags = [(256, values.shape[1]), (257, 1), (258, 16), (259, 1), (262, 1), (273, 8)]
    tags += [(278, 1), (279, values.nbytes)]
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags)
    data = head[:8] + values.astype(f"{order}u2").tobytes() + head[8:] + entries + bytes(4)
    assert worst(decode(data).pixels[:, :, 0], (values >> 8).astype(np.uint8)) == 0


def test_float_pictures_with_other_ranges() -> None:
    ramp = np.linspace(-4, 12, 100, dtype=np.float32).reshape(10, 10)
    pixels = decode(packed(ramp, "TIFF")).pixels
    assert pixels.min() == 0 and pixels.max() == 255
    ramp[0, 0] = np.nan
    assert decode(packed(ramp, "TIFF")).pixels.shape == (10, 10, 3)
    bytes_as_float = np.arange(256, dtype=np.float32).reshape(16, 16)
    assert worst(decode(packed(bytes_as_float, "TIFF")).pixels[:, :, 0], bytes_as_float) == 0


def test_16_bit_rgb_png() -> None:
    values = (scene().astype(np.uint16) << 8) | 0x80
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + name + body
        data += struct.pack(">I", zlib.crc32(name + body))
    assert worst(decode(data).pixels, scene()) <= 1


def test_transparent_becomes_white() -> None:
    layer = np.dstack([scene(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    layer[:, :60, 3] = 0
    for image in (layer, Image.fromarray(layer).convert("LA")):
        assert decode(packed(image)).pixels[:, :60].min() == 255
    palette = Image.fromarray(scene()).quantize(8)
    index = int(np.asarray(palette)[0, 0])
    pixels = decode(packed(palette, transparency=index)).pixels
    assert (pixels[np.asarray(palette) == index] == 255).all()
    keyed = np.zeros((4, 4, 3), np.uint8)
    assert decode(packed(keyed, transparency=(0, 0, 0))).pixels.min() == 255
    half = np.zeros((2, 2, 4), np.uint8)
    half[..., 3] = 128
    assert abs(int(decode(packed(half)).pixels[0, 0, 0]) - 127) <= 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), name) for name in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = packed(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    np.testing.assert_array_equal(decode(data).pixels, np.asarray(frames[0]))


RED = np.full((32, 32, 3), (255, 0, 0), np.uint8)


def test_cmyk_jpegs_of_both_kinds() -> None:
    """Adobe stores inks inverted and says so in a marker; the plain kind has no marker."""
    adobe = packed(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=95)
    assert worst(decode(adobe).pixels, RED) < 12
    assert decode(adobe, longest=8).pixels.shape == (8, 8, 3)
    marked = packed(Image.new("CMYK", (32, 32), (255, 0, 0, 255)), "JPEG", quality=95)
    at = marked.index(b"\xff\xee")
    plain = marked[:at] + marked[at + 2 + struct.unpack(">H", marked[at + 2 : at + 4])[0] :]
    assert b"Adobe" in marked and b"Adobe" not in plain
    assert worst(decode(plain).pixels, RED) < 12


def test_ycck_jpeg() -> None:
    """Red as YCCK: its inverted inks (0, 255, 255) as YCbCr, and no black."""
    planes = (179, 171, 1, 255)
    image = Image.new("CMYK", (32, 32), tuple(255 - value for value in planes))
    data = bytearray(packed(image, "JPEG", quality=98, subsampling="4:4:4"))
    data[data.index(b"Adobe") + 11] = 2  # what the four planes are: 0 CMYK, 2 YCCK
    assert worst(decode(bytes(data)).pixels, RED) < 12


def test_colour_profiles_become_srgb() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert worst(decode(packed(scene(), icc_profile=srgb)).pixels, scene()) == 0
    assert worst(decode(packed(scene(), icc_profile=b"damaged")).pixels, scene()) == 0
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert worst(decode(packed(scene(), icc_profile=lab)).pixels, scene()) == 0

    swapped = swap_red_and_green(srgb)
    for kind, limit in (("PNG", 3), ("JPEG", 40)):
        data = packed(scene(), kind, icc_profile=swapped)
        assert worst(decode(data).pixels, scene()[:, :, [1, 0, 2]]) <= limit
    data = packed(scene(), "PNG", icc_profile=swapped)
    with ThreadPoolExecutor(4) as pool:
        many = list(pool.map(decode, [data] * 24))
    assert all(worst(picture.pixels, many[0].pixels) == 0 for picture in many)


def swap_red_and_green(profile: bytes) -> bytes:
    """An RGB profile whose red is green: as far from sRGB as can be seen."""
    out = bytearray(profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")))
    for at in range(132, 132 + 12 * struct.unpack(">I", out[128:132])[0], 12):
        if out[at : at + 4] in (b"rXYZ", b"gXYZ"):
            out[at : at + 1] = b"g" if out[at : at + 1] == b"r" else b"r"
    return bytes(out)


@pytest.mark.parametrize("longest", [None, 500, 301, 100, 17, 1])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_fast_path_and_pillow_agree(
    without: Callable[[str], None], longest: int | None, grey: bool, progressive: bool
) -> None:
    image = Image.fromarray(scene(640, 427, seed=5))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = packed(image.convert("L") if grey else image, "JPEG", exif=exif, progressive=progressive)
    fast = decode(data, longest=longest)
    without("simplejpeg")
    slow = decode(data, longest=longest)
    assert (fast.width, fast.height) == (slow.width, slow.height) == (427, 640)
    assert fast.scale == slow.scale == (longest / 640 if longest and longest < 640 else 1)
    assert mean_gap(fast.pixels, slow.pixels) < 1
    assert worst(fast.pixels, slow.pixels) <= (2 if longest is None else 12)


def test_longest_never_enlarges() -> None:
    for kind in ("JPEG", "PNG"):
        assert decode(packed(scene(), kind), longest=1000).pixels.shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(ValueError, match="longest >= 1"):
        decode(packed(scene()), longest=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_tiny_pictures(size: tuple[int, int], kind: str) -> None:
    picture = decode(packed(Image.new("RGB", size, "white"), kind), longest=4)
    assert (picture.width, picture.height) == size
    assert min(picture.pixels.shape[:2]) == 1 and max(picture.pixels.shape[:2]) <= 4
    assert len(phash(picture.pixels)) == 16


def test_extreme_shapes() -> None:
    picture = decode(packed(np.zeros((2, 100_000, 3), np.uint8)), longest=64)
    assert picture.pixels.shape == (1, 64, 3)
    assert len(phash(picture.pixels)) == 16


def bomb(width: int, height: int, kind: str) -> bytes:
    """A picture whose header says `width` x `height` and that has next to no pixels."""
    data = bytearray(packed(scene(16, 16), kind))
    if kind == "PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    elif kind == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
    elif kind == "BMP":
        data[18:26] = struct.pack("<II", width, height)
    return bytes(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
@pytest.mark.parametrize("side", [60_000, 12_000])
def test_a_huge_header_is_refused_before_decoding(kind: str, side: int) -> None:
    with pytest.raises(BadImage, match=r"at most 120,000,000 pixels, but its header says"):
        decode(bomb(side, side, kind))


def test_the_limit_is_the_callers() -> None:
    data = packed(scene())
    assert decode(data, max_pixels=WIDTH * HEIGHT).width == WIDTH
    with pytest.raises(BadImage, match="120 x 80"):
        decode(data, max_pixels=WIDTH * HEIGHT - 1)


@pytest.mark.parametrize("name", ["simplejpeg", "nothing"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_refused(
    without: Callable[[str], None], name: str, progressive: bool
) -> None:
    without(name)
    thumbnail = Image.fromarray(scene(16, 16))
    exif = b"Exif\0\0" + packed(thumbnail, "JPEG")  # with an end marker of its own
    data = packed(scene(300, 200), "JPEG", quality=90, progressive=progressive, exif=exif)
    assert decode(data).width == 300
    assert decode(data + b"trailer of a phone \xff\xda").width == 300
    for end in (*range(2, len(data) - 1, 211), len(data) - 40, len(data) - 2):
        for cut in (data[:end], data[:end] + bytes(len(data) - end)):
            with pytest.raises(BadImage):
                decode(cut)
            with pytest.raises(BadImage):
                decode(cut, longest=50)


@pytest.mark.filterwarnings("ignore")  # Pillow names what it sees in damaged files
@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF", "AVIF", "BMP", "JPEG2000"])
def test_other_truncated_pictures_are_refused(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    data = packed(noise, kind)
    for end in (1, 9, len(data) // 3, len(data) // 2, len(data) * 3 // 4):
        with pytest.raises(BadImage):
            decode(data[:end])


@pytest.mark.filterwarnings("ignore")  # Pillow names what it sees in damaged files
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "BMP"])
def test_damaged_pictures_decode_or_are_refused_and_nothing_else(kind: str) -> None:
    data = packed(scene(48, 32), kind)
    random = np.random.default_rng(3)
    for _ in range(150):
        broken = bytearray(data)
        for at in random.integers(0, len(data), 4):
            broken[at] = random.integers(0, 256)
        try:
            picture = decode(bytes(broken), longest=32, max_pixels=1_000_000)
        except BadImage:
            continue
        assert picture.pixels.ndim == 3 and picture.pixels.dtype == np.uint8


@pytest.mark.parametrize(
    "data",
    [b"\0" * 400, b"<html>not found</html>", b"%PDF-1.7", b"\xff\xd8", b"\xff\xd8\xff", b"x"],
)
def test_what_is_no_picture_is_named(data: bytes) -> None:
    with pytest.raises(BadImage, match="expected a picture"):
        decode(data)


def test_zero_bytes() -> None:
    with pytest.raises(BadImage, match="0 bytes"):
        decode(b"")


def test_heic_where_it_can_be_read_and_where_not(without: Callable[[str], None]) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    heif = pillow_heif.from_pillow(Image.fromarray(scene()))
    heif.save(out, quality=95, exif=exif.tobytes())
    picture = decode(out.getvalue(), longest=60)
    assert (picture.width, picture.height) == (HEIGHT, WIDTH)
    assert picture.pixels.shape == (60, 40, 3)
    upright = np.ascontiguousarray(np.rot90(scene(), -1))
    assert mean_gap(decode(out.getvalue()).pixels, upright) < 5
    with pytest.raises(BadImage):
        decode(out.getvalue()[: len(out.getvalue()) // 2])
    without("pillow_heif")
    with pytest.raises(BadImage, match="pip install pillow-heif"):
        decode(out.getvalue())


def test_fit() -> None:
    assert fit(scene(), 120) is not None and fit(scene(), 120).shape == (HEIGHT, WIDTH, 3)
    assert fit(scene(), 60).shape == (40, 60, 3)
    assert mean_gap(fit(scene(), 60), scene(60, 40)) < 6
    flat = np.full((50, 50, 3), 77, np.uint8)
    assert (fit(flat, 7) == 77).all()


def test_encode_jpeg() -> None:
    data = encode_jpeg(scene())
    assert mean_gap(decode(data).pixels, scene()) < 3
    assert data == encode_jpeg(scene())
    assert len(encode_jpeg(scene(), quality=30)) < len(data)
    crop = scene()[10:40, 5:90]  # not contiguous
    assert decode(encode_jpeg(crop)).pixels.shape == crop.shape


def bits_apart(a: str, b: str) -> int:
    return (int(a, 16) ^ int(b, 16)).bit_count()


def test_phash_knows_the_same_picture_again() -> None:
    original = scene(640, 480, seed=7)
    name = phash(original)
    assert len(name) == 16 and name == phash(original.copy())
    assert bits_apart(name, phash(fit(original, 128))) <= 4
    assert bits_apart(name, phash(decode(encode_jpeg(original, quality=40)).pixels)) <= 4
    assert bits_apart(name, phash((original * 0.8 + 30).astype(np.uint8))) <= 4
    others = [phash(scene(640, 480, seed=seed)) for seed in range(8, 28)]
    assert min(bits_apart(name, other) for other in others) > 10


def test_phash_of_flat_pictures_is_stable() -> None:
    names = {phash(np.full((50, side, 3), side, np.uint8)) for side in (20, 80, 200)}
    assert names == {"8000000000000000"}
