"""Where a row goes and takes others with it, or is asked about by those that refer to it, an index finds them."""

import pytest
from sqlalchemy import UniqueConstraint

from sealwright.db.full_schema import metadata

NOT_SEARCHED = frozenset({"issuers.parent_id", "issuers.key_id", "certificates.issuer_id", "oidc_pre_login_sessions.provider_id"})
"""Issuers are few, and they and their keys are never deleted; a sign-in that has begun at a provider is gone within minutes."""
REFERENCES = sorted(
    f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns if column.foreign_keys
)


def first_columns(table):
    found = {next(iter(table.primary_key.columns)).name}
    found |= {next(iter(index.columns)).name for index in table.indexes if index.dialect_options["sqlite"]["where"] is None}
    found |= {next(iter(each.columns)).name for each in table.constraints if isinstance(each, UniqueConstraint)}
    return found


@pytest.mark.parametrize("reference", [each for each in REFERENCES if each not in NOT_SEARCHED])
def test_rows_that_refer_to_another_are_found_by_an_index(reference):
    table, _, column = reference.partition(".")
    assert column in first_columns(metadata.tables[table])
