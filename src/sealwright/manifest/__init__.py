"""A manifest: people, groups, clients and provisioners as one YAML file.

Owns: the form of the file, reading it with the line of each value, and writing it. Never knows what a server has. The terminal
and the API read manifests by the same rules.
"""

from __future__ import annotations

from sealwright.manifest.fault import Fault
from sealwright.manifest.images import IMAGES, ImagePlace, image_place_of
from sealwright.manifest.secrets import SECRETS, SecretReference, reference_of
from sealwright.manifest.shape import KINDS, ONE_OF, VERSION, faults_of
from sealwright.manifest.yaml_reader import LARGEST_FILE, Document, YamlRefused, read_yaml
from sealwright.manifest.yaml_writer import write_entry, write_heading, write_kind

__all__ = [
    "IMAGES",
    "KINDS",
    "LARGEST_FILE",
    "ONE_OF",
    "SECRETS",
    "VERSION",
    "Document",
    "Fault",
    "ImagePlace",
    "SecretReference",
    "YamlRefused",
    "faults_of",
    "image_place_of",
    "read_yaml",
    "reference_of",
    "write_entry",
    "write_heading",
    "write_kind",
]
