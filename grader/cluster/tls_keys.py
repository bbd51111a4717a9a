"""Makes and reads the keys by which computers of a cluster know each other."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

from grader.errors import UsageError

CA_FILE = "ca.pem"
KEY_FILE = "key.pem"
DAYS = 365
"""Days that keys are valid."""
INSTALL = "grading on many computers needs more packages: pip install 'notebook-grader[cluster]'"


def write_keys(folder: Path, *, days: int = DAYS) -> None:
    """Write a certificate authority and one key that it signed; its own key is thrown away.

    There is one key for all: Dask asks whether a key was signed, and never whose it is.

    Raises:
        UsageError: the folder has keys, can't be written, or a package is missing.
    """
    try:
        from cryptography import x509  # noqa: PLC0415 (an extra)
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(INSTALL) from error
    if (folder / KEY_FILE).exists():
        raise UsageError(f"{folder} has keys; remove them, or name another folder")
    now = dt.datetime.now(dt.UTC)

    def certify(name: str, key: Any, *, issuer: str, by: Any, is_ca: bool) -> Any:
        names = (
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, n)]) for n in (name, issuer)
        )
        subject, signer = names
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))  # clocks differ
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(_key_usage(x509, is_ca=is_ca), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
            )
            .sign(by, hashes.SHA256())
        )

    authority_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority, name = "notebook-grader authority", "notebook-grader"
    ca = certify(authority, authority_key, issuer=authority, by=authority_key, is_ca=True)
    own = certify(name, own_key, issuer=authority, by=authority_key, is_ca=False)
    encoding = serialization.Encoding.PEM
    secret = own_key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(folder / CA_FILE, ca.public_bytes(encoding))
        _write_private(folder / KEY_FILE, secret + own.public_bytes(encoding))
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror})") from error


def _key_usage(x509: Any, *, is_ca: bool) -> Any:
    """Return what a key may be used for, without which newer Pythons refuse it."""
    uses = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, **uses)


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def read_keys(folder: Path) -> Any:
    """Return what Dask takes as its security: every connection is encrypted, both ends are known.

    Raises:
        UsageError: there are no keys, or others may read them.
    """
    from distributed import Security  # noqa: PLC0415 (an extra)

    ca, key = folder / CA_FILE, folder / KEY_FILE
    for path in (ca, key):
        if not path.is_file():
            raise UsageError(f"{path}: no such file; `grade cluster keys {folder}` makes keys")
    if key.stat().st_mode & 0o077:
        raise UsageError(f"{key}: others can read this key; chmod 600 {key}")
    roles = ("client", "scheduler", "worker")
    return Security(
        require_encryption=True,
        tls_ca_file=str(ca),
        **{f"tls_{role}_{part}": str(key) for role in roles for part in ("cert", "key")},
    )
