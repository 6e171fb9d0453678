"""Who may do what: tokens, and the rules of deployments/rbac.yaml as the API server reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

RBAC = Path(__file__).parents[2] / "deployments" / "rbac.yaml"
_BASIC = ("selfsubjectaccessreviews", "selfsubjectrulesreviews")
_PUBLIC = ("/healthz", "/livez", "/readyz", "/version")


@dataclass(frozen=True)
class Wish:
    """What a request wants to do; `path` instead of all others for what is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True)
class Rule:
    """One rule, with the namespace of its Role ("" for a ClusterRole) and the user that it is bound to."""

    user: str
    namespace: str
    rule: dict[str, Any]

    def allows(self, user: str, wish: Wish) -> bool:
        """Whether it lets the user."""
        if self.user != user or wish.verb not in self.rule["verbs"]:
            return False
        if wish.path:
            return any(_path(pattern, wish.path) for pattern in self.rule.get("nonResourceURLs", []))
        names = self.rule.get("resourceNames")
        return (
            self.namespace in ("", wish.namespace)
            and wish.group in self.rule.get("apiGroups", [])
            and wish.resource in self.rule.get("resources", [])
            and (not names or wish.name in names)
        )


@dataclass
class Rights:
    """Tokens and rules. The token in `admins` may do everything."""

    tokens: dict[str, str] = field(default_factory=dict)
    """User by token."""
    admins: set[str] = field(default_factory=set)
    """Users in system:masters."""
    rules: list[Rule] = field(default_factory=list)

    def load(self, text: str) -> None:
        """Add Roles, ClusterRoles and their bindings from YAML."""
        documents = [document for document in yaml.safe_load_all(text) if document]
        roles = {
            (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each["rules"]
            for each in documents
            if each["kind"] in ("Role", "ClusterRole")
        }
        for each in documents:
            if each["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
                continue
            namespace, role = each["metadata"].get("namespace", ""), each["roleRef"]
            rules = roles[role["kind"], namespace if role["kind"] == "Role" else "", role["name"]]
            users = [f"system:serviceaccount:{s['namespace']}:{s['name']}" for s in each["subjects"]]
            self.rules += [Rule(user, namespace, rule) for user in users for rule in rules]

    def user(self, authorization: str) -> str | None:
        """The user of an Authorization header; None for an unknown one, and system:anonymous without any."""
        if not authorization:
            return "system:anonymous"
        return self.tokens.get(authorization.removeprefix("Bearer "))

    def allowed(self, user: str, wish: Wish) -> bool:
        """Whether a user may."""
        if user in self.admins:
            return True
        if wish.path:
            if wish.path in _PUBLIC and wish.verb == "get":
                return True
        elif user != "system:anonymous" and wish.verb == "create" and wish.resource in _BASIC:
            return True
        return any(rule.allows(user, wish) for rule in self.rules)


def refusal(user: str, wish: Wish) -> str:
    """RBAC's words."""
    if wish.path:
        return f'forbidden: User "{user}" cannot {wish.verb} path "{wish.path}"'
    what = f'{wish.resource} "{wish.name}"' if wish.name else wish.resource
    title = f"{what}.{wish.group}" if wish.group and not wish.name else what
    where = f'in the namespace "{wish.namespace}"' if wish.namespace else "at the cluster scope"
    return (
        f'{title} is forbidden: User "{user}" cannot {wish.verb} resource "{wish.resource}"'
        f' in API group "{wish.group}" {where}'
    )


def _path(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
