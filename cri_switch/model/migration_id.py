"""What a migration is called on nodes and in the Lease."""

from __future__ import annotations

import hashlib

from cri_switch.model.migration import Migration


def migration_id(migration: Migration, cluster_uid: str) -> str:
    """The settings' id, or one made of cluster and target: the same over runs (DESIGN rule 2)."""
    spec = migration.spec
    if spec.migration_id:
        return spec.migration_id
    return hashlib.sha256(f"{cluster_uid}/{spec.target.runtime}".encode()).hexdigest()[:12]
