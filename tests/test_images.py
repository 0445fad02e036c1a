"""Images are made anew: what a camera wrote beside them is gone, what is to be seen stays."""

import struct
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.clients import Person
from tests.pictures import (
    CAMERA,
    PLACE,
    RED,
    drawn,
    exif,
    looks,
    moving,
    opened,
    picture,
    written,
)
from tests.servers import World, one_world

PNG_TEXT = PngImagePlugin.PngInfo()
PNG_TEXT.add_text("Comment", PLACE)
PNG_TEXT.add_itxt("Author", CAMERA)
XMP = f"<x:xmpmeta>{PLACE}</x:xmpmeta>".encode()


def given_back(person: Person, name: str, content: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """Send an image; return what it is said to be, its bytes, and its thumbnail's."""
    found = person.upload(name, content)
    path = f"/attachments/{found['id']}"
    whole, small = person.call("GET", path), person.call("GET", path + "/thumbnail")
    assert found["size"] == len(whole.content)
    return found, whole.content, small.content


@one_world
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jpg", picture("JPEG", exif=exif(), comment=PLACE.encode(), xmp=XMP)),
        ("a.png", picture("PNG", exif=exif(), pnginfo=PNG_TEXT)),
        ("a.webp", picture("WEBP", exif=exif(), xmp=XMP)),
        ("a.gif", picture("GIF", comment=PLACE.encode())),
        ("a.jpg", picture("JPEG", exif=exif()) + PLACE.encode()),
        ("a.png", picture("PNG") + PLACE.encode()),
    ],
)
def test_nothing_but_the_picture_is_passed_on(alice: Person, name: str, content: bytes) -> None:
    assert PLACE.encode() in content
    _, whole, small = given_back(alice, name, content)
    for made in (whole, small):
        assert PLACE.encode() not in made
        assert CAMERA.encode() not in made
        image = opened(made)
        image.load()
        assert not image.getexif()
        assert {"exif", "comment", "xmp", "icc_profile", "Comment"}.isdisjoint(image.info)
        assert looks(image, (1, image.height // 2)) == "red"
        assert looks(image, (image.width - 2, image.height // 2)) == "blue"


@one_world
@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [
        (1, (40, 20), (2, 10)),
        (2, (40, 20), (37, 10)),
        (3, (40, 20), (37, 10)),
        (6, (20, 40), (10, 2)),
        (8, (20, 40), (10, 37)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_turned_as_it_was_held(
    alice: Person, kind: str, orientation: int, size: tuple[int, int], red: tuple[int, int]
) -> None:
    content = picture(kind, exif=exif(orientation))
    found, whole, small = given_back(alice, f"a.{kind.lower()}", content)
    assert (found["width"], found["height"]) == size
    for made in (whole, small):
        assert opened(made).size == size
        assert looks(opened(made), red) == "red"


@one_world
@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1_000, 500), (320, 160)),
        ((500, 1_000), (160, 320)),
        ((40, 20), (40, 20)),
        ((10_000, 2), (320, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_thumbnail_is_at_most_320_pixels_long(
    alice: Person, size: tuple[int, int], small: tuple[int, int]
) -> None:
    found, whole, thumbnail = given_back(alice, "a.png", picture(size=size))
    assert (found["width"], found["height"]) == opened(whole).size == size
    assert (opened(thumbnail).format, opened(thumbnail).size) == ("WEBP", small)


@one_world
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pictures_of_every_kind_of_pixels_are_taken(alice: Person, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = drawn((40, 20), "L" if mode == "I;16" else mode)
    content = written(image.convert("I").convert("I;16") if mode == "I;16" else image, kind)
    found, whole, _ = given_back(alice, f"a.{kind.lower()}", content)
    assert (found["width"], found["height"]) == opened(whole).size == (40, 20)


@one_world
def test_greys_of_sixteen_bits_are_as_bright_as_before(alice: Person) -> None:
    row = b"".join(struct.pack("<H", grey * 256) * 100 for grey in (0, 100, 200))
    image = Image.frombytes("I;16", (300, 10), row * 10)
    _, whole, _ = given_back(alice, "a.png", written(image, "PNG"))
    shown: Any = opened(whole).convert("L")
    assert [shown.getpixel((column, 5)) for column in (50, 150, 250)] == [0, 100, 200]


@one_world
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("said", [b"garbage", b"MM\x00*\x00\x00", b"II*\x00\xff\xff\xff\xff"])
def test_nonsense_about_how_an_image_was_held_means_nothing(
    alice: Person, kind: str, said: bytes
) -> None:
    content = written(drawn((40, 20)), kind, exif=b"Exif\x00\x00" + said)
    _, whole, _ = given_back(alice, f"a.{kind.lower()}", content)
    assert opened(whole).size == (40, 20)
    assert [looks(opened(whole), place) for place in ((5, 10), (35, 10))] == ["red", "blue"]


@one_world
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_what_can_be_seen_through_stays_so(alice: Person, kind: str) -> None:
    image = Image.new("RGBA", (20, 20), (*RED, 255))
    image.paste((0, 0, 0, 0), (10, 0, 20, 20))
    _, whole, small = given_back(alice, f"a.{kind.lower()}", written(image, kind))
    for made in (whole, small):
        seen: Any = opened(made).convert("RGBA")
        assert (seen.getpixel((2, 10))[3], seen.getpixel((17, 10))[3]) == (255, 0)


@one_world
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_moving_image_moves_as_before(alice: Person, kind: str) -> None:
    found, whole, small = given_back(alice, f"a.{kind.lower()}", moving(kind, 5, (40, 20)))
    image: Any = opened(whole)
    assert (image.n_frames, image.size) == (5, (40, 20))
    assert image.info["loop"] == 3
    image.seek(1)
    image.load()
    assert round(image.info["duration"]) == 70
    assert (found["width"], found["height"]) == (40, 20)
    assert getattr(opened(small), "n_frames", 1) == 1


@one_world
def test_colours_of_another_space_are_those_that_were_meant(alice: Person) -> None:
    """The profile goes; without it its numbers would mean other colours."""
    _, whole, _ = given_back(alice, "a.png", picture("PNG", icc_profile=b"no profile at all"))
    assert looks(opened(whole), (2, 10)) == "red"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _, whole, _ = given_back(alice, "a.png", picture("PNG", icc_profile=srgb))
    pixel: Any = opened(whole).getpixel((2, 10))
    assert max(abs(one - other) for one, other in zip(pixel, RED, strict=True)) <= 2
    assert "icc_profile" not in opened(whole).info


@one_world
def test_what_is_stored_is_the_image_made_anew(alice: Person, world: World) -> None:
    content = picture("JPEG", exif=exif())
    found = alice.upload("a.jpg", content)
    (path,) = (world.folder / "attachments").rglob(found["id"])
    assert CAMERA.encode() not in path.read_bytes()
    assert path.read_bytes() != content
