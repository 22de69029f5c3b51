"""Signs in at a real OpenID provider as a browser does, and tries what must not work.

    check_oidc.py API PROVIDER

Exit code 0 when every check held.
"""
import sys
import urllib.parse

import httpx

API, PROVIDER = sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/")
FAILED = []


def check(what, is_so, said=""):
    print(("ok   " if is_so else "FAIL ") + what + ("" if is_so else f": {said}"))
    if not is_so:
        FAILED.append(what)


def person(subject, **claims):
    httpx.put(f"{PROVIDER}/users/{subject}", json=claims).raise_for_status()


def begin():
    """A new browser that was sent to the provider."""
    browser = httpx.Client(follow_redirects=False)
    answer = browser.get(f"{API}/api/auth/sso/login")
    assert answer.status_code == 302, answer.text
    return browser, answer.headers["location"]


def consent(location, subject):
    """The provider's form; where it sends the browser then."""
    answer = httpx.post(location, data={"sub": subject, "action": "authorize"}, follow_redirects=False)
    assert answer.status_code == 302, f"{answer.status_code} {answer.text[:300]}"
    return from_outside(answer.headers["location"])


def from_outside(location):
    """What a proxy makes of the address that the provider knows."""
    assert location.startswith("http://aragora.test/"), location
    return API + location.removeprefix("http://aragora.test")


def sign_in(subject):
    browser, location = begin()
    return browser.get(consent(location, subject))


def main():
    status = httpx.get(f"{API}/api/v2/sso/status").json()
    check("the API says where sign-in begins", status["enabled"] and status["issuer"] == PROVIDER, status)

    person("ada", email="ada@example.org", email_verified=True, name="Ada")
    answer = sign_in("ada")
    body = answer.json()
    check("a sign-in answers a session", answer.status_code == 200 and "tokens" in body, answer.text)
    me = httpx.get(f"{API}/api/auth/me", headers={"Authorization": "Bearer " + body["tokens"]["access_token"]})
    check("whose token opens", me.status_code == 200 and me.json()["user"]["email"] == "ada@example.org", me.text)
    check("as a member whose address is verified",
          body["user"]["role"] == "member" and body["user"]["email_verified"] is True, body["user"])
    again = sign_in("ada").json()
    check("the same person has the same account", again["user"]["id"] == body["user"]["id"], again)
    person("ada", email="other@example.org", email_verified=True)
    check("by subject, not by address", sign_in("ada").json()["user"]["id"] == body["user"]["id"])

    person("eve", email="ada@example.org", email_verified=False)
    answer = sign_in("eve")
    check("an address that is not verified links nothing", answer.status_code == 400, answer.text)
    person("mallory", email="mallory@evil.example", email_verified=True)
    answer = sign_in("mallory")
    check("another domain is refused", answer.status_code == 400 and answer.json()["code"] == "sso_failed", answer.text)

    browser, location = begin()
    back = consent(location, "ada")
    stranger, _ = begin()
    check("an answer in another browser is refused", stranger.get(back).status_code == 400)
    check("and one without a cookie", httpx.get(back).status_code == 400)
    check("in its own it is good", browser.get(back).status_code == 200)
    check("once", browser.get(back).status_code == 400)

    one, first = begin()
    two, second = begin()
    theirs = urllib.parse.parse_qs(urllib.parse.urlparse(consent(second, "ada")).query)["code"][0]
    mine = urllib.parse.urlparse(consent(first, "ada"))
    mixed = urllib.parse.urlencode({"state": urllib.parse.parse_qs(mine.query)["state"][0], "code": theirs})
    refused = httpx.get(f"{PROVIDER}/test/seen").json()["refused"]
    check("another try's code does not fit", one.get(f"{API}/api/auth/sso/callback?{mixed}").status_code == 400)
    check("because the provider refuses its verifier",
          httpx.get(f"{PROVIDER}/test/seen").json()["refused"] == refused + 1)

    browser, location = begin()
    denied = from_outside(httpx.post(location, data={"action": "deny"}, follow_redirects=False).headers["location"])
    state = urllib.parse.parse_qs(urllib.parse.urlparse(location).query)["state"][0]
    joiner = "&" if "?" in denied else "?"
    check("who says no is not signed in", browser.get(f"{denied}{joiner}state={state}").status_code == 400)

    httpx.post(f"{PROVIDER}/test/rotate-key").raise_for_status()
    answer = sign_in("ada")
    check("a new signing key is fetched", answer.status_code == 200, answer.text)
    seen = httpx.get(f"{PROVIDER}/test/seen").json()
    check("the client proved itself by its secret", set(seen["authenticated"]) == {"Basic"}, seen["authenticated"])
    check("SAML says that it is not built", httpx.get(f"{API}/api/auth/saml/login").status_code == 501)

    print(f"{len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
