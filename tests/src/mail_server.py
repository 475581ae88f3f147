"""A mail server for tests: takes letters, reads them as a mail program does, and prints each as a line of JSON.
What it answers depends on the first word of the recipient's address; see `Handler`."""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

settings = json.loads(sys.argv[1])


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        refusals = {
            "yok": "550 5.1.1 <%s>: no such mailbox" % address,
            "yasak": "550 5.7.1 <%s>: relaying denied" % address,
            "sonra": "450 4.2.0 <%s>: greylisted" % address,
        }
        word = address.split(".")[0].split("@")[0]
        if word in refusals:
            return refusals[word]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        word = envelope.rcpt_tos[0].split(".")[0].split("@")[0]
        if word == "kotu":
            return "554 5.6.0 not this"
        if word == "dolu":
            return "452 4.3.1 no room"
        letter = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "sender": str(letter["From"]),
            "subject": str(letter["Subject"]),
            "text": letter.get_content(),
            "id": str(letter["Message-ID"]),
            "headers": sorted(letter.keys()),
            "defects": [str(defect) for defect in letter.defects],
            "tls": session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
        }), flush=True)
        if word == "kopuk":
            server.transport.abort()
        if word == "yavas":
            await asyncio.sleep(3600)
        return "250 2.0.0 OK"


def knows(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.login.decode() == settings["user"] and data.password.decode() == settings["password"]
    return AuthResult(success=right, auth_data=data if right else None, handled=False)


options = {}
if settings["user"]:
    options.update(authenticator=knows, auth_required=True, auth_require_tls=settings["security"] != "none")
if settings["security"] != "none":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings["certificate"], settings["key"])
if settings["security"] == "start_tls":
    options.update(tls_context=context, require_starttls=True)
implicit = {"ssl_context": context} if settings["security"] == "tls" else {}
# Why: over implicit TLS the library does not know that the connection is secure.
if implicit and settings["user"]:
    options["auth_require_tls"] = False
controller = Controller(Handler(), hostname="127.0.0.1", port=settings["port"], **implicit, **options)
controller.start()
print("{}", flush=True)
sys.stdin.read()
