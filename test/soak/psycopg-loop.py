# Logs in again and again with what PGSERVICEFILE and PGSERVICE say, until its input ends. Prints a line of JSON:
# how many logins there were, which failed, and how many of them took longer than the grace, in seconds.
import json
import os
import select
import sys
import time

import psycopg

grace = float(os.environ["GRACE"])
seen = {"answered": 0, "failures": [], "late": 0}
while not select.select([sys.stdin], [], [], 0.02)[0]:
    began = time.monotonic()
    try:
        with psycopg.connect("") as connection:
            connection.execute("SELECT 1")
        seen["answered"] += 1
    except psycopg.Error as error:
        if time.monotonic() - began > grace:
            seen["late"] += 1
        else:
            seen["failures"].append(type(error).__name__ + ": " + str(error).splitlines()[-1])
print(json.dumps(seen))
