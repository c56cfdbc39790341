"""Files given in the place of others: what they are is told by their first bytes."""

from __future__ import annotations

import gzip

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cds_service.mistaken_files import is_table, kind_of

KEY = ec.generate_private_key(ec.SECP384R1())
PASSWORD = BestAvailableEncryption(b"password")
PUBLIC_PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

KINDS = [
    (b"", "an empty file", "nothing at all"),
    (b"\xef\xbb\xbf \n", "an empty file", "a mark and blank lines"),
    (gzip.compress(b"{}"), "a gzip file", "RFC 1952"),
    (b"PK\x03\x04\x14", "a zip file, such as a workbook of Excel", "xlsx"),
    (CERTIFICATE, "a certificate (PEM)", "RFC 7468"),
    (b"Bag Attributes\n" + CERTIFICATE, "a certificate (PEM)", "with text before it, as openssl writes"),
    (CERTIFICATE + PRIVATE, "a private key (PEM)", "a chain with its key: the key is what matters"),
    (b"-----BEGIN EC PARAMETERS-----\n" + PRIVATE, "a private key (PEM)", "as openssl ecparam -genkey writes"),
    (PUBLIC_PEM, "a public key (PEM)", "RFC 5280"),
    (
        KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, PASSWORD),
        "a private key under a password (PEM)",
        "PKCS #8",
    ),
    (
        KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, PASSWORD),
        "a private key under a password (PEM)",
        "older OpenSSL",
    ),
    (b"-----BEGIN X509 CRL-----", "a PEM file", "another of them"),
    (
        KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "a certificate or key in binary form (DER)",
        "a short one",
    ),
    (b"<!DOCTYPE html><title>Sign in</title>", "an HTML page, such as a sign-in page that was saved", "HTML"),
    (b"<HTML>", "an HTML page, such as a sign-in page that was saved", "in capitals"),
    (b'<Bundle xmlns="http://hl7.org/fhir">', "XML", "FHIR as XML"),
    (b'{"keys": ["-----BEGIN CERTIFICATE-----"]}', "", "JSON that holds a certificate"),
    (b"service: {mode: silent}", "", "YAML"),
]


@pytest.mark.parametrize(("content", "expected", "reason"), KINDS, ids=[row[2] for row in KINDS])
def test_kind_of_file_is_told_by_its_first_bytes(content: bytes, expected: str, reason: str) -> None:
    assert kind_of(content) == expected, reason


TABLES = [
    ("code,analyte\n1,platelets\n", True, "commas"),
    ("code;analyte\n1;platelets\n", True, "semicolons, as Excel writes in most of Europe"),
    ("code\tanalyte\n1\tplatelets\n", True, "tabs"),
    ('"code","what, if any"\n"1","a, b"\n', True, "commas in quotes"),
    ("code,analyte\n1,platelets,x\n", False, "other numbers of columns"),
    ("code,analyte\n", False, "one line"),
    ("code\n1\n", False, "one column"),
    ("about: {what: a, approved_by: b}\nsystems: [{uri: c, dotted: true\n", False, "broken YAML"),
    ("- a, b\n- c, d\n", False, "a list"),
    ('{"a": 1, "b": 2}\n{"a": 1, "b": 2}\n', False, "NDJSON"),
    ("# a, b\n# c, d\n", False, "comments"),
]


@pytest.mark.parametrize(("text", "expected", "reason"), TABLES, ids=[row[2] for row in TABLES])
def test_table_has_as_many_columns_in_each_line(text: str, expected: bool, reason: str) -> None:
    assert is_table(text) == expected, reason
