"""What is known of the devices of somebody. Usage: devices_of USER. Prints a JSON list."""

import json
import sys

import django

django.setup()

from accounts.models import Session

if __name__ == "__main__":
    sessions = Session.objects.filter(user_id=sys.argv[1])
    print(json.dumps([[session.device, session.address] for session in sessions]))
