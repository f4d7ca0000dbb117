"""Drives the endpoints by Authlib: reads what it needs as JSON, writes what it was told as JSON."""

import json
import sys

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

asked = json.load(sys.stdin)
server = requests.get(asked["issuer"] + "/.well-known/oauth-authorization-server", timeout=10).json()
assert server["issuer"] == asked["issuer"]


def session(method, secret):
    return OAuth2Session(asked["client_id"], secret, token_endpoint_auth_method=method)


def issue(method, secret):
    return session(method, secret).fetch_token(server["token_endpoint"], grant_type="client_credentials")


def introspect(method, token):
    answer = session(method, asked["client_secret"]).introspect_token(server["introspection_endpoint"], token=token)
    answer.raise_for_status()
    return answer.json()


def error_of(call):
    try:
        call()
    except OAuthError as error:
        return error.error
    return None


told = {"issued": [], "introspected": []}
for way in ["client_secret_basic", "client_secret_post"]:
    token = issue(way, asked["client_secret"])
    told["issued"].append(token["token_type"])
    told["introspected"].append(introspect(way, token["access_token"])["sub"])

person = OAuth2Session("keystead", token_endpoint_auth_method="none")
refreshed = person.refresh_token(server["token_endpoint"], refresh_token=asked["refresh_token"])
told["before"] = introspect("client_secret_basic", refreshed["access_token"])["active"]
revoked = person.revoke_token(server["revocation_endpoint"], token=refreshed["refresh_token"])
revoked.raise_for_status()
told["after"] = introspect("client_secret_basic", refreshed["access_token"])
told["wrong_secret"] = error_of(lambda: issue("client_secret_basic", "wrong"))
told["revoked_token"] = error_of(
    lambda: person.refresh_token(server["token_endpoint"], refresh_token=refreshed["refresh_token"])
)
json.dump(told, sys.stdout)
