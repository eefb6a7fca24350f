"""Serializers and views."""

from django.db import transaction
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework import exceptions, mixins, pagination, serializers, viewsets
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from benchmarks.peers import security
from benchmarks.peers.django_drf.models import Blog, Session, Tag, User


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "name"]


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["id", "name"]


class BlogSerializer(serializers.ModelSerializer):
    owner = UserSerializer(read_only=True)
    tags = TagSerializer(many=True, read_only=True)

    class Meta:
        model = Blog
        fields = ["id", "title", "content", "status", "published_at", "owner", "tags", "created_at", "updated_at"]


class BlogInSerializer(serializers.ModelSerializer):
    tags = serializers.PrimaryKeyRelatedField(many=True, queryset=Tag.objects.all())

    class Meta:
        model = Blog
        fields = ["title", "content", "tags"]

    def to_representation(self, instance):
        return BlogSerializer(_with_all().get(pk=instance.pk)).data


class LoginSerializer(serializers.Serializer):
    name = serializers.CharField()
    password = serializers.CharField()


class Limit(pagination.LimitOffsetPagination):
    """Cut a page without counting all rows, which neither we nor the others do."""

    default_limit = 20
    max_limit = 100

    def paginate_queryset(self, queryset, request, view=None):
        offset = self.get_offset(request)
        return list(queryset[offset : offset + self.get_limit(request)])

    def get_paginated_response(self, data):
        return Response(data)


class BlogViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet,
):
    pagination_class = Limit

    def get_queryset(self):
        asked = self.request.query_params
        found = _with_all().filter(status="published") if self.action == "list" else _with_all()
        if "title__contains" in asked:
            found = found.filter(title__contains=asked["title__contains"])
        sort = asked.get("sort", "-created_at")
        if sort not in ("-created_at", "title"):
            raise exceptions.ValidationError
        return found.order_by(sort)

    def get_serializer_class(self):
        return BlogInSerializer if self.action in ("create", "update") else BlogSerializer

    @method_decorator(conditional_page)
    def dispatch(self, request, *arguments, **options):
        return super().dispatch(request, *arguments, **options)

    @transaction.atomic
    def perform_create(self, serializer):
        moment = timezone.now()
        serializer.save(
            id=security.new_id(),
            owner=self.request.user,
            status="published",
            published_at=moment,
            created_at=moment,
            updated_at=moment,
        )

    @transaction.atomic
    def perform_update(self, serializer):
        if serializer.instance.owner_id != self.request.user.id:
            raise exceptions.PermissionDenied
        serializer.save(updated_at=timezone.now())


@api_view(["POST"])
@permission_classes([])
def login(request):
    asked = LoginSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    user = User.objects.filter(name=asked.validated_data["name"]).first()
    if user is None or not security.is_right(user.password_hash, asked.validated_data["password"]):
        raise exceptions.AuthenticationFailed
    token, columns = security.new_session(user.id)
    Session.objects.create(**columns)
    return Response({"token": token, "token_type": "bearer"})


@api_view(["GET"])
@permission_classes([IsAuthenticated])
def me(request):
    return Response(UserSerializer(request.user).data)


def _with_all():
    return Blog.objects.select_related("owner").prefetch_related("tags")
