"""Which URL leads where."""

from django.urls import path

from benchmarks.peers.django_drf import views

urlpatterns = [
    path("blog", views.BlogViewSet.as_view({"get": "list", "post": "create"})),
    path("blog/<str:pk>", views.BlogViewSet.as_view({"get": "retrieve", "put": "update"})),
    path("auth/login", views.login),
    path("auth/me", views.me),
]
