"""Load a small sample, so that a first look is not at empty lists."""

from application.modules.blog import business as blog_business
from application.modules.blog.models import Status
from application.modules.tag import business as tag_business
from application.modules.user import business as user_business

USERS = ("ada", "grace", "小红")
"""People without a password, so that nobody can sign in as one of them."""

TAGS = ("flask", "sqlalchemy", "scheduler", "socket.io", "中文")

BLOGS = (
    (
        "ada",
        "Hello, Redprint",
        "A feature is a folder: models, business, schemas, endpoints. Find this blog's in application/modules/blog.",
        Status.PUBLISHED,
        ("flask",),
    ),
    (
        "ada",
        "Rules that know no HTTP",
        "business.py takes plain values and returns records. A job, a command and an endpoint call the same function.",
        Status.PUBLISHED,
        ("flask", "sqlalchemy"),
    ),
    (
        "grace",
        "One transaction a request",
        "The edge opens it at the first statement and commits after the answer was written; rules never commit.",
        Status.PUBLISHED,
        ("sqlalchemy",),
    ),
    (
        "grace",
        "Jobs beside the requests",
        "They fire in a process of their own, so a slow one never delays an answer. GET /scheduler/jobs lists them.",
        Status.PUBLISHED,
        ("scheduler",),
    ),
    (
        "grace",
        "Live memory",
        "Connect to the namespace /ws and listen to server_response; the dashboard's first page does just that.",
        Status.PUBLISHED,
        ("socket.io",),
    ),
    (
        "小红",
        "你好，Redprint",
        "一个功能就是一个目录：模型、业务、模式、端点。业务层不知道 HTTP，因此任务、命令和接口调用的是同一个函数。",
        Status.PUBLISHED,
        ("中文", "flask"),
    ),
    (
        "小红",
        "定时任务与实时内存",
        "任务在独立的进程中运行，不会拖慢任何请求；打开首页，点击“开始监控”即可看到实时内存。",
        Status.PUBLISHED,
        ("中文", "scheduler", "socket.io"),
    ),
    ("ada", "A draft", "Only Ada sees this one.", Status.DRAFT, ()),
    ("小红", "草稿", "只有小红能看到这一篇。", Status.DRAFT, ("中文",)),
)


def load_sample() -> tuple[int, int, int]:
    """Create the sample in the current unit of work; return how many users, tags and blogs there are now."""
    users = {name: user_business.create(name=name, password_hash=None).id for name in USERS}
    tags = {name: tag_business.create(name=name).id for name in TAGS}
    for owner, title, content, status, names in BLOGS:
        blog_business.create(
            owner_id=users[owner],
            title=title,
            content=content,
            status=status,
            tag_ids=[tags[name] for name in names],
        )
    return len(USERS), len(TAGS), len(BLOGS)
