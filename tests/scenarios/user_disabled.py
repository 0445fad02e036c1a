"""An operator disables somebody.

Usage: user_disabled USER. Prints how many sessions that has ended.
"""

import json
import sys
import uuid

import django

django.setup()

from accounts import sessions
from accounts.models import User
from api.clock import now

if __name__ == "__main__":
    person = uuid.UUID(sys.argv[1])
    living = len(sessions.living(person))
    User.objects.filter(pk=person).update(disabled_at=now())
    sessions.logout_everywhere(user_id=person)
    print(json.dumps(living))
