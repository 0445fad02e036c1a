"""What somebody who cannot sign in would find in their stream.

Usage: inbox_of USER. Prints the frames as a JSON list.
"""

import json
import sys
import uuid

import django

django.setup()

from api.log.heads import head_of
from api.log.reading import Range
from api.replay import frames

if __name__ == "__main__":
    person = uuid.UUID(sys.argv[1])
    found = frames([Range(person, 0, head_of(person))])
    print(json.dumps([json.loads(frame.text or "null") for frame in found[str(person)]]))
