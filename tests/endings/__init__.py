"""The ways in which access ends."""

from tests.endings import memberships, sessions
from tests.endings.ending import Ending

ENDINGS: dict[str, type[Ending]] = {
    "logout": sessions.Logout,
    "logout everywhere": sessions.LogoutEverywhere,
    "session deleted": sessions.SessionDeleted,
    "password changed": sessions.PasswordChanged,
    "refresh token reused": sessions.RefreshReused,
    "user disabled": sessions.UserDisabled,
    "user erased": sessions.UserErased,
    "member removed": memberships.MemberRemoved,
    "member banned": memberships.MemberBanned,
    "member leaves": memberships.MemberLeaves,
    "room deleted": memberships.RoomDeleted,
    "token expires": sessions.TokenExpires,  # the last to be opened: its time runs
}
