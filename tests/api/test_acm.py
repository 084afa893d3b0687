"""Certificates: every operation of ACM that is offered, through botocore, and what is refused by name."""

import datetime

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import surface
import nearfront as parts

NOBODY = "arn:aws:acm:us-east-1:000000000000:certificate/12345678-1234-1234-1234-123456789012"


def pair(*names, days=30, key=None, usage=False):
    """A self-signed certificate and its key, PEM."""
    key, now = key or ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    made = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False))
    if usage:
        made = made.add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    made = made.sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(serialization.Encoding.PEM), private


@pytest.fixture
def acm(client):
    return client("acm")


@pytest.fixture
def imported(acm, unique):
    """Imports certificates, and deletes what is not in use afterwards."""
    made = []

    def make(*names, tags=None, **more):
        leaf, key = pair(*(names or (f"{unique('host')}.test",)), **more)
        tagged = {"Tags": tags} if tags else {}
        made.append(acm.ok("ImportCertificate", Certificate=leaf, PrivateKey=key, **tagged)["CertificateArn"])
        return made[-1]

    yield make
    for arn in made:
        try:
            acm.call("DeleteCertificate", CertificateArn=arn)
        except ClientError:
            pass


@pytest.fixture(scope="module")
def asking():
    """A Nearfront whose authority nobody reaches: requests stay as they are."""
    with parts.Up({"acme": {"directory": f"https://127.0.0.1:{parts.free_port()}/dir"}}) as near:
        yield near


@pytest.fixture
def asked(asking):
    env = asking.aws_env()
    return surface.Api(env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], service="acm")


def test_what_is_imported_is_described_whole(acm, imported, unique):
    host = f"{unique('host')}.test"
    arn = imported(host, f"*.{host}", usage=True)
    seen = acm.ok("DescribeCertificate", CertificateArn=arn)["Certificate"]
    assert (seen["Status"], seen["Type"], seen["RenewalEligibility"]) == ("ISSUED", "IMPORTED", "INELIGIBLE")
    assert seen["DomainName"] == host and seen["SubjectAlternativeNames"] == [host, f"*.{host}"]
    assert seen["KeyAlgorithm"] == "EC_prime256v1" and seen["SignatureAlgorithm"] == "SHA256WITHECDSA"
    assert seen["KeyUsages"] == [{"Name": "DIGITAL_SIGNATURE"}]
    assert seen["ExtendedKeyUsages"] == [{"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}]
    assert seen["InUseBy"] == [] and seen["ImportedAt"] >= seen["CreatedAt"] and seen["NotAfter"] > seen["NotBefore"]
    assert ":" in seen["Serial"] and host in seen["Subject"] and host in seen["Issuer"]


def test_what_is_imported_is_given_back_without_its_key(acm, unique):
    leaf, key = pair(f"{unique('host')}.test")
    arn = acm.ok("ImportCertificate", Certificate=leaf, PrivateKey=key)["CertificateArn"]
    got = acm.ok("GetCertificate", CertificateArn=arn)
    assert got["Certificate"].split() == leaf.decode().split() and "PRIVATE" not in str(got)
    acm.ok("DeleteCertificate", CertificateArn=arn)
    acm.refused("GetCertificate", "ResourceNotFoundException", why="wrong id", CertificateArn=arn)


def test_a_second_import_takes_the_place_of_the_first(acm, imported, unique):
    host = f"{unique('host')}.test"
    arn = imported(host)
    before = acm.ok("DescribeCertificate", CertificateArn=arn)["Certificate"]
    leaf, key = pair(host, days=60, key=rsa.generate_private_key(65537, 2048))
    assert acm.ok("ImportCertificate", CertificateArn=arn, Certificate=leaf, PrivateKey=key)["CertificateArn"] == arn
    after = acm.ok("DescribeCertificate", CertificateArn=arn)["Certificate"]
    assert after["Serial"] != before["Serial"] and after["KeyAlgorithm"] == "RSA_2048"
    assert after["CreatedAt"] == before["CreatedAt"] and after["NotAfter"] > before["NotAfter"]
    acm.refused("ImportCertificate", "ValidationException", says="AddTagsToCertificate", CertificateArn=arn, Certificate=leaf, PrivateKey=key,
                Tags=[{"Key": "a"}])
    acm.refused("ImportCertificate", "ResourceNotFoundException", why="wrong id", CertificateArn=NOBODY, Certificate=leaf, PrivateKey=key)


def test_a_certificate_in_use_stays(acm, api, imported, unique):
    host = f"{unique('host')}.test"
    arn = imported(host)
    viewer = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    config = surface.config_of(unique(), Aliases={"Quantity": 1, "Items": [host]}, ViewerCertificate=viewer)
    made = api.call("CreateDistribution", DistributionConfig=config)["Distribution"]
    try:
        seen = acm.ok("DescribeCertificate", CertificateArn=arn)["Certificate"]
        assert seen["InUseBy"] == [made["ARN"]]
        acm.refused("DeleteCertificate", "ResourceInUseException", why="in use", says="InUseBy", CertificateArn=arn)
        listed = acm.ok("ListCertificates")["CertificateSummaryList"]
        assert next(one for one in listed if one["CertificateArn"] == arn)["InUse"] is True
    finally:
        surface.forget(api, made["Id"])
    acm.ok("DeleteCertificate", CertificateArn=arn)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_the_region_of_the_caller_stands_in_the_arn_and_any_is_accepted(client, api, unique, region):
    acm, host = client("acm", region=region), f"{unique('host')}.test"
    leaf, key = pair(host)
    arn = acm.ok("ImportCertificate", Certificate=leaf, PrivateKey=key)["CertificateArn"]
    assert arn.startswith(f"arn:aws:acm:{region}:000000000000:certificate/")
    viewer = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    config = surface.config_of(unique(), Aliases={"Quantity": 1, "Items": [host]}, ViewerCertificate=viewer)
    made = api.call("CreateDistribution", DistributionConfig=config)["Distribution"]
    assert made["DistributionConfig"]["ViewerCertificate"]["ACMCertificateArn"] == arn
    surface.forget(api, made["Id"])
    acm.ok("DeleteCertificate", CertificateArn=arn)


def test_lists_have_pages_an_order_and_filters(acm, imported):
    made = [imported(), imported(key=rsa.generate_private_key(65537, 2048)), imported()]
    mine = lambda listed: [one["CertificateArn"] for one in listed if one["CertificateArn"] in made]
    paged, token = [], {}
    while True:
        page = acm.ok("ListCertificates", MaxItems=1, **token)
        paged += page["CertificateSummaryList"]
        assert len(page["CertificateSummaryList"]) <= 1
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert sorted(mine(paged)) == sorted(made)
    paginator = acm.client.get_paginator("list_certificates")
    assert sorted(mine(paginator.paginate(PaginationConfig={"PageSize": 2}).build_full_result()["CertificateSummaryList"])) == sorted(made)
    ascending = acm.ok("ListCertificates", SortBy="CREATED_AT", SortOrder="ASCENDING")["CertificateSummaryList"]
    descending = acm.ok("ListCertificates", SortBy="CREATED_AT", SortOrder="DESCENDING")["CertificateSummaryList"]
    assert [one["CertificateArn"] for one in ascending] == [one["CertificateArn"] for one in reversed(descending)]
    assert [one["CreatedAt"] for one in ascending] == sorted(one["CreatedAt"] for one in ascending)
    only = lambda **how: mine(acm.ok("ListCertificates", **how)["CertificateSummaryList"])
    assert only(Includes={"keyTypes": ["RSA_2048"]}) == [made[1]]
    assert only(CertificateStatuses=["EXPIRED", "FAILED"]) == [] and len(only(CertificateStatuses=["ISSUED"])) == 3
    assert only(Includes={"keyUsage": ["CRL_SIGNING"]}) == [] and only(Includes={"exportOption": "ENABLED"}) == []
    acm.refused("ListCertificates", "ValidationException", why="out of range", MaxItems=1001)
    acm.refused("ListCertificates", "ValidationException", why="out of range", NextToken="nonsense")
    acm.refused("ListCertificates", "ValidationException", SortOrder="ASCENDING")


def test_tags_are_put_listed_and_taken_away(acm, imported):
    arn = imported(tags=[{"Key": "team", "Value": "web"}])
    tags = lambda: {tag["Key"]: tag.get("Value") for tag in acm.ok("ListTagsForCertificate", CertificateArn=arn).get("Tags", [])}
    assert tags() == {"team": "web"}
    acm.ok("AddTagsToCertificate", CertificateArn=arn, Tags=[{"Key": "team", "Value": "ops"}, {"Key": "x", "Value": "1"}])
    assert tags() == {"team": "ops", "x": "1"}
    acm.ok("RemoveTagsFromCertificate", CertificateArn=arn, Tags=[{"Key": "team", "Value": "web"}, {"Key": "x"}])
    assert tags() == {"team": "ops"}  # with another value it stays
    acm.refused("AddTagsToCertificate", "InvalidTagException", CertificateArn=arn, Tags=[{"Key": "aws:x"}])
    acm.refused("AddTagsToCertificate", "ValidationException", why="missing field", CertificateArn=arn)
    for operation in ("AddTagsToCertificate", "RemoveTagsFromCertificate"):
        acm.refused(operation, "ResourceNotFoundException", why="wrong id", CertificateArn=NOBODY, Tags=[{"Key": "a"}])
    acm.refused("ListTagsForCertificate", "ResourceNotFoundException", why="wrong id", CertificateArn=NOBODY)


@pytest.mark.parametrize("operation", ["DescribeCertificate", "GetCertificate", "DeleteCertificate", "RenewCertificate", "ListTagsForCertificate"])
def test_arns_that_lead_nowhere(acm, operation):
    acm.refused(operation, "ResourceNotFoundException", why="wrong id", CertificateArn=NOBODY)
    acm.refused(operation, "InvalidArnException", why="wrong id", CertificateArn="arn:aws:s3:::bucket/name-of-it")
    acm.refused(operation, "ValidationException", why="missing field")


def test_keys_never_leave_and_no_mail_is_sent(acm, imported):
    arn = imported()
    acm.refused("ExportCertificate", "ValidationException", says="never leave", CertificateArn=arn, Passphrase=b"secret")
    acm.refused("ResendValidationEmail", "InvalidStateException", says="mail", CertificateArn=arn, Domain="a.test", ValidationDomain="a.test")
    acm.refused("RenewCertificate", "ValidationException", says="import", CertificateArn=arn)
    acm.ok("UpdateCertificateOptions", CertificateArn=arn, Options={"CertificateTransparencyLoggingPreference": "ENABLED"})
    acm.refused("UpdateCertificateOptions", "InvalidStateException", CertificateArn=arn,
                Options={"CertificateTransparencyLoggingPreference": "DISABLED"})


def test_what_is_no_certificate_is_not_imported(acm):
    leaf, key = pair("good.test")
    for certificate, private in [(leaf, pair("good.test")[1]), (key, key), (leaf + leaf, key), (leaf, leaf), (b"x" * 40_000, key)]:
        acm.refused("ImportCertificate", "ValidationException", why="out of range", Certificate=certificate, PrivateKey=private)
    acm.refused("ImportCertificate", "ValidationException", why="missing field", Certificate=leaf)
    expired, expired_key = pair("old.test", days=-0.01)
    acm.refused("ImportCertificate", "ValidationException", says="expired", Certificate=expired, PrivateKey=expired_key)


def test_a_request_waits_with_what_is_to_be_set_up(asked, unique):
    host = f"{unique('host')}.test"
    arn = asked.ok("RequestCertificate", DomainName=host, ValidationMethod="DNS", SubjectAlternativeNames=[f"*.{host}"],
                   Tags=[{"Key": "a", "Value": "b"}])["CertificateArn"]
    seen = asked.ok("DescribeCertificate", CertificateArn=arn)["Certificate"]
    assert (seen["Status"], seen["Type"], seen["RenewalEligibility"]) == ("PENDING_VALIDATION", "AMAZON_ISSUED", "INELIGIBLE")
    assert seen["KeyAlgorithm"] == "RSA_2048" and seen["SubjectAlternativeNames"] == [host, f"*.{host}"]
    records = {str(one["ResourceRecord"]) for one in seen["DomainValidationOptions"]}
    assert len(records) == 1 and "_acme-challenge" in records.pop()
    assert asked.ok("ListTagsForCertificate", CertificateArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    many = [{"Key": f"k{number}"} for number in range(50)]
    asked.refused("AddTagsToCertificate", "TooManyTagsException", why="out of range", CertificateArn=arn, Tags=many)
    listed = asked.ok("ListCertificates", CertificateStatuses=["PENDING_VALIDATION"])["CertificateSummaryList"]
    assert arn in [one["CertificateArn"] for one in listed]
    asked.refused("GetCertificate", "RequestInProgressException", CertificateArn=arn)
    asked.refused("RenewCertificate", "RequestInProgressException", CertificateArn=arn)
    leaf, key = pair(host)
    asked.refused("ImportCertificate", "ValidationException", says="requested", CertificateArn=arn, Certificate=leaf, PrivateKey=key)
    asked.ok("DeleteCertificate", CertificateArn=arn)
    asked.refused("DescribeCertificate", "ResourceNotFoundException", why="wrong id", CertificateArn=arn)


def test_the_same_token_is_the_same_request(asked, unique):
    host, token = f"{unique('host')}.test", unique("t").replace("-", "_")
    first = asked.ok("RequestCertificate", DomainName=host, ValidationMethod="HTTP", IdempotencyToken=token)["CertificateArn"]
    assert asked.ok("RequestCertificate", DomainName=host, ValidationMethod="HTTP", IdempotencyToken=token)["CertificateArn"] == first
    asked.refused("RequestCertificate", "InvalidParameterException", DomainName=f"x{host}", ValidationMethod="HTTP", IdempotencyToken=token)


@pytest.mark.parametrize("says, wrong", [
    ("domain name", {"DomainName": "no name"}),
    ("at most 100", {"SubjectAlternativeNames": [f"n{number}.a.test" for number in range(100)]}),
    ("by mail", {"ValidationMethod": "EMAIL"}),
    ("wildcards", {"DomainName": "*.a.test", "ValidationMethod": "HTTP"}),
    ("CertificateAuthorityArn", {"CertificateAuthorityArn": "arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/x"}),
    ("ManagedBy", {"ManagedBy": "CLOUDFRONT"}),
    ("DomainValidationOptions", {"DomainValidationOptions": [{"DomainName": "a.b.test", "ValidationDomain": "b.test"}]}),
    ("TransparencyLogging", {"Options": {"CertificateTransparencyLoggingPreference": "DISABLED"}}),
    ("never leave", {"Options": {"Export": "ENABLED"}}),
    ("KeyAlgorithm", {"KeyAlgorithm": "RSA_1024"}),
    ("IdempotencyToken", {"IdempotencyToken": "a b"}),
])
def test_requests_that_cannot_be_granted_say_why(asked, says, wrong):
    with pytest.raises(ClientError) as refused:
        asked.call("RequestCertificate", **{"DomainName": "a.test", **wrong})
    error = refused.value.response["Error"]
    listed = {shape.name for shape in asked.model.operation_model("RequestCertificate").error_shapes}
    assert error["Code"] in listed and says in error["Message"], error


def test_without_an_authority_nothing_is_requested(acm):
    acm.refused("RequestCertificate", "InvalidParameterException", says="acme.directory", DomainName="www.example.com")
    acm.refused("RequestCertificate", "ValidationException", why="missing field")
