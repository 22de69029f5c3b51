"""Serves oidc-provider-mock on 127.0.0.1:PORT, with PKCE held to (RFC 7636): what the package itself leaves out.

    provider.py PORT

POST /test/rotate-key gives it a new signing key; GET /test/seen tells what clients sent.
"""
import base64
import hashlib
import io
import sys
import urllib.parse

import flask
import oidc_provider_mock
from authlib import jose
from werkzeug.serving import make_server

SEEN = {"challenges": {}, "refused": 0, "authenticated": []}


def with_pkce(app):
    """Notes the challenge of each authorization and asks for its verifier at the token endpoint."""

    def answer(environ, start_response):
        path, query = environ["PATH_INFO"], urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
        if path == "/oauth2/authorize" and environ["REQUEST_METHOD"] == "POST":
            location = {}

            def note(status, headers, exc_info=None):
                target = dict((name.lower(), value) for name, value in headers).get("location", "")
                location["code"] = urllib.parse.parse_qs(urllib.parse.urlparse(target).query).get("code", [None])[0]
                return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

            # Read whole: the application starts its answer when it is asked for bytes.
            body = list(app(environ, note))
            if location.get("code") and query.get("code_challenge_method") == ["S256"]:
                SEEN["challenges"][location["code"]] = query["code_challenge"][0]
            return body
        if path == "/oauth2/token":
            raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(raw)
            form = urllib.parse.parse_qs(raw.decode())
            digest = hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest()
            challenge = SEEN["challenges"].get(form.get("code", [""])[0])
            if challenge != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
                SEEN["refused"] += 1
                start_response("400 Bad Request", [("Content-Type", "application/json")])
                return [b'{"error":"invalid_grant"}']
            SEEN["authenticated"].append(environ.get("HTTP_AUTHORIZATION", "").split(" ")[0])
        return app(environ, start_response)

    return answer


def main():
    app = oidc_provider_mock.app(require_nonce=True)

    @app.post("/test/rotate-key")
    def rotate():
        flask.g.oidc_provider_mock_storage.jwk = jose.RSAKey.generate_key(2048, is_private=True)
        return {}

    @app.get("/test/seen")
    def seen():
        return flask.jsonify(SEEN)

    make_server("127.0.0.1", int(sys.argv[1]), with_pkce(app), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
