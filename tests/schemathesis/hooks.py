"""What schemathesis has to be told about Parlor: who asks, and what a schema cannot say.

`cargo xtask schemathesis` runs it; `PARLOR_URL` says where the server is.
"""

import itertools
import os
import unicodedata

import requests
import schemathesis

URL = os.environ["PARLOR_URL"]
PASSWORD = "correct horse battery"

# Operations that end logins, or change the password that makes them. They are somebody else's, who
# is replaced whenever that happened, so that the login of the run lives through it.
LEAVING = [
    "/api/v1/auth/logout",
    "/api/v1/auth/logout-all",
    "/api/v1/me/password",
    "/api/v1/me/devices",
    "/api/v1/me/devices/{id}",
]

FRESH = itertools.count(1)


def post(what, body):
    return requests.post(f"{URL}/api/v1/auth/{what}", json=body, timeout=20)


def register(username):
    """Makes an account, and says how to sign in to it: by its address, which no request changes."""
    account = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    answer = post("register", account)
    answer.raise_for_status()
    return answer.json()["user"]["id"], {"login": account["email"], "password": PASSWORD}


def sign_in(credentials):
    answer = post("login", credentials)
    answer.raise_for_status()
    return answer.json()["access_token"]


def is_alive(token):
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{URL}/api/v1/me", headers=headers, timeout=20).status_code == 200


_, STAYER = register("stayer")
# Somebody to put into rooms, to send out, and to sign in as.
FRIEND_ID, FRIEND = register("friend")


# A piece of a file is bytes like any others.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


class Bearer:
    def set(self, case, token, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {token}"


# An access token lives for 15 minutes. A 401 is no reason to fetch another one: it is the right
# answer to a made-up password or refresh token.
@schemathesis.auth(refresh_interval=600, retry_on=[]).skip_for(path=LEAVING)
class Stayer(Bearer):
    def get(self, case, context):
        return sign_in(STAYER)


@schemathesis.auth(refresh_interval=None, retry_on=[]).apply_to(path=LEAVING)
class Leaver(Bearer):
    token = None

    def get(self, case, context):
        if Leaver.token is None or not is_alive(Leaver.token):
            Leaver.token = sign_in(register(f"leaver{next(FRESH)}")[1])
        return Leaver.token


# What a name, a status or a description is as long as is counted in what people see, after blanks
# at its ends are cut off; a schema counts code points. These are where the two differ.
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and c not in "\x1c\x1d\x1e\x1f")


def stands_alone(c):
    joined = unicodedata.category(c) in ("Mn", "Mc", "Me", "Cf")
    hangul = "\u1100" <= c <= "\u11ff" or "\ua960" <= c <= "\ua97f" or "\ud7b0" <= c <= "\ud7ff"
    emoji = "\U0001f1e6" <= c <= "\U0001f1ff" or "\U0001f3fb" <= c <= "\U0001f3ff"
    return not (joined or hangul or emoji)


def countable(text):
    """The text with as many code points as people see characters. Short ones are left alone."""
    if len(text) <= 32 or not text.strip(BLANKS):
        return text
    text = "".join(c if stands_alone(c) else "o" for c in text)
    first = "o" if text[0] in BLANKS else text[0]
    last = "o" if text[-1] in BLANKS else text[-1]
    return (first + text[1:-1] + last).replace("\r\n", "oo")


def plain(text):
    """The text without letters that are other characters in compatibility form."""
    return "".join(c if c in BLANKS or unicodedata.normalize("NFKC", c) == c else "o" for c in text)


def in_texts(value, change):
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: in_texts(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [in_texts(item, change) for item in value]
    return value


def half(values):
    """Whether this case is one of about a half, by what is in it."""
    return sum(map(ord, "".join(values))) % 2 == 0


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None:
        return
    if case.meta.generation.mode.is_negative:
        # What is too long must be too long as people see it, or it is rightly taken.
        if isinstance(case.body, (dict, list, str)):
            case.body = in_texts(case.body, countable)
        if case.query:
            case.query = in_texts(dict(case.query), countable)
    else:
        make_sense(case, f"{case.method} {case.path}")


def make_sense(case, operation):
    """Says what a description has no words for, and knows what nobody guesses."""
    body = case.body if isinstance(case.body, dict) else {}
    if operation in ("GET /api/v1/sessions/{id}/messages", "GET /api/v1/messages/{id}/thread"):
        # At most one of the three.
        for name in [name for name in ("before", "after", "around") if name in (case.query or {})][1:]:
            del case.query[name]
    if operation == "POST /api/v1/sessions/{id}/messages" and not body.get("client_id"):
        # Either the body or the header has the id.
        case.headers.setdefault("Idempotency-Key", f"key-{next(FRESH)}")
    if operation == "POST /api/v1/auth/login" and half([body.get("login", "")]):
        case.body = {**body, **FRIEND}
    if operation == "POST /api/v1/auth/register" and half([body.get("username", "")]):
        # The simplest names are soon taken.
        case.body = {**body, "username": f"guest{next(FRESH)}", "email": None}
    if body.get("username"):
        case.body = {**case.body, "username": in_texts(case.body["username"], plain)}
    for people in ("users", "members"):
        if body.get(people) and half(body[people]):
            case.body = {**body, people: [FRIEND_ID]}
    user = (case.path_parameters or {}).get("user")
    if user and half([user]):
        case.path_parameters["user"] = FRIEND_ID
