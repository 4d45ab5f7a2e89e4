"""A request made by a key that lives in a token (SoftHSM2 through PKCS#11), as holders do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from registration_authority.pki.csr import check_subject, read_request

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if Path(path).exists()), "")
TOOLS = ("softhsm2-util", "pkcs11-tool", "openssl")
PIN = "1234"


def _engine() -> bool:
    if not shutil.which("openssl"):
        return False
    found = subprocess.run(["openssl", "engine", "pkcs11"], capture_output=True, check=False)
    return found.returncode == 0


pytestmark = pytest.mark.skipif(
    not (MODULE and all(map(shutil.which, TOOLS)) and _engine()),
    reason="SoftHSM2, OpenSC ou le moteur PKCS#11 d’OpenSSL manque : pas de support à interroger",
)


@pytest.fixture
def token(tmp_path: Path) -> dict[str, str]:
    """A fresh token with an RSA 3072 key made inside it; the environment that finds it."""
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    environment = os.environ | {
        "SOFTHSM2_CONF": str(configuration),
        "PKCS11_MODULE_PATH": MODULE,
    }
    label = ("--label", "TOKEN-000123")
    run(
        environment, "softhsm2-util", "--init-token", "--free", *label, "--so-pin=87654321",
        f"--pin={PIN}",
    )  # fmt: skip
    run(
        environment, "pkcs11-tool", "--module", MODULE, "--token-label", "TOKEN-000123", "--login",
        "--pin", PIN, "--keypairgen", "--key-type", "rsa:3072", "--id", "01", "--label", "holder",
        "--usage-sign",
    )  # fmt: skip
    return environment


def run(environment: dict[str, str], *command: str) -> bytes:
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout


def test_a_request_signed_inside_a_token_is_accepted(token: dict[str, str]) -> None:
    key = f"pkcs11:token=TOKEN-000123;object=holder;type=private;pin-value={PIN}"
    content = run(
        token, "openssl", "req", "-new", "-utf8", "-engine", "pkcs11", "-keyform", "engine",
        "-key", key, "-sha256",
        "-subj", "/C=FR/OU=0002 200081511/CN=Hélène ÉPINAY/emailAddress=h.epinay@melle.fr",
    )  # fmt: skip
    request = read_request(content, min_rsa_bits=3072)
    check_subject(request, email="h.epinay@melle.fr", siren="200081511")
    assert request.key().key_size == 3072  # type: ignore[union-attr]


def test_a_wrong_pin_signs_nothing(token: dict[str, str]) -> None:
    key = "pkcs11:token=TOKEN-000123;object=holder;type=private;pin-value=9999"
    with pytest.raises(subprocess.CalledProcessError):
        run(
            token, "openssl", "req", "-new", "-engine", "pkcs11", "-keyform", "engine",
            "-key", key, "-subj", "/CN=X",
        )  # fmt: skip
