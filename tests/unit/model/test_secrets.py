"""What is shown of a file never shows its secrets, and shows all else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cri_switch.model.secrets import masked, masked_host, masked_words
from cri_switch.render.diff import unified

MARK = "hunter2"
HARMLESS = [
    "--authentication-token-webhook=true --anonymous-auth=false --authorization-mode=Webhook",
    "authentication:\n  anonymous:\n    enabled: false\n  x509:\n    clientCAFile: /etc/kubernetes/pki/ca.crt\n",
    "authorization:\n  mode: Webhook\n",
    "--tls-private-key-file=/var/lib/kubelet/pki/kubelet.key --image-credential-provider-config=/etc/x/y.yaml",
    "--docker-tls-key=/etc/docker/key.pem",
    "tls-key: /etc/docker/key.pem\n",
    "imagePullSecrets:\n- name: regcred\n  x: y\n",
    "volumes:\n- secret:\n    secretName: regcred\n",
    "tolerations:\n- key: node-role.kubernetes.io/master\n  operator: Exists\n",
    "topologyKey: kubernetes.io/hostname\n",
    'endpoint = ["http://secrets.example:5000", "https://token.example/v2"]',
    '"insecure-registries": ["pass.example:5000", "repo/secret-agent:v1"]',
    "image: registry.example:5000/token-server:v1@sha256:0123abcd",
    "docker-pullable://registry.example/token-server@sha256:0123abcd",
    "image: https://registry.example:5000/x:1@sha256:0123abcd",
    "current-context: system:node:w1@kubernetes\n",
    '[plugins."x".registry.configs."h".auth]\n  username = "robot"\n',
    'password = ""\ntoken = []\n',
    "TOKEN=\nPASS=\n",
    "bypass=1 ip-passthrough=2",
    "docker run -p 80:80 x",
    "docker login --password-stdin registry",
    '{"auths": {"h": {}}}',
    "token_ttl = 5m",
    "authorization: {mode: Webhook, webhook: {cacheAuthorizedTTL: 0s}}\n",
    '[plugins."x".registry.configs."token.example:5000".tls]\n  ca_file = "/x"\n',
    '[registry.configs."h".auth]\n  username = "robot"\n[debug]\n  level = "info"\n',
    "- secret: {secretName: regcred}\n",
    '{"token": {"enabled": true, "x": null}}',
    "[Service]\nExecStart=/usr/bin/kubelet $KUBELET_EXTRA_ARGS\n",
]
SHOWN = [
    ('password = """\na\nhunter2\n"""', 'password = """***"""'),
    ("password = '''hunter2''' # x", "password = '''***''' # x"),
    ('X-Auth-Token = ["hunter2"]', 'X-Auth-Token = ["***"]'),
    ('X-Auth-Token = [\n "hunter2]", # ]\n "hunter2",\n]\ny = 1', 'X-Auth-Token = ["***"]\ny = 1'),
    ('X-Api-Key = "hunter2"', 'X-Api-Key = "***"'),
    ('X-Registry-Key = "hunter2"', 'X-Registry-Key = "***"'),
    ('Authorization = ["Basic hunter2"]', 'Authorization = ["***"]'),
    ("Authorization: Bearer hunter2", "Authorization: Bearer ***"),
    ("https://u:x@hunter2@h/p", "https://u:***@h/p"),
    ("https://u:x/hunter2@h/p", "https://u:***@h/p"),
    ("https://hunter2@h/p", "https://***@h/p"),
    ("https://u:hunter2@h/img@sha256:abc", "https://u:***@h/img@sha256:abc"),
    ("u:hunter2@host:5000", "u:***@host:5000"),
    ("u:x@hunter2@host:5000", "u:***@host:5000"),
    ("https://h/?token=hunter2", "https://h/?token=***"),
    ("AWS_SECRET_ACCESS_KEY=hunter2", "AWS_SECRET_ACCESS_KEY=***"),
    ("PRIVATE_KEY=hunter2", "PRIVATE_KEY=***"),
    ("export DB_PASS=a hunter2\nX=1", "export DB_PASS=***\nX=1"),
    ("DB_PASS=a \\\n hunter2\nX=1", "DB_PASS=***\nX=1"),
    ("X_CREDENTIALS=hunter2", "X_CREDENTIALS=***"),
    ('Environment="DB_PASS=a hunter2" "X=1"', 'Environment="DB_PASS=***" "X=1"'),
    ("Environment=DB_PASS=hunter2 X=1", "Environment=DB_PASS=*** X=1"),
    ('A="--token=hunter2 --node-ip=1"', 'A="--token=*** --node-ip=1"'),
    ("A=\"--token='a hunter2' --node-ip=1\"", "A=\"--token='***' --node-ip=1\""),
    (r'A="--token=\"a hunter2\" --node-ip=1"', r'A="--token=\"***\" --node-ip=1"'),
    ("--docker-tls-key=hunter2 --x=1", "--docker-tls-key=*** --x=1"),
    ("curl -u me:hunter2 https://h", "curl -u me:*** https://h"),
    ("token: |\n  hunter2\n\n  hunter2\nx: y", "token: |\n  ***\nx: y"),
    ("- token: >-\n    hunter2\n  x: y", "- token: >-\n    ***\n  x: y"),
    ("token:\n  hunter2\nx: y", "token:\n  ***\nx: y"),
    ("tokens:\n- hunter2\n- hunter2\nx: y", "tokens:\n- ***\nx: y"),
    ("token: a\n  hunter2\nx: y", "token: ***\nx: y"),
    ("password: a hunter2, hunter2 # x", "password: *** # x"),
    ("x: {password: hunter2, y: z}", "x: {password: ***, y: z}"),
    ("password: 'a''hunter2' # x", "password: '***' # x"),
    ("- name: DB_PASSWORD\n  value: hunter2\n", "- name: DB_PASSWORD\n  value: ***\n"),
    ('{"name": "DB_PASSWORD", "value": "hunter2"}', '{"name": "DB_PASSWORD", "value": "***"}'),
    ('{"token":\n"hunter2", "pin-token": 123}', '{"token":\n"***", "pin-token": ***}'),
    ("client-key-data: hunter2==\n", "client-key-data: ***\n"),
    ('auth = {username="me", pw="hunter2", n = 5}', 'auth = {username="me", pw="***", n = ***}'),
    (
        "auth = { pw = 'hunter2', b = true, c = [\"hunter2\"] }\nx = 1",
        "auth = { pw = '***', b = true, c = [\"***\"] }\nx = 1",
    ),
    ('auth.pw = "hunter2"\nauth.username = "me"', 'auth.pw = "***"\nauth.username = "me"'),
    (
        '[r."h:5".auth]\nusername = "me"\npw = "hunter2" # x\n\n[y]\nz = "w"',
        '[r."h:5".auth]\nusername = "me"\npw = "***" # x\n\n[y]\nz = "w"',
    ),
    (
        '[r.auths."h:5"]\npw = """\nhunter2\n[no]\n"""\nl = ["hunter2"]\n',
        '[r.auths."h:5"]\npw = """***"""\nl = ["***"]\n',
    ),
    (
        "[[ 'tokens' ]] # all\nvalue = 'hunter2'\nnested = {a = 'hunter2'}",
        "[[ 'tokens' ]] # all\nvalue = '***'\nnested = {a = '***'}",
    ),
    (
        '{"auths": {"h": {"email": "hunter2", "auth": "hunter2"}}, "a": 1}',
        '{"auths": {"h": {"email": "***", "auth": "***"}}, "a": 1}',
    ),
    (
        '{"token":\n{\n "value": "hunter2", "ttl": 12\n}, "b": "c"}',
        '{"token":\n{\n "value": "***", "ttl": ***\n}, "b": "c"}',
    ),
    ("x: {secret: {value: hunter2, at: 'h:1'}, y: z}", "x: {secret: {value: ***, at: '***'}, y: z}"),
    (r'A="{\"token\": {\"v\": \"hunter2\"}, \"b\": \"c\"}"', r'A="{\"token\": {\"v\": \"***\"}, \"b\": \"c\"}"'),
    ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", None),
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert masked(text) == text
    assert masked_words(text) == text


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_secrets_are_not(text: str, shown: str | None) -> None:
    assert MARK not in masked(text)
    assert shown is None or masked(text) == shown
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Pod kube-system/secret-agent: mounts it", "Pod kube-system/secret-agent: mounts it"),
        ('/x: A="--container-runtime=docker --token=hunter2"', '/x: A="--container-runtime=docker --token=***"'),
        ("text after the closing quote: '--token=hunter2'", "text after the closing quote: '--token=***'"),
        ("x: docker login -u x -p hunter2 reg; y", "x: docker login -u x -p *** reg; y"),
        ("TOKEN=hunter2 stays", "TOKEN=*** stays"),
        ("these: https://h/?token=hunter2", "these: https://h/?token=***"),
    ],
)
def test_a_sentence_that_quotes_a_file(text: str, shown: str) -> None:
    assert masked_words(text) == shown
    assert masked_words(shown) == shown


KEYS = st.sampled_from(
    ["password", "DB_PASS", "db-passwd", "X-Auth-Token", "identitytoken", "client_secret", "aws_credentials", "auth",
     "X-Api-Key", "apikey", "private_key", "SECRET_ACCESS_KEY", "x-registry-key", "registryAuth", "Passphrase"]
)  # fmt: skip
SECRETS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs")), max_size=12).map(
    lambda tail: f"{MARK}{tail}{MARK}"
)
SINGLE = SECRETS.filter(lambda text: "'" not in text)
WORDS = SECRETS.filter(lambda text: not any(char in text for char in " \"'\\"))
PLAIN = SECRETS.filter(lambda text: " #" not in text and ": " not in text)
FORMS = st.one_of(
    st.tuples(st.just("json"), SECRETS.map(json.dumps)),
    st.tuples(st.just("toml"), st.one_of(SECRETS.map(json.dumps), SINGLE.map(lambda text: f"'{text}'"))),
    st.tuples(st.just("toml"), SINGLE.map(lambda text: f"'''\n{text}\n'''")),
    st.tuples(st.just("toml"), SECRETS.map(lambda text: f"[\n  {json.dumps(text)}, 'b',\n]")),
    st.tuples(st.just("yaml"), st.one_of(SECRETS.map(json.dumps), PLAIN)),
    st.tuples(st.just("yaml"), SECRETS.map(lambda text: "'" + text.replace("'", "''") + "'")),
    st.tuples(st.just("yaml"), SECRETS.map(lambda text: f"|\n    {text}\n    {text}")),
    st.tuples(st.just("yaml"), PLAIN.map(lambda text: f"\n    {text}")),
    st.tuples(st.just("env"), st.one_of(SECRETS.map(json.dumps), SINGLE.map(lambda text: f"'{text}'"), SECRETS)),
    st.tuples(st.just("flag"), WORDS),
)
FORMATS = {
    "json": '{{"a": 1, "{0}": {1}, "b": "kept"}}\n',
    "toml": 'version = 2\n[a."b"]\n{0} = {1}\nb = "kept"\n',
    "yaml": "a:\n  {0}: {1}\n  b: kept\n",
    "env": "A=1\n{0}={1}\nB=kept\n",
    "flag": 'A="--a --{0}={1} --b=kept"\n',
}


@hypothesis_settings(deadline=None, max_examples=500)
@given(KEYS, FORMS)
def test_no_planted_secret_is_shown(key: str, form: tuple[str, str]) -> None:
    kind, value = form
    text = FORMATS[kind].format(key, value)
    for shown in (masked(text), unified("/x", None, text), unified("/x", text, text + "y\n")):
        assert MARK not in shown
        assert "kept" in shown
    assert masked(masked(text)) == masked(text)


TABLES = (
    '{0} = {{ x = {1}, y = true, z = [{1}] }}\nb = "kept"\n',
    '{{"{0}": {{"x": {1}, "y": {{"z": [{1}]}}}}, "b": "kept"}}\n',
    "a:\n  {0}: {{x: {1}, y: {{z: {1}}}}}\n  b: kept\n",
    '[a.{0}]\nx = {1}\n[a.{0}."h:5".y]\nz = {{ w = {1} }}\n[c]\nb = "kept"\n',
)


@hypothesis_settings(deadline=None, max_examples=300)
@given(KEYS, st.sampled_from(TABLES), SECRETS.map(json.dumps))
def test_nothing_in_a_table_behind_a_secrets_key_is_shown(key: str, form: str, secret: str) -> None:
    text = form.format(key, secret)
    for shown in (masked(text), unified("/x", None, text), unified("/x", text, text + "y\n")):
        assert MARK not in shown
        assert "kept" in shown
    assert masked(masked(text)) == masked(text)


@given(st.sampled_from(["https://{0}@h/x", "u:{0}@h:5000", "https://u:{0}@h/x y", "http://h/?a-token={0}"]), WORDS)
def test_no_secret_in_an_address_is_shown(form: str, secret: str) -> None:
    plain = "".join(char for char in secret if char.isalnum() or char in ".@-_~!$&()*+,;=%")
    assert MARK not in masked(form.format(plain))
    assert MARK not in masked_words(form.format(plain))
    assert MARK not in masked_host(f"u:{plain}@h")
