"""Small images of large ones, and of none that would blow up."""

from io import BytesIO

import pytest
from PIL import Image

from application.libs.image import ImageBrokenError, ImageTooLargeError, check_pixels, thumbnail
from tests.libs.image_kit import HTML, image, png_of

MANY = 50_000_000


def small(content: bytes, box: int = 32) -> Image.Image:
    made = Image.open(BytesIO(thumbnail(BytesIO(content), box=box, max_pixels=MANY)))
    made.load()
    return made


class TestThumbnail:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
    def test_fits_into_the_box(self, kind: str) -> None:
        made = small(image(kind, (400, 200)))
        assert (made.format, made.size) == ("WEBP", (32, 16))

    def test_enlarges_nothing(self) -> None:
        assert small(image(size=(8, 4))).size == (8, 4)

    def test_stands_upright_and_says_nothing_of_the_camera(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        exif[0x010F] = "Secret camera"
        made = small(image("JPEG", (400, 200), exif=exif))
        assert made.size == (16, 32)
        assert not made.getexif()
        assert b"Secret" not in thumbnail(BytesIO(image("JPEG", exif=exif)), box=32, max_pixels=MANY)

    def test_shows_the_first_frame(self) -> None:
        frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "blue")]
        out = BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
        made = small(out.getvalue())
        assert getattr(made, "n_frames", 1) == 1
        assert made.convert("RGB").getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=12)

    def test_keeps_what_is_transparent(self) -> None:
        out = BytesIO()
        Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(out, "PNG")
        assert small(out.getvalue()).mode == "RGBA"

    def test_refuses_a_bomb_without_decoding_it(self) -> None:
        bomb = png_of(20_000, 20_000)
        assert len(bomb) < 100_000
        for ask in (lambda: small(bomb), lambda: check_pixels(BytesIO(bomb), max_pixels=MANY)):
            with pytest.raises(ImageTooLargeError):
                ask()
        with pytest.raises(ImageTooLargeError, match="8000 x 7000"):
            small(png_of(8000, 7000))

    @pytest.mark.parametrize("content", [b"", HTML, image()[:40], b"\x89PNG\r\n\x1a\n" + b"x" * 50])
    def test_refuses_what_is_damaged(self, content: bytes) -> None:
        with pytest.raises(ImageBrokenError):
            small(content)


class TestCheckPixels:
    def test_lets_an_image_pass(self) -> None:
        check_pixels(BytesIO(image()), max_pixels=800)
