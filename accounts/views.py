"""The REST door of accounts."""

import uuid
from functools import partial
from typing import Any, cast

from django.http import HttpResponse
from rest_framework.request import Request
from typing_extensions import override

from accounts import actions, passes, queries, schemas, sessions
from accounts.sessions import SignIn
from api import errors
from api.openapi import PAGED, operation
from api.rest import Endpoint, Query, answer, nothing


def session_of(request: Request) -> schemas.LivingSession:
    """Return the session that a request was authenticated with."""
    return cast(schemas.LivingSession, request.auth)


def user_of(request: Request) -> schemas.Profile:
    """Return the user who makes a request."""
    return cast(schemas.Profile, request.user)


def _tokens(found: SignIn) -> dict[str, Any]:
    return {
        "session": schemas.session_out(found.session, found.session.id),
        "access": found.access,
        "expires_in": found.expires_in,
        "refresh": found.refresh,
        "refresh_expires_in": found.refresh_expires_in,
    }


def _signed_in(found: SignIn) -> schemas.SignedIn:
    return schemas.SignedIn(user=schemas.me(found.session.user), **_tokens(found))


def _address(request: Request) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


class PublicEndpoint(Endpoint):
    """A resource for those who have no access token yet."""

    authentication_classes = ()
    permission_classes = ()


class RegisterView(PublicEndpoint):
    @operation(
        "Make an account and sign in",
        body=schemas.Register,
        answers={201: schemas.SignedIn},
        raises=[errors.UsernameTaken, errors.PermissionDenied],
        public=True,
    )
    def post(self, request: Request) -> HttpResponse:
        body = self.body(schemas.Register)
        found = actions.register(
            username=body.username,
            password=body.password,
            display_name=body.display_name,
            device=body.device,
            address=_address(request),
        )
        return answer(_signed_in(found), 201)


class LoginView(PublicEndpoint):
    @operation(
        "Sign in",
        body=schemas.Login,
        answers={200: schemas.SignedIn},
        raises=[errors.InvalidCredentials],
        public=True,
    )
    def post(self, request: Request) -> HttpResponse:
        body = self.body(schemas.Login)
        found = actions.login(
            username=body.username,
            password=body.password,
            device=body.device,
            address=_address(request),
        )
        return answer(_signed_in(found))


class RefreshView(PublicEndpoint):
    @operation(
        "Exchange the refresh token for its successor",
        body=schemas.RefreshBody,
        answers={200: schemas.Tokens},
        raises=[
            errors.InvalidToken,
            errors.TokenExpired,
            errors.SessionRevoked,
            errors.RefreshReused,
        ],
        public=True,
    )
    def post(self, request: Request) -> HttpResponse:
        body = self.body(schemas.RefreshBody)
        found = sessions.refresh(token=body.refresh, address=_address(request))
        return answer(schemas.Tokens(**_tokens(found)))


class LogoutView(Endpoint):
    permission_classes = ()

    @override
    def perform_authentication(self, request: Request) -> None:
        """Wait until it is asked for: an expired access token may come with a refresh token."""

    @override
    def check_throttles(self, request: Request) -> None:
        """Whoever signs out may, however much they have asked for."""

    @operation(
        "End this session",
        body=schemas.Logout,
        answers={204: None},
    )
    def post(self, request: Request) -> HttpResponse:
        body = self.body(schemas.Logout)
        if body.refresh is not None:
            sessions.logout_by_refresh(token=body.refresh)
        elif request.auth is None:
            raise errors.NotAuthenticated
        else:
            session = session_of(request)
            sessions.logout(user_id=session.user_id, session_id=session.id)
        return nothing()


class LogoutAllView(Endpoint):
    @operation("End every session", answers={204: None})
    def post(self, request: Request) -> HttpResponse:
        sessions.logout_everywhere(user_id=user_of(request).id)
        return nothing()


class PasswordView(Endpoint):
    @operation(
        "Change the password and end every other session",
        body=schemas.ChangePassword,
        answers={204: None},
        raises=[errors.InvalidCredentials],
    )
    def post(self, request: Request) -> HttpResponse:
        body = self.body(schemas.ChangePassword)
        session = session_of(request)
        actions.change_password(
            user_id=session.user_id,
            session_id=session.id,
            current=body.current_password,
            new=body.new_password,
        )
        return nothing()


class SocketTokenView(Endpoint):
    @operation("Get a token for one WebSocket handshake", answers={201: schemas.SocketToken})
    def post(self, request: Request) -> HttpResponse:
        token, seconds = passes.issue_socket_token(session=session_of(request))
        return answer(schemas.SocketToken(token=token, expires_in=seconds), 201)


class DownloadTokenView(Endpoint):
    @operation("Get a token for links to attachments", answers={201: schemas.DownloadToken})
    def post(self, request: Request) -> HttpResponse:
        token, seconds = passes.issue_download_token(session=session_of(request))
        return answer(schemas.DownloadToken(token=token, expires_in=seconds), 201)


class SessionsView(Endpoint):
    @operation("List the sessions", query=PAGED, answers={200: schemas.SessionList})
    def get(self, request: Request) -> HttpResponse:
        query, current = Query(request, "limit", "cursor"), session_of(request)
        found, next_cursor = query.page(partial(queries.sessions_after, current.user_id))
        items = [schemas.session_out(session, current.id) for session in found]
        return answer(schemas.SessionList(items=items, next_cursor=next_cursor))


class SessionView(Endpoint):
    @operation("End a session", answers={204: None}, raises=[errors.NotFound])
    def delete(self, request: Request, session_id: uuid.UUID) -> HttpResponse:
        sessions.end_session(user_id=user_of(request).id, session_id=session_id)
        return nothing()


class MeView(Endpoint):
    @operation("Read the own profile", answers={200: schemas.Me})
    def get(self, request: Request) -> HttpResponse:
        Query(request)  # none
        user_id = user_of(request).id
        return answer(queries.selves_by_id([user_id])[user_id])

    @operation("Change the own profile", body=schemas.UpdateMe, answers={200: schemas.Me})
    def patch(self, request: Request) -> HttpResponse:
        changes = self.body(schemas.UpdateMe)
        changed = actions.update_profile(user_id=user_of(request).id, changes=changes)
        return answer(schemas.me(changed))
