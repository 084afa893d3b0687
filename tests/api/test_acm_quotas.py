"""How many certificates an account may have: requested and imported ones together."""

import concurrent.futures

import nearfront as parts
import pytest
import surface
from botocore.exceptions import ClientError

from test_acm import pair


@pytest.fixture(scope="module")
def few():
    """Three certificates, and an authority that nobody reaches."""
    settings = {"quotas": {"certificates": 3}, "acme": {"directory": "https://127.0.0.1:1/dir"}}
    with parts.Up(settings) as near:
        yield surface.Api(**surface.credentials(near), service="acm")


def everything(acm):
    return [one["CertificateArn"] for one in acm.call("ListCertificates", Includes={"keyTypes": KEYS})["CertificateSummaryList"]]


KEYS = ["RSA_2048", "EC_prime256v1"]


def test_whoever_may_request_certificates_cannot_make_any_number_of_them(few, unique):
    def make(_):
        try:
            return few.call("RequestCertificate", DomainName=f"{unique()}.example.com")["CertificateArn"]
        except ClientError as refused:
            assert refused.response["Error"]["Code"] in ("LimitExceededException", "ServiceUnavailable"), refused
            return None

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(make, range(16)) if one]
    assert len(made) == 3 and sorted(everything(few)) == sorted(made)
    leaf, key = pair("www.example.com")
    few.refused("ImportCertificate", "LimitExceededException", status=400, Certificate=leaf, PrivateKey=key)
    few.call("DeleteCertificate", CertificateArn=made[0])
    arn = few.call("ImportCertificate", Certificate=leaf, PrivateKey=key)["CertificateArn"]
    again = few.call("ImportCertificate", CertificateArn=arn, Certificate=leaf, PrivateKey=key)
    assert again["CertificateArn"] == arn
    few.refused("RequestCertificate", "LimitExceededException", status=400, says="3", DomainName="more.example.com")
    for one in [arn, *made[1:]]:
        few.call("DeleteCertificate", CertificateArn=one)
    assert everything(few) == []
