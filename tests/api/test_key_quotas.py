"""How many keys, groups, identities, encryption settings and log configurations there may be."""
import keys
import nearfront as parts
import pytest
import surface
from test_encryption import FORM, NO_PROFILE, by_query, by_type, entities, entity
from test_log_configs import end

KINDS = ("public_keys", "key_groups", "origin_access_identities", "field_level_encryption_configs",
         "field_level_encryption_profiles", "realtime_log_configs")


@pytest.fixture(scope="module")
def tight():
    """The API of an installation that has room for one of each, and CloudFront's quotas within one."""
    with parts.Up({"quotas": dict.fromkeys(KINDS, 1)}) as near:
        yield surface.Api(**surface.credentials(near))


@pytest.fixture(scope="module")
def one_key(tight):
    """The only key that there is room for."""
    import itertools
    count = itertools.count()
    config = keys.public_key(lambda what="name": f"{what}-{next(count)}")
    return tight.call("CreatePublicKey", PublicKeyConfig=config)["PublicKey"]["Id"]


def test_there_is_room_for_as_many_as_the_quota_says(tight, unique, one_key):
    def second(operation, code, make):
        if operation != "CreatePublicKey":
            tight.ok(operation, **make())
        tight.refused(operation, code, why="out of range", says="1", **make())
    second("CreatePublicKey", "TooManyPublicKeys", lambda: {"PublicKeyConfig": keys.public_key(unique)})
    second("CreateKeyGroup", "TooManyKeyGroups", lambda: {"KeyGroupConfig": {"Name": unique(), "Items": [one_key]}})
    second("CreateCloudFrontOriginAccessIdentity", "TooManyCloudFrontOriginAccessIdentities", lambda: {
        "CloudFrontOriginAccessIdentityConfig": {"CallerReference": unique(), "Comment": ""}})
    second("CreateFieldLevelEncryptionProfile", "TooManyFieldLevelEncryptionProfiles", lambda: {
        "FieldLevelEncryptionProfileConfig": {"Name": unique(), "CallerReference": unique(),
                                              "EncryptionEntities": entities(entity(one_key, "a"))}})
    second("CreateFieldLevelEncryptionConfig", "TooManyFieldLevelEncryptionConfigs", lambda: {
        "FieldLevelEncryptionConfig": {"CallerReference": unique()}})
    second("CreateRealtimeLogConfig", "TooManyRealtimeLogConfigs", lambda: {
        "Name": unique(), "SamplingRate": 1, "Fields": ["asn"], "EndPoints": [end()]})


def test_each_holds_as_many_parts_as_the_quota_says(tight, unique, one_key):
    tight.refused("CreateKeyGroup", "TooManyPublicKeysInKeyGroup", why="out of range", says="5", KeyGroupConfig={
        "Name": unique(), "Items": [f"K{number:013}" for number in range(6)]})

    def profile(code, *items):
        config = {"Name": unique(), "CallerReference": unique(), "EncryptionEntities": entities(*items)}
        tight.refused("CreateFieldLevelEncryptionProfile", code, why="out of range", says="10",
                      FieldLevelEncryptionProfileConfig=config)
    profile("TooManyFieldLevelEncryptionFieldPatterns", entity(one_key, *[f"field-{one:02}" for one in range(11)]))
    profile("TooManyFieldLevelEncryptionEncryptionEntities", *[entity(one_key, f"field-{one:02}") for one in range(11)])

    def config(code, **changes):
        tight.refused("CreateFieldLevelEncryptionConfig", code, why="out of range",
                      FieldLevelEncryptionConfig={"CallerReference": unique(), **changes})
    six = by_query(*[(f"arg-{one}", NO_PROFILE) for one in range(6)])
    config("TooManyFieldLevelEncryptionQueryArgProfiles", QueryArgProfileConfig=six)
    two = by_type((FORM, NO_PROFILE), (FORM.upper(), NO_PROFILE))
    config("TooManyFieldLevelEncryptionContentTypeProfiles", ContentTypeProfileConfig=two)
