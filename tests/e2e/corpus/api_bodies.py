"""Malformed bodies for the management API: name, method, path, body, status, error code.

`{distribution}` in a path is replaced by the id of one that exists. Every request is signed
correctly: what is refused is the body.
"""

NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"


def distribution(**parts):
    """A small correct configuration with parts replaced by text; an empty text leaves one out."""
    body = {
        "CallerReference": "<CallerReference>malformed</CallerReference>",
        "Origins": "<Origins><Quantity>1</Quantity><Items>{Origin}</Items></Origins>",
        "Origin": "<Origin><Id>web</Id><DomainName>origin.example</DomainName><CustomOriginConfig>"
        "<HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort>"
        "<OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>",
        "Default": "<DefaultCacheBehavior><TargetOriginId>web</TargetOriginId>"
        "<ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>"
        "<CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId></DefaultCacheBehavior>",
        "Comment": "<Comment></Comment>",
        "Enabled": "<Enabled>true</Enabled>",
        "Extra": "",
    } | parts
    origins = body["Origins"].replace("{Origin}", body["Origin"])
    inner = body["CallerReference"] + origins + body["Default"] + body["Comment"] + body["Enabled"] + body["Extra"]
    return f'<DistributionConfig xmlns="{NAMESPACE}">{inner}</DistributionConfig>'


def origin(text):
    return distribution(Origin=f"<Origin><Id>web</Id>{text}</Origin>")


CUSTOM = ("<CustomOriginConfig><HTTPPort>{}</HTTPPort><HTTPSPort>443</HTTPSPort>"
          "<OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig>")
BATCH = ("<InvalidationBatch><Paths><Quantity>{}</Quantity><Items><Path>{}</Path></Items></Paths>"
         "<CallerReference>{}</CallerReference></InvalidationBatch>")
NEW, INVALIDATE, POLICY = "/distribution", "/distribution/{distribution}/invalidation", "/cache-policy"
XML = "MalformedXML"
BOMB = ('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>')
POLICY_BODY = ("<CachePolicyConfig><Name>{}</Name><MinTTL>{}</MinTTL><MaxTTL>{}</MaxTTL>"
               "</CachePolicyConfig>")

CASES = [
    ("nothing", "POST", NEW, "", 400, "MissingBody"),
    ("white_space", "POST", NEW, "  \n ", 400, "MissingBody"),
    ("not_xml", "POST", NEW, "hello", 400, XML),
    ("json", "POST", NEW, '{"CallerReference": "x"}', 400, XML),
    ("cut_in_the_middle", "POST", NEW, distribution()[:200], 400, XML),
    ("wrong_root", "POST", NEW, "<CachePolicyConfig/>", 400, XML),
    ("wrong_closing_tag", "POST", NEW, distribution().replace("</Comment>", "</Commend>"), 400, XML),
    ("two_roots", "POST", NEW, distribution() + distribution(), 400, XML),
    ("bytes_that_are_not_utf8", "POST", NEW, distribution(Comment="<Comment>\xff</Comment>").encode("latin-1"), 400, XML),
    ("utf16", "POST", NEW, distribution().encode("utf-16"), 400, XML),
    ("entity_bomb", "POST", NEW, BOMB + distribution(Comment="<Comment>&c;</Comment>"), 400, XML),
    ("external_entity", "POST", NEW, '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
     + distribution(Comment="<Comment>&a;</Comment>"), 400, XML),
    ("unknown_entity", "POST", NEW, distribution(Comment="<Comment>&nbsp;</Comment>"), 400, XML),
    ("deeply_nested", "POST", NEW, "<a>" * 50_000 + "</a>" * 50_000, 400, XML),
    ("deep_inside", "POST", NEW, distribution(Extra="<Aliases>" + "<Items>" * 500 + "</Items>" * 500 + "</Aliases>"), 400, XML),
    ("too_large", "POST", NEW, distribution(Comment=f"<Comment>{'x' * (2 << 20)}</Comment>"), 413, "RequestEntityTooLarge"),
    ("unknown_element", "POST", NEW, distribution(Extra="<Surprise>1</Surprise>"), 400, XML),
    ("unknown_element_in_an_origin", "POST", NEW, origin("<DomainName>a.b</DomainName><Colour>red</Colour>"), 400, XML),
    ("element_twice", "POST", NEW, distribution(Extra="<Enabled>false</Enabled>"), 400, XML),
    ("no_caller_reference", "POST", NEW, distribution(CallerReference=""), 400, XML),
    ("no_origins", "POST", NEW, distribution(Origins=""), 400, XML),
    ("no_default_behavior", "POST", NEW, distribution(Default=""), 400, XML),
    ("enabled_is_no_boolean", "POST", NEW, distribution(Enabled="<Enabled>maybe</Enabled>"), 400, XML),
    ("port_is_no_number", "POST", NEW, origin("<DomainName>a.b</DomainName>" + CUSTOM.format("eighty")), 400, XML),
    ("port_beyond_32_bits", "POST", NEW, origin("<DomainName>a.b</DomainName>" + CUSTOM.format(99999999999)), 400, XML),
    ("unknown_word", "POST", NEW, distribution(Extra="<PriceClass>PriceClass_1</PriceClass>"), 400, XML),
    ("wrong_item_name", "POST", NEW, distribution(Extra="<Aliases><Quantity>1</Quantity><Items><Alias>a.b</Alias></Items></Aliases>"), 400, XML),
    ("empty_caller_reference", "POST", NEW, distribution(CallerReference="<CallerReference/>"), 400, "InvalidArgument"),
    ("quantity_differs", "POST", NEW, distribution(Origins="<Origins><Quantity>2</Quantity><Items>{Origin}</Items></Origins>"), 400, "InconsistentQuantities"),
    ("quantity_negative", "POST", NEW, distribution(Extra="<Aliases><Quantity>-1</Quantity></Aliases>"), 400, "InconsistentQuantities"),
    ("port_81", "POST", NEW, origin("<DomainName>a.b</DomainName>" + CUSTOM.format(81)), 400, "InvalidArgument"),
    ("domain_is_a_url", "POST", NEW, origin("<DomainName>http://a.b/c</DomainName>" + CUSTOM.format(80)), 400, "InvalidOrigin"),
    ("origin_of_no_kind", "POST", NEW, origin("<DomainName>a.b</DomainName>"), 400, "InvalidOrigin"),
    ("relative_path", "POST", NEW, origin("<DomainName>a.b</DomainName><OriginPath>x</OriginPath>" + CUSTOM.format(80)), 400, "InvalidRelativePath"),
    ("comment_too_long", "POST", NEW, distribution(Comment=f"<Comment>{'x' * 200}</Comment>"), 400, "InvalidArgument"),
    ("root_object_with_slash", "POST", NEW, distribution(Extra="<DefaultRootObject>/index.html</DefaultRootObject>"), 400, "InvalidDefaultRootObject"),
    ("with_tags_but_plain_body", "POST", "/distribution?WithTags", distribution(), 400, XML),
    ("update_with_nothing", "PUT", "/distribution/{distribution}/config", "", 400, "MissingBody"),
    ("invalidation_of_nothing", "POST", INVALIDATE, "", 400, "MissingBody"),
    ("invalidation_without_paths", "POST", INVALIDATE, "<InvalidationBatch><CallerReference>x</CallerReference></InvalidationBatch>", 400, XML),
    ("invalidation_miscounted", "POST", INVALIDATE, BATCH.format(3, "/a", "m1"), 400, "InconsistentQuantities"),
    ("invalidation_path_without_slash", "POST", INVALIDATE, BATCH.format(1, "a", "m2"), 400, "InvalidArgument"),
    ("invalidation_path_too_long", "POST", INVALIDATE, BATCH.format(1, "/" + "a" * 5000, "m3"), 400, "InvalidArgument"),
    ("policy_lifetimes_out_of_order", "POST", POLICY, POLICY_BODY.format("malformed", 10, 5), 400, "InvalidTTLOrder"),
    ("policy_name_with_spaces", "POST", POLICY, POLICY_BODY.format("a b", 0, 5), 400, "InvalidArgument"),
    ("policy_lifetime_is_no_number", "POST", POLICY, POLICY_BODY.format("malformed", "soon", 5), 400, XML),
    ("tags_of_nothing", "POST", "/tagging?Operation=Tag&Resource={arn}", "", 400, "MissingBody"),
    ("tag_key_reserved", "POST", "/tagging?Operation=Tag&Resource={arn}",
     "<Tags><Items><Tag><Key>aws:x</Key><Value>y</Value></Tag></Items></Tags>", 400, "InvalidTagging"),
]

assert len(CASES) >= 40
