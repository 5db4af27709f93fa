"""Requests, responses and routes: what every wire of the program is written in.

A handler takes a `Request` and returns a `Response`; a `Route` states who may call it. Knows no socket and no domain.
"""

from __future__ import annotations

from sealwright.http.authenticate import RequestAuthenticator
from sealwright.http.current_request import CURRENT_ADDRESS, CURRENT_REQUEST_ID
from sealwright.http.entity_tags import ChangedMeanwhile, entity_tag, is_one_of, require_version
from sealwright.http.json import decode_json
from sealwright.http.messages import (
    MAX_COOKIES,
    MAX_FORM_FIELDS,
    Peer,
    Request,
    Response,
    fields_of,
    json_response,
    percent_decoded,
    redirect,
    whole_number,
)
from sealwright.http.routing import MAX_BODY, FailureAnswer, Handler, Listener, Route, Wire
from sealwright.http.same_origin import foreign_sender

__all__ = [
    "CURRENT_ADDRESS",
    "CURRENT_REQUEST_ID",
    "MAX_BODY",
    "MAX_COOKIES",
    "MAX_FORM_FIELDS",
    "ChangedMeanwhile",
    "FailureAnswer",
    "Handler",
    "Listener",
    "Peer",
    "Request",
    "RequestAuthenticator",
    "Response",
    "Route",
    "Wire",
    "decode_json",
    "entity_tag",
    "fields_of",
    "foreign_sender",
    "is_one_of",
    "json_response",
    "percent_decoded",
    "redirect",
    "require_version",
    "whole_number",
]
