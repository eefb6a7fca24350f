"""Send files and get them back: through the API, or straight to where they are kept and from there."""

from flask import Response, request

from application.extensions import storage
from application.libs.auth import current_identity
from application.libs.examination import FileRefused, FileTooLarge
from application.libs.image import THUMBNAIL_TYPE
from application.libs.page import Page
from application.libs.redprint import Redprint, unit_of_work
from application.libs.stored_answer import Content, RangeUnsatisfiable, stored
from application.modules.file import business
from application.modules.file.schemas import (
    FileAuthorisationIn,
    FileAuthorisationOut,
    FileFiles,
    FileId,
    FileLinkOut,
    FileOut,
    FileQuery,
    FileUsageOut,
    SignedForm,
    SignedQuery,
)
from application.permissions import Permission

file = Redprint("file", __name__)

_CONTENT_ERRORS = [business.FileNotFound, business.FileNotReady, RangeUnsatisfiable]


@file.get("", scope=Permission.FILE_WRITE, answer=FileOut, orders=business.ORDERS, filters=business.FILTERS)
def index(query: FileQuery) -> Page[business.FileRow]:
    """List one's own files; who manages files sees all."""
    return business.search(viewer_id=_viewer(), **query.given())


@file.get("/usage", scope=Permission.FILE_WRITE, answer=FileUsageOut)
def usage() -> business.Usage:
    """Read how much room one's files take, and what may be sent."""
    return business.usage(current_identity().user_id)


@file.post(
    "",
    status=201,
    permission=Permission.FILE_WRITE,
    answer=FileOut,
    errors=[FileRefused, FileTooLarge, business.QuotaUsedUp, business.StorageUnavailable, business.AlreadyConfirmed],
    transaction=False,
    max_body="FILE_MAX_BODY",
    rate_limit="120/minute",
)
def create(files: FileFiles) -> business.FileRow:
    """Send a file.

    What it is, its content says: a page, a script or a file of two types at once is refused, whatever it is called.
    """
    content, owner_id = files.file.stream, current_identity().user_id
    found = business.examined(content, declared=files.file.mimetype)
    with unit_of_work():
        reserved = business.reserve(
            owner_id=owner_id, name=files.file.filename or "", media_type=found.media_type, size=found.size
        )
    _put(reserved, files)
    with unit_of_work():
        return business.complete(reserved.id, owner_id=owner_id, key=reserved.key, found=found)


@file.post(
    "/authorisation",
    status=201,
    permission=Permission.FILE_WRITE,
    answer=FileAuthorisationOut,
    errors=[FileRefused, FileTooLarge, business.QuotaUsedUp, business.StorageUnavailable],
    secret=True,
    rate_limit="120/minute",
)
def authorise(body: FileAuthorisationIn) -> business.AuthorisationRow:
    """Announce a file, and learn how the browser sends it by itself.

    The answer says where to post a form to: first the fields, then the file. When that is done, confirm it.
    """
    reserved = business.announce(
        owner_id=current_identity().user_id, name=body.name, media_type=body.media_type, size=body.size
    )
    files = request.base_url.removesuffix("/authorisation")
    return business.authorisation(reserved, receiver=f"{files}/{reserved.id}/upload")


@file.post(
    "/<id:file_id>/upload",
    public=True,
    errors=[business.LinkInvalid, FileRefused, business.StorageUnavailable],
    transaction=False,
    max_body="FILE_MAX_BODY",
    rate_limit="120/minute",
)
def upload(file_id: FileId, form: SignedForm, files: FileFiles) -> None:
    """Send a file that was announced, with the fields of its authorisation and nothing else."""
    with unit_of_work(write=False):
        reserved = business.admitted(file_id, expires=form.expires, signature=form.signature)
    business.receive(reserved, files.file.stream)


@file.post(
    "/<id:file_id>/confirmation",
    permission=Permission.FILE_WRITE,
    answer=FileOut,
    errors=[
        business.FileNotFound,
        business.AlreadyConfirmed,
        business.NothingUploaded,
        FileRefused,
        FileTooLarge,
        business.StorageUnavailable,
    ],
    transaction=False,
    rate_limit="120/minute",
)
def confirm(file_id: FileId) -> business.FileRow:
    """Say that an announced file was sent; its content is looked at, and deleted if it is not what was announced."""
    owner_id = current_identity().user_id
    with unit_of_work(write=False):
        reserved = business.waiting(file_id, owner_id=owner_id)
    key, found = business.collect(reserved)
    with unit_of_work():
        return business.complete(file_id, owner_id=owner_id, key=key, found=found)


@file.get("/<id:file_id>", scope=Permission.FILE_WRITE, answer=FileOut, errors=[business.FileNotFound])
def show(file_id: FileId) -> business.FileRow:
    """Read what a file is."""
    return business.get(file_id, viewer_id=_viewer())


@file.get("/<id:file_id>/content", scope=Permission.FILE_WRITE, media_type="*/*", errors=_CONTENT_ERRORS)
def content(file_id: FileId) -> Response:
    """Get a file, or the part of it that `Range` asks for, to be saved and not shown."""
    return _attachment(business.kept(file_id, viewer_id=_viewer()))


@file.get(
    "/<id:file_id>/thumbnail",
    scope=Permission.FILE_WRITE,
    media_type=THUMBNAIL_TYPE,
    errors=[business.FileNotFound, business.ThumbnailNotFound, RangeUnsatisfiable],
)
def thumbnail(file_id: FileId) -> Response:
    """Get a small image of a file, where there is one."""
    small = business.small(file_id, viewer_id=_viewer())
    return stored(storage.current, Content(small.key, small.size, THUMBNAIL_TYPE, small.key))


@file.get(
    "/<id:file_id>/link",
    scope=Permission.FILE_WRITE,
    answer=FileLinkOut,
    errors=[business.FileNotFound, business.FileNotReady, business.StorageUnavailable],
    secret=True,
)
def link(file_id: FileId) -> business.LinkRow:
    """Get a URL that gives the file to whoever has it, for some minutes."""
    receiver = f"{request.base_url.removesuffix('/link')}/download"
    return business.link(business.kept(file_id, viewer_id=_viewer()), receiver=receiver)


@file.get("/<id:file_id>/download", public=True, media_type="*/*", errors=[*_CONTENT_ERRORS, business.LinkInvalid])
def download(file_id: FileId, query: SignedQuery) -> Response:
    """Get a file by the link to it, without a token."""
    business.check_download(file_id, expires=query.expires, signature=query.signature)
    return _attachment(business.kept(file_id, viewer_id=None))


@file.delete("/<id:file_id>", permission=Permission.FILE_WRITE, errors=[business.FileNotFound])
def delete(file_id: FileId) -> None:
    """Delete a file; it may be restored for some days."""
    business.delete(file_id, editor_id=_viewer())


@file.post(
    "/<id:file_id>/restore",
    permission=Permission.FILE_WRITE,
    answer=FileOut,
    errors=[business.FileNotFound, business.QuotaUsedUp],
)
def restore(file_id: FileId) -> business.FileRow:
    """Take back that a file was deleted."""
    return business.restore(file_id, editor_id=_viewer())


def _put(reserved: business.Reserved, files: FileFiles) -> None:
    try:
        business.put(reserved, files.file.stream)
    except business.StorageUnavailable:
        with unit_of_work():
            business.abandon(reserved)
        raise


def _attachment(kept: business.Kept) -> Response:
    charset = "; charset=utf-8" if kept.media_type.startswith("text/") else ""
    described = Content(
        kept.key, kept.size, kept.media_type + charset, kept.sha256 or kept.key, kept.confirmed_at, kept.name
    )
    return stored(storage.current, described)


def _viewer() -> str | None:
    """Return whose files the caller may see and change; None is everybody's."""
    caller = current_identity()
    return None if caller.may(Permission.FILE_MANAGE) else caller.user_id
