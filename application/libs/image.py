"""Look at images without being blown up by them, and make small ones (Pillow)."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO

from PIL import Image, ImageOps

FORMATS = ("GIF", "JPEG", "PNG", "WEBP")

THUMBNAIL_TYPE = "image/webp"


class ImageBrokenError(ValueError):
    """The image cannot be read."""


class ImageTooLargeError(ValueError):
    """The image has more pixels than are decoded; a small file can hold very many."""


def check_pixels(content: IO[bytes], *, max_pixels: int) -> None:
    """Refuse an image by what its header says; nothing is decoded."""
    with _opened(content, max_pixels):
        return


def thumbnail(content: IO[bytes], *, box: int, max_pixels: int) -> bytes:
    """Return the image as WebP within a square, upright, its first frame alone, without what a camera wrote into it."""
    with _opened(content, max_pixels) as image:
        image.draft("RGB", (box, box))  # a JPEG is then decoded smaller
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((box, box))
        plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        out = BytesIO()
        plain.save(out, "WEBP", quality=80, exif=b"", icc_profile=b"", xmp=b"")
        return out.getvalue()


@contextmanager
def _opened(content: IO[bytes], max_pixels: int) -> Iterator[Image.Image]:
    """Open an image, whose pixels are counted before any is decoded."""
    content.seek(0)
    try:
        with Image.open(content, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                message = f"The image has {image.width} x {image.height} pixels, more than {max_pixels}"
                raise ImageTooLargeError(message)
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # a warning, where those are errors
        raise ImageTooLargeError(f"The image has more than {max_pixels} pixels") from None
    except (ImageTooLargeError, ImageBrokenError):
        raise
    except (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, EOFError) as error:
        raise ImageBrokenError("The image is damaged") from error
