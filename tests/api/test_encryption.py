"""Field-level encryption: profiles that use keys, configurations that use profiles."""

import contextlib

import keys
import pytest
import surface
from keys import NOBODY, key, pages  # noqa: F401

NO_PROFILE, NO_CONFIG = "P0000000000000", "C0000000000000"
FORM = "application/x-www-form-urlencoded"


def entity(key, *patterns, provider="shop", quantity=None):
    """An EncryptionEntity."""
    return {"PublicKeyId": key, "ProviderId": provider,
            "FieldPatterns": {"Quantity": len(patterns) if quantity is None else quantity, "Items": list(patterns)}}


def entities(*items):
    """EncryptionEntities."""
    return {"Quantity": len(items), "Items": list(items)}


def by_query(*mappings, quantity=None, forward=True):
    """A QueryArgProfileConfig of (argument, profile)."""
    items = [{"QueryArg": arg, "ProfileId": profile} for arg, profile in mappings]
    return {"ForwardWhenQueryArgProfileIsUnknown": forward,
            "QueryArgProfiles": {"Quantity": len(items) if quantity is None else quantity, "Items": items}}


def by_type(*mappings, forward=True):
    """A ContentTypeProfileConfig of (content type, profile)."""
    items = [{"Format": "URLEncoded", "ContentType": kind, **({"ProfileId": profile} if profile else {})}
             for kind, profile in mappings]
    return {"ForwardWhenContentTypeIsUnknown": forward,
            "ContentTypeProfiles": {"Quantity": len(items), "Items": items}}


@pytest.fixture
def rsa(key):  # noqa: F811
    """The id of an RSA key."""
    return key()["PublicKey"]["Id"]


@pytest.fixture
def profile(api, unique, rsa):
    """Makes profiles; they are deleted afterwards, before their keys."""
    made = []

    def make(**changes):
        config = {"Name": unique("profile"), "CallerReference": unique(),
                  "EncryptionEntities": entities(entity(rsa, "Card*", "Date")), **changes}
        answer = api.ok("CreateFieldLevelEncryptionProfile", FieldLevelEncryptionProfileConfig=config)
        made.append(answer["FieldLevelEncryptionProfile"]["Id"])
        return answer

    yield make
    for one in made:
        with contextlib.suppress(api.client.exceptions.NoSuchFieldLevelEncryptionProfile):
            keys.drop(api, "DeleteFieldLevelEncryptionProfile", "GetFieldLevelEncryptionProfile", Id=one)


@pytest.fixture
def encryption(api, unique, profile):
    """Makes configurations; they are deleted afterwards, before their profiles."""
    made = []

    def make(**changes):
        config = {"CallerReference": unique(), "Comment": "", **changes}
        answer = api.ok("CreateFieldLevelEncryptionConfig", FieldLevelEncryptionConfig=config)
        made.append(answer["FieldLevelEncryption"]["Id"])
        return answer

    yield make
    for one in made:
        with contextlib.suppress(api.client.exceptions.NoSuchFieldLevelEncryptionConfig):
            keys.drop(api, "DeleteFieldLevelEncryptionConfig", "GetFieldLevelEncryption", Id=one)


@pytest.mark.proves("CreateFieldLevelEncryptionProfile", "GetFieldLevelEncryptionProfile",
                    "GetFieldLevelEncryptionProfileConfig", "UpdateFieldLevelEncryptionProfile",
                    "DeleteFieldLevelEncryptionProfile")
def test_a_profile_holds_its_keys(api, unique, key, profile):  # noqa: F811
    first, second = key(), key()
    made = profile(EncryptionEntities=entities(entity(first["PublicKey"]["Id"], "Card*")))
    one = made["FieldLevelEncryptionProfile"]["Id"]
    assert one.startswith("P") and len(one) == 14
    assert made["Location"].endswith(f"/2020-05-31/field-level-encryption-profile/{one}")
    delete = {"Id": first["PublicKey"]["Id"], "IfMatch": first["ETag"]}
    api.refused("DeletePublicKey", "PublicKeyInUse", why="in use", says=one, **delete)
    shown = api.ok("GetFieldLevelEncryptionProfileConfig", Id=one)
    both = entities(entity(second["PublicKey"]["Id"], "Card*"), entity(second["PublicKey"]["Id"], "Date", provider="a:b"))
    config = {**shown["FieldLevelEncryptionProfileConfig"], "EncryptionEntities": both, "Name": unique("renamed")}
    changed = api.ok("UpdateFieldLevelEncryptionProfile", Id=one, IfMatch=shown["ETag"],
                     FieldLevelEncryptionProfileConfig=config)
    again = api.ok("GetFieldLevelEncryptionProfile", Id=one)
    assert again["ETag"] == changed["ETag"] != made["ETag"]
    assert again["FieldLevelEncryptionProfile"]["FieldLevelEncryptionProfileConfig"] == config
    api.ok("DeletePublicKey", **delete)
    api.ok("DeleteFieldLevelEncryptionProfile", Id=one, IfMatch=changed["ETag"])
    api.ok("DeletePublicKey", Id=second["PublicKey"]["Id"], IfMatch=second["ETag"])
    api.refused("GetFieldLevelEncryptionProfile", "NoSuchFieldLevelEncryptionProfile", why="wrong id", Id=one)


def test_mistakes_in_profiles(api, unique, rsa, key, profile):  # noqa: F811
    made = profile()
    mine = made["FieldLevelEncryptionProfile"]["Id"]
    old = made["FieldLevelEncryptionProfile"]["FieldLevelEncryptionProfileConfig"]

    def refused(code, why, says=None, **changes):
        for operation in ("CreateFieldLevelEncryptionProfile", "UpdateFieldLevelEncryptionProfile"):
            update = operation.startswith("Update")
            config = {**old, "Name": unique(), **({} if update else {"CallerReference": unique()}), **changes}
            config = {name: value for name, value in config.items() if value is not None}
            more = {"Id": mine, "IfMatch": made["ETag"]} if update else {}
            api.refused(operation, code, why=why, says=says, FieldLevelEncryptionProfileConfig=config, **more)

    def wrong(code, *items, why="out of range", says=None, **more):
        refused(code, why, says=says, EncryptionEntities={**entities(*items), **more})
    wrong("NoSuchPublicKey", entity(NOBODY, "a"), why="wrong id", says=NOBODY)
    wrong("InvalidArgument", entity(rsa, "ABC*", "AB*"), says="overlap")
    wrong("InvalidArgument", entity(rsa, "AB"), entity(rsa, "A*"), says="overlap")
    wrong("InvalidArgument", entity(rsa, "a b"), says="FieldPatterns.Items[0]")
    wrong("InvalidArgument", entity(rsa, "a", provider="a b"), says="ProviderId")
    wrong("InvalidArgument", says="EncryptionEntities")
    ec = key(EncodedKey=keys.public_pem(keys.ec_key()))["PublicKey"]["Id"]
    wrong("InvalidArgument", entity(ec, "a"), why="other", says="RSA")
    wrong("InconsistentQuantities", entity(rsa, "a", quantity=2))
    wrong("InconsistentQuantities", entity(rsa, "a"), Quantity=3)
    large = entity(rsa, *[f"{one:02}{'x' * 120}" for one in range(40)])
    wrong("FieldLevelEncryptionProfileSizeExceeded", large)
    refused("InvalidArgument", "out of range", says="Name", Name="two words")
    refused("InvalidArgument", "out of range", says="Comment", Comment="x" * 129)
    refused("MalformedXML", "missing field", says="EncryptionEntities", EncryptionEntities=None)
    other = profile()["FieldLevelEncryptionProfile"]["FieldLevelEncryptionProfileConfig"]
    refused("FieldLevelEncryptionProfileAlreadyExists", "taken", says="name", Name=other["Name"])
    api.refused("CreateFieldLevelEncryptionProfile", "FieldLevelEncryptionProfileAlreadyExists", why="taken",
                FieldLevelEncryptionProfileConfig={**old, "Name": unique()})
    api.refused("UpdateFieldLevelEncryptionProfile", "IllegalUpdate", why="other", Id=mine, IfMatch=made["ETag"],
                FieldLevelEncryptionProfileConfig={**old, "CallerReference": unique()})


@pytest.mark.parametrize(("word", "missing", "nobody"), [
    ("Profile", "NoSuchFieldLevelEncryptionProfile", NO_PROFILE), ("Config", "NoSuchFieldLevelEncryptionConfig", NO_CONFIG)])
def test_ids_and_tags_must_be_right(api, profile, encryption, word, missing, nobody):
    name = "FieldLevelEncryptionProfile" if word == "Profile" else "FieldLevelEncryption"
    member = f"FieldLevelEncryption{word}Config" if word == "Profile" else "FieldLevelEncryptionConfig"
    made = profile() if word == "Profile" else encryption()
    one, config = made[name]["Id"], made[name][member]
    update, delete = f"UpdateFieldLevelEncryption{word}", f"DeleteFieldLevelEncryption{word}"
    for operation in (f"Get{name}", f"Get{member}"):
        api.refused(operation, missing, why="wrong id", Id=nobody)
    api.refused(update, missing, why="wrong id", Id=nobody, IfMatch="E1", **{member: config})
    api.refused(update, "PreconditionFailed", why="stale etag", Id=one, IfMatch="E1", **{member: config})
    api.refused(update, "InvalidIfMatchVersion", why="no etag", Id=one, **{member: config})
    api.refused(delete, missing, why="wrong id", Id=nobody, IfMatch="E1")
    api.refused(delete, "PreconditionFailed", why="stale etag", Id=one, IfMatch="E1")
    api.refused(delete, "InvalidIfMatchVersion", why="no etag", Id=one)
    api.refused(f"ListFieldLevelEncryption{word}s", "InvalidArgument", why="out of range", MaxItems="x")


@pytest.mark.proves("CreateFieldLevelEncryptionConfig", "GetFieldLevelEncryption", "GetFieldLevelEncryptionConfig",
                    "UpdateFieldLevelEncryptionConfig", "DeleteFieldLevelEncryptionConfig",
                    "DeleteFieldLevelEncryptionProfile")
def test_a_configuration_holds_its_profiles(api, profile, encryption):
    first, second = profile(), profile()
    ids = [made["FieldLevelEncryptionProfile"]["Id"] for made in (first, second)]
    made = encryption(QueryArgProfileConfig=by_query(("cards", ids[0])), ContentTypeProfileConfig=by_type((FORM, ids[1])))
    one = made["FieldLevelEncryption"]["Id"]
    assert one.startswith("C") and len(one) == 14
    assert made["Location"].endswith(f"/2020-05-31/field-level-encryption/{one}")
    for id, held in zip(ids, (first, second), strict=True):
        api.refused("DeleteFieldLevelEncryptionProfile", "FieldLevelEncryptionProfileInUse", why="in use", says=one,
                    Id=id, IfMatch=held["ETag"])
    shown = api.ok("GetFieldLevelEncryptionConfig", Id=one)
    config = {**shown["FieldLevelEncryptionConfig"], "Comment": "less",
              "QueryArgProfileConfig": by_query(forward=False), "ContentTypeProfileConfig": by_type((FORM, None))}
    changed = api.ok("UpdateFieldLevelEncryptionConfig", Id=one, IfMatch=shown["ETag"], FieldLevelEncryptionConfig=config)
    again = api.ok("GetFieldLevelEncryption", Id=one)
    assert again["ETag"] == changed["ETag"] != made["ETag"]
    kept = again["FieldLevelEncryption"]["FieldLevelEncryptionConfig"]
    assert kept["Comment"] == "less" and kept["ContentTypeProfileConfig"] == config["ContentTypeProfileConfig"]
    assert kept["QueryArgProfileConfig"]["ForwardWhenQueryArgProfileIsUnknown"] is False
    for id, held in zip(ids, (first, second), strict=True):
        api.ok("DeleteFieldLevelEncryptionProfile", Id=id, IfMatch=held["ETag"])
    api.ok("DeleteFieldLevelEncryptionConfig", Id=one, IfMatch=changed["ETag"])
    api.refused("GetFieldLevelEncryption", "NoSuchFieldLevelEncryptionConfig", why="wrong id", Id=one)


def test_mistakes_in_configurations(api, unique, profile, encryption):
    known = profile()["FieldLevelEncryptionProfile"]["Id"]
    made = encryption()
    mine = made["FieldLevelEncryption"]["Id"]
    old = made["FieldLevelEncryption"]["FieldLevelEncryptionConfig"]

    def refused(code, why, says=None, **changes):
        api.refused("CreateFieldLevelEncryptionConfig", code, why=why, says=says,
                    FieldLevelEncryptionConfig={"CallerReference": unique(), **changes})
        api.refused("UpdateFieldLevelEncryptionConfig", code, why=why, says=says, Id=mine, IfMatch=made["ETag"],
                    FieldLevelEncryptionConfig={**old, **changes})
    missing = "NoSuchFieldLevelEncryptionProfile"
    refused(missing, "wrong id", says=NO_PROFILE, QueryArgProfileConfig=by_query(("a", NO_PROFILE)))
    refused(missing, "wrong id", says=NO_PROFILE, ContentTypeProfileConfig=by_type((FORM, NO_PROFILE)))
    refused("QueryArgProfileEmpty", "out of range", QueryArgProfileConfig=by_query(("a", "")))
    two = by_type((FORM, known), (FORM.upper(), known))
    refused("InvalidArgument", "out of range", says="already", ContentTypeProfileConfig=two)
    refused("InconsistentQuantities", "out of range", QueryArgProfileConfig=by_query(("a", known), quantity=2))
    refused("InvalidArgument", "out of range", says="QueryArg", QueryArgProfileConfig=by_query(("a b", known)))
    refused("InvalidArgument", "out of range", says="already", QueryArgProfileConfig=by_query(("a", known), ("a", known)))
    refused("InvalidArgument", "out of range", says=FORM, ContentTypeProfileConfig=by_type(("text/plain", known)))
    refused("InvalidArgument", "out of range", says="Comment", Comment="x" * 129)
    api.refused("CreateFieldLevelEncryptionConfig", "MalformedXML", why="missing field", says="CallerReference",
                FieldLevelEncryptionConfig={"Comment": ""})
    api.refused("UpdateFieldLevelEncryptionConfig", "MalformedXML", why="missing field", says="CallerReference",
                Id=mine, IfMatch=made["ETag"], FieldLevelEncryptionConfig={"Comment": ""})
    api.refused("CreateFieldLevelEncryptionConfig", "FieldLevelEncryptionConfigAlreadyExists", why="taken",
                FieldLevelEncryptionConfig=old)
    api.refused("UpdateFieldLevelEncryptionConfig", "IllegalUpdate", why="other", Id=mine, IfMatch=made["ETag"],
                FieldLevelEncryptionConfig={**old, "CallerReference": unique()})


@pytest.mark.proves("ListFieldLevelEncryptionConfigs", "ListFieldLevelEncryptionProfiles")
def test_configurations_and_profiles_are_listed_page_by_page(api, profile, encryption):
    profiles = {profile()["FieldLevelEncryptionProfile"]["Id"] for _ in range(3)}
    configs = {encryption()["FieldLevelEncryption"]["Id"] for _ in range(3)}
    listed = pages(api, "ListFieldLevelEncryptionProfiles", "FieldLevelEncryptionProfileList")
    assert profiles <= {item["Id"] for item in listed}
    assert all(item["EncryptionEntities"]["Quantity"] for item in listed)
    listed = pages(api, "ListFieldLevelEncryptionConfigs", "FieldLevelEncryptionList")
    assert configs <= {item["Id"] for item in listed}


def test_a_distribution_is_told_which_configurations_there_are(api, unique, encryption):
    mine = encryption()["FieldLevelEncryption"]["Id"]

    def refused(code, why, id):
        config = surface.config_of(unique())
        config["DefaultCacheBehavior"]["FieldLevelEncryptionId"] = id
        api.refused("CreateDistribution", code, why=why, says="FieldLevelEncryptionId", DistributionConfig=config)
    refused("NoSuchFieldLevelEncryptionConfig", "wrong id", NO_CONFIG)
    refused("UnsupportedOperation", "not honoured", mine)
