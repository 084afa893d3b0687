"""What the tests of names, tenants and connection groups need: origins, certificates, templates, questions to the DNS."""

import datetime

import dns.message
import dns.query
import dns.rdatatype
import nearfront as parts
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ZONE = "nearfront.localhost"


def imported(acm, *names):
    """ARN of a new certificate for these names."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .sign(key, hashes.SHA256()))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return acm.call("ImportCertificate", Certificate=made.public_bytes(serialization.Encoding.PEM),
                    PrivateKey=private)["CertificateArn"]


def echo():
    """An origin that answers with the path it was asked for and the header X-Shop."""
    def page(handler):
        handler.reply(200, {"Content-Type": "text/plain", "Cache-Control": "max-age=600"},
                      f"{handler.path} {handler.headers.get('X-Shop', '-')}".encode())

    class Any(dict):
        def get(self, *_):
            return page

    origin = parts.Origin()
    origin.pages = Any()
    return origin


def template(port=80, **changes):
    """What makes a configuration that of a multi-tenant distribution; parameters `shop` and `part`."""
    return {
        "ConnectionMode": "tenant-only",
        "TenantConfig": {"ParameterDefinitions": [
            {"Name": "shop", "Definition": {"StringSchema": {"Required": True, "Comment": "which shop"}}},
            {"Name": "part", "Definition": {"StringSchema": {"Required": False, "DefaultValue": "all"}}}]},
        "Origins": {"Quantity": 1, "Items": [parts.http_origin(
            "web", port, OriginPath="/{{shop}}/{{part}}",
            CustomHeaders={"Quantity": 1, "Items": [{"HeaderName": "X-Shop", "HeaderValue": "of {{shop}}"}]})]},
        "DefaultCacheBehavior": {"TargetOriginId": "web", "ViewerProtocolPolicy": "allow-all",
                                 "CachePolicyId": parts.CACHING_OPTIMIZED},
        **changes}


def fine_name(unique):
    """A new name for a tenant, which is a label of a domain name as well."""
    return unique("tenant")


def forget_tenant(api, tenant):
    """Disables and deletes a tenant, if it is still there."""
    try:
        kept = api.call("GetDistributionTenant", Identifier=tenant)
    except api.client.exceptions.EntityNotFound:
        return
    etag = kept["ETag"]
    if kept["DistributionTenant"]["Enabled"]:
        etag = api.call("UpdateDistributionTenant", Id=tenant, IfMatch=etag, Enabled=False)["ETag"]
    api.call("DeleteDistributionTenant", Id=tenant, IfMatch=etag)


def forget_group(api, group):
    """Disables and deletes a connection group, if it is still there."""
    try:
        kept = api.call("GetConnectionGroup", Identifier=group)
    except api.client.exceptions.EntityNotFound:
        return
    etag = kept["ETag"]
    if kept["ConnectionGroup"]["Enabled"]:
        etag = api.call("UpdateConnectionGroup", Id=group, IfMatch=etag, Enabled=False)["ETag"]
    api.call("DeleteConnectionGroup", Id=group, IfMatch=etag)


def asked(near, name, kind="A"):
    """Code and addresses that our own DNS answers."""
    question = dns.message.make_query(name, dns.rdatatype.from_text(kind))
    answer = dns.query.udp(question, "127.0.0.1", port=near.port("dns"), timeout=5)
    code = dns.rcode.to_text(answer.rcode())
    return code, [record.to_text() for rrset in answer.answer for record in rrset]


def aliases(*names):
    return {"Quantity": len(names), "Items": list(names)} if names else {"Quantity": 0}


def changed(api, distribution, **changes):
    """The answer of an update that changes these members."""
    kept = api.call("GetDistributionConfig", Id=distribution)
    return api.call("UpdateDistribution", Id=distribution, IfMatch=kept["ETag"],
                    DistributionConfig={**kept["DistributionConfig"], **changes})


