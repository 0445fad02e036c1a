"""Tokens as forgers make them, each for a verifier that is careless in one respect.

Whoever has the key may say anything: where a forgery is signed with it, what is tested is
that a token of ours has one form. The names say what a careless verifier does not look at.
"""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.clients import Person
from tests.minting import (
    altered,
    claims_of,
    expired,
    kid_of,
    minted,
    resigned,
    segment,
    signing_key,
)
from tests.servers import World

Forge = Callable[[World, Person], str]
OTHER_KEY = "another-key-that-is-just-as-long-as-ours"


def headed(key: str | None = None, digest: str = "sha256", **header: Any) -> Forge:
    """Return how to sign the true claims under another header; None takes a member out."""

    def forge(world: World, person: Person) -> str:
        access = person.tokens["access"]
        said = {"alg": "HS256", "kid": kid_of(access), "typ": "JWT"} | header
        kept = {name: value for name, value in said.items() if value is not None}
        own = signing_key(world) if key is None else key
        return minted(own, segment(kept), access.split(".")[1], digest)

    return forge


def unsigned(**header: Any) -> Forge:
    """Return how to leave the signature out, and say so."""
    return lambda world, person: headed(**header)(world, person).rpartition(".")[0] + "."


def saying(**changes: Any) -> Forge:
    """Return how to say something else with the true key."""
    return lambda world, person: resigned(world, person.tokens["access"], **changes)


def late(**changes: Any) -> Forge:
    """Return how to say something else, and too late: two faults, of which one is told."""
    return lambda world, person: expired(world, person.tokens["access"], **changes)


def payload(make: Callable[[dict[str, Any]], str]) -> Forge:
    """Return how to sign a payload of this text with the true key."""

    def forge(world: World, person: Person) -> str:
        access = person.tokens["access"]
        text = make(claims_of(access)).encode()
        return minted(signing_key(world), access.partition(".")[0], segment(text))

    return forge


def changed(change: Callable[[str], str]) -> Forge:
    """Return how to change the true token by hand."""
    return lambda _, person: change(person.tokens["access"])


def flipped(token: str) -> str:
    header, claims, signature = token.split(".")
    return f"{header}.{claims}.{altered(signature)}"


def other_claims(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{segment(claims_of(token) | {'sid': str(uuid.uuid4())})}.{signature}"


def late_and_unsigned(world: World, person: Person) -> str:
    return flipped(expired(world, person.tokens["access"]))


def twice_in_header(world: World, person: Person) -> str:
    access = person.tokens["access"]
    header = json.dumps({"alg": "HS256", "kid": kid_of(access), "typ": "JWT"})
    doubled = header.replace("{", '{"alg":"none",', 1).encode()
    return minted(signing_key(world), segment(doubled), access.split(".")[1])


def nested(world: World, person: Person) -> str:
    access = person.tokens["access"]
    header = segment({"alg": "HS256", "kid": kid_of(access), "typ": "JWT", "cty": "JWT"})
    return minted(signing_key(world), header, segment(access.encode()))


HEADERS: dict[str, Forge] = {
    **{f"algorithm {name}": unsigned(alg=name) for name in ("none", "None", "NONE", "nOnE")},
    "no algorithm": unsigned(alg=None),
    "empty algorithm": unsigned(alg=""),
    "algorithm in a list": headed(alg=["HS256"]),
    "algorithm in small letters": headed(alg="hs256"),
    "longer hash": headed(alg="HS512", digest="sha512"),
    "middle hash": headed(alg="HS384", digest="sha384"),
    "hash under the name of RSA": headed(alg="RS256"),
    "hash under the name of a curve": headed(alg="ES256"),
    "another key": headed(key=OTHER_KEY),
    "empty key": headed(key=""),
    "key in the header": headed(key="k", jwk={"kty": "oct", "k": "aw"}),
    "key elsewhere": headed(jku="https://keys.example/jwks.json"),
    "certificate elsewhere": headed(x5u="https://keys.example/x5u.pem"),
    "certificate in the header": headed(x5c=["MIIB"]),
    "critical extension": headed(crit=["exp"]),
    "critical extension unknown to all": headed(crit=["x"], x=1),
    "payload that is not encoded": headed(b64=False, crit=["b64"]),
    "payload that is packed": headed(zip="DEF"),
    "another type of token": headed(typ="at+jwt"),
    "no type of token": headed(typ=None),
    "unknown key": headed(kid="0123456789abcdef"),
    "no key named": headed(kid=None),
    "key named by a number": headed(kid=1),
    "key named by a list": headed(kid=["a"]),
    "key that is a file": headed(key="", kid="../../../../dev/null"),
    "key that is a query": headed(key="k", kid="x' UNION SELECT 'k' --"),
    "member twice in the header": twice_in_header,
    "one more member": headed(extra=1),
}
CLAIMS: dict[str, Forge] = {
    **{f"no {name}": saying(**{name: None}) for name in ("iss", "aud", "exp", "iat", "typ")},
    **{f"no {name}": saying(**{name: None}) for name in ("sid", "gen", "jti")},
    "another issuer": saying(iss="elsewhere"),
    "several issuers": saying(iss=["gapless"]),
    "another audience": saying(aud="elsewhere"),
    "several audiences": saying(aud=["elsewhere", "gapless"]),
    "another issuer, too late": late(iss="elsewhere"),
    "another audience, too late": late(aud="elsewhere"),
    "another type, too late": late(typ="refresh"),
    "session that is no id, too late": late(sid="1"),
    "another signature, too late": late_and_unsigned,
    "end that is no number": saying(exp="never"),
    "end that is digits": saying(exp="99999999999"),
    "end that is a fraction": saying(exp=time.time() + 60.5),
    "end that is true": saying(exp=True),
    "end beyond all time": saying(exp=10**20),
    "end before all time": saying(exp=-(10**20)),
    "end without end": payload(lambda said: json.dumps(said | {"exp": float("inf")})),
    "end that is not a number": payload(lambda said: json.dumps(said | {"exp": float("nan")})),
    "end of many digits": payload(
        lambda said: json.dumps(said | {"exp": 0}).replace('"exp": 0', f'"exp": {"9" * 1_000}')
    ),
    "issued tomorrow": saying(iat=int(time.time()) + 86_400),
    "not before tomorrow": saying(nbf=2**33),
    "type of refresh": saying(typ="refresh"),
    "type that is no text": saying(typ=["access"]),
    "session that is no id": saying(sid="1"),
    "session that is no text": saying(sid=1),
    "unknown session": saying(sid=str(uuid.uuid4())),
    "generation that is no number": saying(gen="x"),
    "generation that is digits": saying(gen="1"),
    "generation zero": saying(gen=0),
    "generation beyond the column": saying(gen=2**40),
    "number that is no id": saying(jti="1"),
    "session twice": payload(lambda said: json.dumps(said)[:-1] + f', "sid": "{said["sid"]}"}}'),
    "claims in a list": payload(lambda said: json.dumps([said])),
    "claims that are null": payload(lambda _: "null"),
    "claims that are no JSON": payload(lambda _: "{"),
    "deep claims": payload(lambda said: "[" * 900 + "]" * 900),
}
SHAPES: dict[str, Forge] = {
    "signature cut off": changed(lambda token: token.rpartition(".")[0]),
    "empty signature": changed(lambda token: token.rpartition(".")[0] + "."),
    "half of it": changed(lambda token: token[: len(token) // 2]),
    "last letter cut off": changed(lambda token: token[:-1]),
    "one letter changed": changed(flipped),
    "other claims": changed(other_claims),
    "padded": changed(lambda token: token + "="),
    "padded twice": changed(lambda token: token.replace(".", "=.", 1)),
    "a dot before": changed(lambda token: "." + token),
    "a dot behind": changed(lambda token: token + "."),
    "a dot inside": changed(lambda token: token[:10] + "." + token[10:]),
    "four parts": changed(lambda token: token + ".e30"),
    "five parts": changed(lambda token: "e30.e30.e30.e30.e30"),
    "a space inside": changed(lambda token: token.replace(".", ". ", 1)),
    "a tab inside": changed(lambda token: token.replace(".", "\t.", 1)),
    "two": changed(lambda token: f"{token} {token}"),
    "two with a comma": changed(lambda token: f"{token},{token}"),
    "in quotes": changed(lambda token: f'"{token}"'),
    "other bytes": changed(lambda _: "\u00ff.\u00e4.\u00f6"),
    "a letter that is none of base64": changed(lambda token: token[:-1] + "\u00e9"),
    "nothing but dots": changed(lambda _: ".."),
    "no token": changed(lambda _: "token"),
    "very long": changed(lambda token: token + "A" * 5_000),
    "token in a token": nested,
    "refresh token": lambda _, person: person.tokens["refresh"],
}
FORGED = HEADERS | CLAIMS | SHAPES
