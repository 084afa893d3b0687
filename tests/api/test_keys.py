"""Public keys, and the key groups that they stand in."""

import concurrent.futures
import contextlib

import keys
import pytest
import surface
from cryptography.hazmat.primitives.asymmetric import ec
from keys import NOBODY, key, pages  # noqa: F401

NO_GROUP = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def group(api, unique, key):
    """Makes key groups; they are deleted afterwards, before their keys."""
    made = []

    def make(items, **changes):
        config = {"Name": unique("group"), "Items": items, **changes}
        answer = api.ok("CreateKeyGroup", KeyGroupConfig=config)
        made.append(answer["KeyGroup"]["Id"])
        return answer

    yield make
    for one in made:
        with contextlib.suppress(api.client.exceptions.NoSuchResource):
            keys.drop(api, "DeleteKeyGroup", "GetKeyGroup", Id=one)


@pytest.mark.proves("CreatePublicKey", "GetPublicKey", "GetPublicKeyConfig", "UpdatePublicKey", "DeletePublicKey")
@pytest.mark.parametrize("private", [keys.rsa_key, keys.ec_key])
def test_a_public_key_is_kept_as_it_was_sent_and_only_its_comment_changes(api, key, private):
    pem = keys.public_pem(private())
    made = key(EncodedKey=pem)
    one, config = made["PublicKey"]["Id"], made["PublicKey"]["PublicKeyConfig"]
    assert one.startswith("K") and len(one) == 14
    assert made["Location"].endswith(f"/2020-05-31/public-key/{one}")
    assert config["EncodedKey"].strip() == pem.strip()
    shown = api.ok("GetPublicKeyConfig", Id=one)
    assert shown["ETag"] == made["ETag"] and shown["PublicKeyConfig"] == config
    changed = api.ok("UpdatePublicKey", Id=one, IfMatch=shown["ETag"],
                     PublicKeyConfig={**shown["PublicKeyConfig"], "Comment": "another"})
    assert changed["ETag"] != shown["ETag"]
    again = api.ok("GetPublicKey", Id=one)
    assert again["PublicKey"]["PublicKeyConfig"]["Comment"] == "another"
    assert again["PublicKey"]["CreatedTime"] == made["PublicKey"]["CreatedTime"]
    api.refused("DeletePublicKey", "PreconditionFailed", why="stale etag", Id=one, IfMatch=made["ETag"])
    api.ok("DeletePublicKey", Id=one, IfMatch=changed["ETag"])
    api.refused("GetPublicKey", "NoSuchPublicKey", why="wrong id", Id=one)


def test_what_is_no_key_of_the_two_kinds_is_refused(api, unique):
    def refused(text, says):
        error = api.refused("CreatePublicKey", "InvalidArgument", why="out of range", says=says,
                            PublicKeyConfig=keys.public_key(unique, EncodedKey=text))
        assert "EncodedKey" in error["Message"]
        assert text[:40] not in error["Message"] or len(text) < 40
    refused("garbage", "BEGIN PUBLIC KEY")
    refused(keys.private_pem(keys.rsa_key()), "private key")
    refused(keys.private_pem(keys.ec_key()), "private key")
    refused(keys.public_pem(keys.rsa_key(1024)), "RSA of 1024 bits")
    refused(keys.public_pem(keys.ec_key(ec.SECP384R1)), "P-256")
    refused(keys.public_pem(keys.rsa_key()).replace("MIIB", "AAAA"), "SubjectPublicKeyInfo")
    api.refused("CreatePublicKey", "InvalidArgument", why="out of range", says="Name",
                PublicKeyConfig=keys.public_key(unique, Name="two words"))
    api.refused("CreatePublicKey", "InvalidArgument", why="out of range", says="Comment",
                PublicKeyConfig=keys.public_key(unique, Comment="x" * 129))


def test_names_and_references_of_public_keys_are_their_own(api, unique, key):
    config = key()["PublicKey"]["PublicKeyConfig"]
    for kept in ("Name", "CallerReference"):
        other = keys.public_key(unique, **{kept: config[kept]})
        api.refused("CreatePublicKey", "PublicKeyAlreadyExists", why="taken", PublicKeyConfig=other)
    api.refused("CreatePublicKey", "PublicKeyAlreadyExists", why="taken", PublicKeyConfig=config)


def test_a_public_key_and_its_name_are_for_good(api, unique, key):
    made = key()
    one, config, tag = made["PublicKey"]["Id"], made["PublicKey"]["PublicKeyConfig"], made["ETag"]

    def refused(code, why="other", tag=tag, one=one, **changes):
        params = {"IfMatch": tag} if tag else {}
        api.refused("UpdatePublicKey", code, why=why, Id=one, PublicKeyConfig={**config, **changes}, **params)
    refused("CannotChangeImmutablePublicKeyFields", EncodedKey=keys.public_pem(keys.ec_key()))
    refused("CannotChangeImmutablePublicKeyFields", Name=unique())
    refused("IllegalUpdate", CallerReference=unique())
    refused("InvalidArgument", why="out of range", Comment="x" * 129)
    refused("PreconditionFailed", why="stale etag", tag="E0000000000000")
    refused("InvalidIfMatchVersion", why="no etag", tag=None)
    refused("NoSuchPublicKey", why="wrong id", one=NOBODY)
    assert api.ok("GetPublicKey", Id=one)["ETag"] == tag


def test_mistakes_with_public_keys(api, unique, key):
    made = key()
    for missing in ("CallerReference", "Name", "EncodedKey"):
        config = keys.public_key(unique)
        del config[missing]
        api.refused("CreatePublicKey", "MalformedXML", why="missing field", PublicKeyConfig=config, says=missing)
        api.refused("UpdatePublicKey", "MalformedXML", why="missing field", PublicKeyConfig=config, says=missing,
                    Id=made["PublicKey"]["Id"], IfMatch=made["ETag"])
    for operation in ("GetPublicKey", "GetPublicKeyConfig"):
        api.refused(operation, "NoSuchPublicKey", why="wrong id", Id=NOBODY)
    api.refused("DeletePublicKey", "NoSuchPublicKey", why="wrong id", Id=NOBODY, IfMatch=made["ETag"])
    api.refused("DeletePublicKey", "InvalidIfMatchVersion", why="no etag", Id=made["PublicKey"]["Id"])
    api.refused("ListPublicKeys", "InvalidArgument", why="out of range", MaxItems="0")


@pytest.mark.proves("ListPublicKeys", "ListKeyGroups")
def test_keys_and_groups_are_listed_page_by_page(api, key, group):
    made = {key()["PublicKey"]["Id"] for _ in range(3)}
    listed = pages(api, "ListPublicKeys", "PublicKeyList")
    assert made <= {item["Id"] for item in listed} and len(listed) == len({item["Id"] for item in listed})
    groups = {group([one])["KeyGroup"]["Id"] for one in made}
    assert groups <= {item["KeyGroup"]["Id"] for item in pages(api, "ListKeyGroups", "KeyGroupList")}
    api.refused("ListKeyGroups", "InvalidArgument", why="out of range", MaxItems="none")


@pytest.mark.proves("CreateKeyGroup", "GetKeyGroup", "GetKeyGroupConfig", "UpdateKeyGroup", "DeleteKeyGroup",
                    "DeletePublicKey")
def test_a_key_cannot_go_while_a_group_has_it(api, key, group):
    first, second = key(), key()
    one, other = first["PublicKey"]["Id"], second["PublicKey"]["Id"]
    made = group([one])
    mine = made["KeyGroup"]["Id"]
    assert made["Location"].endswith(f"/2020-05-31/key-group/{mine}")
    api.refused("DeletePublicKey", "PublicKeyInUse", why="in use", says=mine, Id=one, IfMatch=first["ETag"])
    shown = api.ok("GetKeyGroupConfig", Id=mine)
    assert shown["KeyGroupConfig"]["Items"] == [one] and shown["ETag"] == made["ETag"]
    changed = api.ok("UpdateKeyGroup", Id=mine, IfMatch=shown["ETag"],
                     KeyGroupConfig={**shown["KeyGroupConfig"], "Items": [other]})
    assert api.ok("GetKeyGroup", Id=mine)["KeyGroup"]["KeyGroupConfig"]["Items"] == [other]
    api.ok("DeletePublicKey", Id=one, IfMatch=first["ETag"])
    api.refused("DeletePublicKey", "PublicKeyInUse", why="in use", says=mine, Id=other, IfMatch=second["ETag"])
    api.refused("DeleteKeyGroup", "PreconditionFailed", why="stale etag", Id=mine, IfMatch=made["ETag"])
    api.ok("DeleteKeyGroup", Id=mine, IfMatch=changed["ETag"])
    api.ok("DeletePublicKey", Id=other, IfMatch=second["ETag"])
    api.refused("GetKeyGroup", "NoSuchResource", why="wrong id", Id=mine)


def test_no_group_is_left_with_a_key_that_is_gone(api, unique, key):
    """Eight groups are made with a key while it is deleted: either it stays, or none of them came to be."""
    for _ in range(5):
        made = key()
        one, tag = made["PublicKey"]["Id"], made["ETag"]

        def attempt(number, one=one, tag=tag):
            try:
                if number == 4:
                    return api.call("DeletePublicKey", Id=one, IfMatch=tag) and None
                return api.call("CreateKeyGroup", KeyGroupConfig={"Name": unique(), "Items": [one]})["KeyGroup"]["Id"]
            except api.client.exceptions.ClientError as refused:
                assert refused.response["Error"]["Code"] in ("PublicKeyInUse", "InvalidArgument"), refused
                return None
        with concurrent.futures.ThreadPoolExecutor(9) as pool:
            groups = [group for group in pool.map(attempt, range(9)) if group]
        if groups:
            api.call("GetPublicKey", Id=one)
            for group in groups:
                keys.drop(api, "DeleteKeyGroup", "GetKeyGroup", Id=group)
        else:
            api.refused("GetPublicKey", "NoSuchPublicKey", why="wrong id", Id=one)


def test_mistakes_with_key_groups(api, unique, key, group):
    one = key()["PublicKey"]["Id"]
    made = group([one])
    mine, config = made["KeyGroup"]["Id"], made["KeyGroup"]["KeyGroupConfig"]

    def refused(code, why, says=None, **changes):
        new = {"Name": unique(), "Items": [one], **changes}
        new = {name: value for name, value in new.items() if value is not None}
        api.refused("CreateKeyGroup", code, why=why, says=says, KeyGroupConfig=new)
        api.refused("UpdateKeyGroup", code, why=why, says=says, Id=mine, IfMatch=made["ETag"], KeyGroupConfig=new)
    refused("InvalidArgument", "wrong id", says=NOBODY, Items=[one, NOBODY])
    refused("InvalidArgument", "wrong id", says="K0000000000001", Items=[NOBODY, "K0000000000001"])
    refused("InvalidArgument", "out of range", says="already", Items=[one, one])
    refused("InvalidArgument", "out of range", Name="two words")
    refused("MalformedXML", "missing field", says="Name", Name=None)
    refused("MalformedXML", "missing field", says="Items", Items=None)
    api.refused("CreateKeyGroup", "KeyGroupAlreadyExists", why="taken", KeyGroupConfig=config)
    other = group([one])
    api.refused("UpdateKeyGroup", "KeyGroupAlreadyExists", why="taken", Id=other["KeyGroup"]["Id"],
                IfMatch=other["ETag"], KeyGroupConfig=config)
    api.refused("UpdateKeyGroup", "InvalidIfMatchVersion", why="no etag", Id=mine, KeyGroupConfig=config)
    api.refused("UpdateKeyGroup", "PreconditionFailed", why="stale etag", Id=mine, IfMatch="E1", KeyGroupConfig=config)
    api.refused("UpdateKeyGroup", "NoSuchResource", why="wrong id", Id=NO_GROUP, IfMatch="E1", KeyGroupConfig=config)
    for operation in ("GetKeyGroup", "GetKeyGroupConfig"):
        api.refused(operation, "NoSuchResource", why="wrong id", Id=NO_GROUP)
    api.refused("DeleteKeyGroup", "NoSuchResource", why="wrong id", Id=NO_GROUP, IfMatch="E1")
    api.refused("DeleteKeyGroup", "InvalidIfMatchVersion", why="no etag", Id=mine)


def test_a_distribution_is_told_which_key_groups_there_are(api, unique, key, group):
    mine = group([key()["PublicKey"]["Id"]])["KeyGroup"]["Id"]

    def refused(code, why, id, says):
        config = surface.config_of(unique())
        config["DefaultCacheBehavior"]["TrustedKeyGroups"] = {"Enabled": True, "Quantity": 1, "Items": [id]}
        api.refused("CreateDistribution", code, why=why, says=says, DistributionConfig=config)
    refused("TrustedKeyGroupDoesNotExist", "wrong id", NO_GROUP, NO_GROUP)
    refused("UnsupportedOperation", "not honoured", mine, "TrustedKeyGroups")
