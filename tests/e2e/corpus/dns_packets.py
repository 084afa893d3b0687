"""Malformed and refused DNS packets: name, bytes, the response code that is right.

None means that no answer may come. The codes are those of RFC 1035 §4.1.1 and RFC 6891 §9.
"""
import struct

FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 1, 2, 3, 4, 5, 16


def name(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def header(flags=0x0100, questions=1, answers=0, authorities=0, additionals=0, ident=0x4E46):
    return struct.pack("!6H", ident, flags, questions, answers, authorities, additionals)


def question(labels=(b"nearfront", b"localhost"), kind=1, klass=1):
    return name(*labels) + struct.pack("!2H", kind, klass)


def edns(version=0, options=b"", size=1232):
    return b"\0" + struct.pack("!2HIH", 41, size, version << 16, len(options)) + options


def subnet(family=1, source=24, scope=0, address=b"\xc6\x33\x64"):
    body = struct.pack("!HBB", family, source, scope) + address
    return struct.pack("!2H", 8, len(body)) + body


WITH_EDNS = header(additionals=1) + question()

CASES = [
    ("empty", b"", None),
    ("one_byte", b"\x4e", None),
    ("half_a_header", header()[:6], None),
    ("header_short_by_one", header()[:11], None),
    ("garbage_of_eleven", b"\xff" * 11, None),
    ("a_response", header(0x8180) + question(), None),
    ("a_response_with_garbage", header(0x8000) + b"\xff" * 40, None),
    ("no_question", header(questions=0), FORMERR),
    ("two_questions", header(questions=2) + question() * 2, FORMERR),
    ("questions_that_are_not_there", header(questions=7) + question(), FORMERR),
    ("question_cut_in_name", header() + b"\x09near", FORMERR),
    ("question_without_type", header() + name(b"nearfront", b"localhost"), FORMERR),
    ("question_without_class", header() + name(b"nearfront", b"localhost") + b"\0\1", FORMERR),
    ("label_of_64", header() + b"\x40" + b"a" * 64 + b"\0\0\1\0\1", FORMERR),
    ("label_type_reserved", header() + b"\x80a\0\0\1\0\1", FORMERR),
    ("name_of_300", header() + b"".join(b"\x3f" + b"a" * 63 for _ in range(5)) + b"\0\0\1\0\1", FORMERR),
    ("pointer_to_itself", header() + b"\xc0\x0c\0\1\0\1", FORMERR),
    ("pointer_forward", header() + b"\xc0\x20\0\1\0\1" + b"\0" * 20, FORMERR),
    ("pointers_in_a_circle", header() + b"\xc0\x0e\xc0\x0c\0\1\0\1", FORMERR),
    ("pointer_past_the_end", header() + b"\xff\xff\0\1\0\1", FORMERR),
    ("opcode_iquery", header(0x0900) + question(), NOTIMP),
    ("opcode_status", header(0x1100) + question(), NOTIMP),
    ("opcode_notify", header(0x2100) + question(kind=6), NOTIMP),
    ("opcode_update", header(0x2900) + question(kind=6), NOTIMP),
    ("opcode_unassigned", header(0x7900) + question(), NOTIMP),
    ("class_chaos", header() + question((b"version", b"bind"), 16, 3), REFUSED),
    ("class_none", header() + question(klass=254), REFUSED),
    ("outside_the_zone", header() + question((b"example", b"com")), REFUSED),
    ("the_root", header() + question(()), REFUSED),
    ("zone_transfer", header() + question(kind=252), REFUSED),
    ("incremental_transfer", header() + question(kind=251), REFUSED),
    ("name_unknown_in_the_zone", header() + question((b"nobody", b"nearfront", b"localhost")), NXDOMAIN),
    ("edns_version_1", WITH_EDNS + edns(version=1), BADVERS),
    ("edns_version_255", WITH_EDNS + edns(version=255), BADVERS),
    ("edns_twice", header(additionals=2) + question() + edns() * 2, FORMERR),
    ("edns_options_cut", WITH_EDNS + b"\0" + struct.pack("!2HIH", 41, 1232, 0, 40) + b"\0\x08", FORMERR),
    ("edns_option_longer_than_itself", WITH_EDNS + edns(options=struct.pack("!2H", 8, 99)), FORMERR),
    ("subnet_family_0", WITH_EDNS + edns(options=subnet(family=0)), FORMERR),
    ("subnet_prefix_33", WITH_EDNS + edns(options=subnet(source=33, address=b"\1\2\3\4\5")), FORMERR),
    ("subnet_scope_set", WITH_EDNS + edns(options=subnet(scope=8)), FORMERR),
    ("subnet_address_too_short", WITH_EDNS + edns(options=subnet(source=24, address=b"\xc6")), FORMERR),
    ("subnet_bits_beyond_the_prefix", WITH_EDNS + edns(options=subnet(source=20, address=b"\xc6\x33\x6f")), FORMERR),
    ("additional_that_is_not_there", WITH_EDNS, FORMERR),
]

assert len(CASES) >= 40
