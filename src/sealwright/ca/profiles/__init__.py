"""Profiles (rules and shape of a certificate) and claims (what one provisioner allows).

Owns: the built-in profiles, those that administrators stored, and what a provisioner's claims mean within one. Never issues.
"""

from __future__ import annotations

from sealwright.ca.profiles.claims import inherit, require_within, within
from sealwright.ca.profiles.definition import BUILT_IN, MOST_BACKDATE, SERVER, STEP_LEAF, check, digest_of, load
from sealwright.ca.profiles.errors import ProfileChanged, ProfileExists, ProfileInUse, ProfileMissing, ProfileReadOnly
from sealwright.ca.profiles.registry import KnownProfile, ProfileRegistry
from sealwright.ca.profiles.store import current_revisions, require_chosen
from sealwright.ca.profiles.texts import lifetime_of, profile_members, profile_of

__all__ = [
    "BUILT_IN",
    "MOST_BACKDATE",
    "SERVER",
    "STEP_LEAF",
    "KnownProfile",
    "ProfileChanged",
    "ProfileExists",
    "ProfileInUse",
    "ProfileMissing",
    "ProfileReadOnly",
    "ProfileRegistry",
    "check",
    "current_revisions",
    "digest_of",
    "inherit",
    "lifetime_of",
    "load",
    "profile_members",
    "profile_of",
    "require_chosen",
    "require_within",
    "within",
]
