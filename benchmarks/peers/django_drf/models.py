"""The tables as Django maps them; our migrations made them, so it manages none."""

from datetime import UTC

from django.db import models


class IdField(models.CharField):
    """Hold a UUID as text, whatever the database has for it."""

    def __init__(self, **options):
        super().__init__(**{"max_length": 36, **options})

    def db_type(self, connection):
        return "uuid" if connection.vendor == "postgresql" else super().db_type(connection)

    def from_db_value(self, value, _expression, _connection):
        return None if value is None else str(value)


class MomentField(models.DateTimeField):
    """Write a time on SQLite as the other programs on these tables do: with its offset."""

    def get_db_prep_value(self, value, connection, prepared=False):
        if connection.vendor == "sqlite" and hasattr(value, "astimezone"):
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        return super().get_db_prep_value(value, connection, prepared)


class User(models.Model):
    id = IdField(primary_key=True)
    name = models.CharField(max_length=50, unique=True)
    password_hash = models.CharField(max_length=200, null=True)

    is_authenticated = True

    class Meta:
        managed = False
        db_table = "user"


class Tag(models.Model):
    id = IdField(primary_key=True)
    name = models.CharField(max_length=50, unique=True)

    class Meta:
        managed = False
        db_table = "tag"
        ordering = ["name"]


class Blog(models.Model):
    id = IdField(primary_key=True)
    owner = models.ForeignKey(User, models.RESTRICT)
    title = models.CharField(max_length=200)
    content = models.TextField()
    status = models.CharField(max_length=20)
    published_at = MomentField(null=True)
    created_at = MomentField()
    updated_at = MomentField()
    tags = models.ManyToManyField(Tag, db_table="blog_tag")

    class Meta:
        managed = False
        db_table = "blog"


class Session(models.Model):
    id = IdField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE)
    access_digest = models.CharField(max_length=64, unique=True)
    access_expires_at = MomentField()
    family = models.CharField(max_length=64, null=True)
    refreshed_at = MomentField()
    expires_at = MomentField()
    ends_at = MomentField()
    created_at = MomentField()
    last_seen_at = MomentField()
    device = models.CharField(max_length=200)
    address = models.CharField(max_length=45)

    class Meta:
        managed = False
        db_table = "session"
