"""A software of the commune, on the real stack: real sockets, worker and operator."""

import base64
import contextlib
import http.client
import json
import time

import pytest

from tests.documents import pdfs
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]

LEZAY = "lezay"
BOUNDARY = "------------------------d74496d66958873e"
OPEN = """
from django.utils import timezone
from socle.accounts.models import Person
from socle.directory.models import Organisation
from tenants.api.actions import open_access
claire = Person.objects.get(email="claire.martin@melle.test")
lezay = Organisation.objects.get(insee="79148")
access, secret = open_access(organisation=lezay, software="e2e", by=claire, at=timezone.now())
print(access.login, secret)
"""


@pytest.fixture(scope="module")
def authorization(stack: Stack) -> str:
    """What the software of Lezay, which the season connected, writes in each call."""
    assert stack.manage("season", "--communes", "79148").returncode == 0
    opened = stack.manage("shell", "--verbosity", "0", "-c", OPEN)
    assert opened.returncode == 0, opened.stderr
    login, secret = opened.stdout.split()[-2:]
    return "Basic " + base64.b64encode(f"{login}:{secret}".encode()).decode()


def call(
    stack: Stack, authorization: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
    headers = {"Host": f"{LEZAY}.localhost:{stack.port}", "Authorization": authorization}
    if body is not None:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
    with contextlib.closing(connection):
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def form(fields: dict[str, str], pdf: bytes) -> bytes:
    """As the curl of PASTELL writes it: Latin-1, names without quotes."""
    parts = [
        f"Content-Disposition: form-data; name={name}\r\n\r\n{value}".encode("latin-1")
        for name, value in fields.items()
    ]
    head = "Content-Disposition: form-data; name=acte_pdf_file; filename=delib.pdf\r\n"
    parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + pdf)
    start = f"--{BOUNDARY}\r\n".encode()
    return b"".join(start + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def test_an_act_goes_from_the_software_to_its_stamped_copy(
    stack: Stack, authorization: str
) -> None:
    pdf = pdfs.plain(text="Tarif de la cantine")
    fields = {
        "api": "1",
        "nature_code": "1",
        "number": "API_1",
        "subject": "Tarif de la cantine à compter du 1er décembre",
        "decision_date": "2026-11-20",
        "type_acte": "99_DE",
        "classif1": "7",
        "classif2": "10",
    }
    path = "/modules/actes/actes_transac_create.php"
    answered, said = call(stack, authorization, path, form(fields, pdf))
    first, number, *_ = said.decode("latin-1").split("\n")
    assert (answered, first) == (200, "OK"), number

    status = f"/modules/actes/actes_transac_get_status.php?transaction={number}"
    limit = time.monotonic() + 60
    while (said := call(stack, authorization, status)[1]).split(b"\n")[1] in {b"1", b"3"}:
        assert time.monotonic() < limit, said
        time.sleep(0.5)
    assert said.startswith(b"OK\n4\n<?xml")
    assert b'actes:DateReception="' in said

    listing = f"/modules/actes/actes_transac_get_files_list.php?transaction={number}"
    _, acte = json.loads(call(stack, authorization, listing)[1])
    stamped = f"/modules/actes/actes_download_file.php?file={acte['id']}&tampon=true"
    copy = call(stack, authorization, stamped)[1]
    assert copy.startswith(b"%PDF")
    assert copy != pdf


def test_an_unknown_software_is_told_so_without_a_redirect(stack: Stack) -> None:
    answered, said = call(stack, "Basic eDp5", "/api/test-connexion.php")
    assert (answered, said[:2]) == (200, b"KO")
