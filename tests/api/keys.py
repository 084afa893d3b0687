"""Keys for tests: made here, never used for anything."""

import contextlib
import functools

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

#: The id of no key.
NOBODY = "K0000000000000"


def public_pem(key):
    """The SubjectPublicKeyInfo of a private key, PEM."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key):
    """The private key itself, PEM: what nobody should send."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


@functools.cache
def rsa_key(bits=2048):
    """An RSA key; the same for every test."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.cache
def ec_key(curve=ec.SECP256R1):
    """An ECDSA key; the same for every test."""
    return ec.generate_private_key(curve())


def public_key(unique, **changes):
    """A PublicKeyConfig."""
    return {"CallerReference": unique(), "Name": unique("key"), "EncodedKey": public_pem(rsa_key()),
            "Comment": "for tests", **changes}


def drop(api, operation, get, **ids):
    """Deletes what has an entity tag, whatever that is by now."""
    api.call(operation, IfMatch=api.call(get, **ids)["ETag"], **ids)


@pytest.fixture
def key(api, unique):
    """Makes public keys; they are deleted afterwards."""
    made = []

    def make(**changes):
        answer = api.ok("CreatePublicKey", PublicKeyConfig=public_key(unique, **changes))
        made.append(answer["PublicKey"]["Id"])
        return answer

    yield make
    for one in made:
        with contextlib.suppress(api.client.exceptions.NoSuchPublicKey):
            drop(api, "DeletePublicKey", "GetPublicKey", Id=one)


def pages(api, operation, wrapper, **more):
    """All items of a list whose pages have one item each."""
    found, marker = [], {}
    while True:
        page = api.ok(operation, MaxItems="1", **marker, **more)[wrapper]
        assert page["MaxItems"] == 1 and page["Quantity"] == len(page.get("Items", [])) <= 1
        found += page.get("Items", [])
        if "NextMarker" not in page:
            return found
        marker = {"Marker": page["NextMarker"]}
