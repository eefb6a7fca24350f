"""Who shows a token."""

from django.utils import timezone
from rest_framework import authentication, exceptions

from benchmarks.peers import security
from benchmarks.peers.django_drf.models import Session


class TokenAuthentication(authentication.TokenAuthentication):
    keyword = "Bearer"

    def authenticate_credentials(self, key):
        found = Session.objects.select_related("user").filter(access_digest=security.digest(key)).first()
        if found is None or found.access_expires_at <= timezone.now():
            raise exceptions.AuthenticationFailed
        return found.user, found
