"""What is shown of a file never shows its secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cri_switch.model.secrets import masked, masked_host
from cri_switch.render.diff import unified


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('password = "a b c"', 'password = "***"'),
        ("password = 'a b'", "password = '***'"),
        (r'password = "a\"b" # x', 'password = "***" # x'),
        ("HTTP_PROXY=http://u:p@proxy:3128", "HTTP_PROXY=http://u:***@proxy:3128"),
        ("https://ghp_abc@github.example/x", "https://***@github.example/x"),
        ('"splunk-token": "t", "y": 1', '"splunk-token": "***", "y": 1'),
        ("docker run -e TOKEN=abc next", "docker run -e TOKEN=*** next"),
        ("TOKEN=abc next", "TOKEN=***"),
        ('Authorization = "Basic dTpw"', 'Authorization = "Basic ***"'),
        ('[plugins."x".registry.configs."h".auth]', '[plugins."x".registry.configs."h".auth]'),
        ('{"auths": {"h": {"auth": "dTpw"}}}', '{"auths": {"h": {"auth": "***"}}}'),
        ("/usr/bin/docker login -u me -p s3 registry", "/usr/bin/docker login -u me -p *** registry"),
        ("docker login --password=s3 registry", "docker login --password=*** registry"),
        ("docker login --password-stdin registry", "docker login --password-stdin registry"),
        ("docker run -p 80:80 x", "docker run -p 80:80 x"),
        ("pull --registry-token s3", "pull --registry-token ***"),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("https://u:p@mirror.example", "https://***@mirror.example"),
        ("https://token@mirror.example", "https://***@mirror.example"),
        ("robot:p@registry:5000", "***@registry:5000"),
        ("robot:p:q@registry:5000", "***@registry:5000"),
        ("u:p/q@registry:5000", "***@registry:5000"),
        ("registry:5000", "registry:5000"),
    ],
)
def test_a_registry_without_its_credentials(text: str, shown: str) -> None:
    assert masked_host(text) == shown


@hypothesis_settings(deadline=None)
@given(st.text(st.characters(codec="ascii", exclude_characters="\"\\\n\r'"), min_size=8).filter(str.isprintable))
def test_no_quoted_password_is_shown(secret: str) -> None:
    secret = f"hunter2{secret}"
    text = f'version = 2\nauth.password = "{secret}"\n'
    assert "hunter2" not in masked(text)
    assert "hunter2" not in unified("/x", None, text)
    assert "hunter2" not in unified("/x", text, text + "y = 1\n")
