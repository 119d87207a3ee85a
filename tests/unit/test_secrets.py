"""What is masked, what is not, and that nothing leaks through the masked form."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from backends.secrets import MASK, Secret, is_secret_entry, looks_secret, mask_pairs, mask_text, walk


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD", "DB_PASSWORD", "PGPASSWORD", "dbPassword", "MYSQL_ROOT_PASSWORD", "MYSQL_PWD", "db.pass",
        "SMTP_PASS",
        "passwd", "SSH_PASSPHRASE", "SECRET", "SECRET_KEY_BASE", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
        "GITHUB_TOKEN", "accessToken", "authtoken", "x-auth-token", "API_KEY", "apikey", "APIKey", "stripe-api-key",
        "PRIVATE_KEY", "privateKey", "APP_KEY", "NEW_RELIC_LICENSE_KEY", "GOOGLE_CREDENTIALS", "SENTRY_DSN",
        "REDIS_AUTH",
        "Authorization", "SESSION_COOKIE", "JWT", "requirepass", "--requirepass", "SLACK_WEBHOOK_URL",
        "ConnectionString",
        "traefik.http.middlewares.auth.basicauth.users", "splunk-token",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "PATH", "PWD", "OLDPWD", "HOME", "LANG", "org.opencontainers.image.authors", "AUTHOR", "TOKENIZER_PATH",
        "KEYBOARD", "KEYCLOAK_VERSION", "MONKEY", "POSTGRES_PASSWORD_FILE", "SSH_AUTH_SOCK", "PUBLIC_KEY",
        "SSHPublicKey",
        "GPG_KEY", "COMPASS", "bypass", "AUTH_TYPE", "com.docker.compose.project", "SecurityOpt", "passthrough", "key",
        "PASSWORD_MIN_LENGTH", "AuthTimeout",
    ],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not looks_secret(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("serve --password=hunter2 -v", f"serve --password={MASK} -v"),
        ("serve --password hunter2 -v", f"serve --password {MASK} -v"),
        ("serve --password 'hun ter2' -v", f"serve --password {MASK} -v"),
        ('serve --password="hun ter2', f"serve --password={MASK}"),
        ("java -Dfoo=bar,db.password=hunter2", f"java -Dfoo=bar,db.password={MASK}"),
        ("-e token=hunter2", f"-e token={MASK}"),
        ("redis-server --requirepass hunter2 --port 1", f"redis-server --requirepass {MASK} --port 1"),
        ("env A=1 DB_PASSWORD=hunter2 run", f"env A=1 DB_PASSWORD={MASK} run"),
        ("psql postgres://me:hunter2@db:5432/x", f"psql postgres://me:{MASK}@db:5432/x"),
        ("x amqp://me:hun@ter2@mq", f"x amqp://me:{MASK}@mq"),
        ("x redis://:hunter2@cache", f"x redis://:{MASK}@cache"),
        ("git clone https://hunter2hunter2hunter2@example.com/x", f"git clone https://{MASK}@example.com/x"),
        ("mysql -uroot -phunter2 shop", f"mysql -uroot -p{MASK} shop"),
        ("curl -u me:hunter2 http://x", f"curl -u me:{MASK} http://x"),
        ('curl -H "Authorization: Bearer hunter2"', f'curl -H "Authorization: {MASK}'),
        ('echo \'{"password": "hunter2", "a": "b"}\'', f'echo \'{{"password": {MASK}, "a": "b"}}\''),
        ('{"a":{"token":"hunter2"}}', f'{{"a":{{"token":{MASK}}}}}'),
        ("Server=db;Password=hunter2", f"Server=db;Password={MASK}"),
        ("x -----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- y", f"x {MASK} y"),
        ("x -----BEGIN PRIVATE KEY-----\nhunter2", f"x {MASK}"),
        ("run ghp_hunter2hunter2hunter2x", f"run {MASK}"),
    ],
)
def test_secrets_in_texts_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert "hunter2" not in mask_text(text)
    assert mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "nginx -g 'daemon off;'",
        "node server.js --port 3000",
        "--password --verbose",
        "serve --token",
        "ssh://me@host:22/x",
        "http://host:8080/a@b",
        "postgres://me@db/x",
        "ps -p1",
        "python -m http.server",
        "time 12:30",
        "",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert mask_text(text) == text


def test_entries() -> None:
    assert is_secret_entry("DB_PASSWORD=a=b") == ("DB_PASSWORD", "a=b")
    assert is_secret_entry("DATABASE_URL=postgres://me:x@db/") == ("DATABASE_URL", "postgres://me:x@db/")
    for other in ("PATH=/bin", "PASSWORD=", "PASSWORD", "--password=x", "a b_password=x", ""):
        assert is_secret_entry(other) is None


def test_labels() -> None:
    assert mask_pairs([("app.token", "x"), ("app.token", ""), ("app", "y"), ("url", "a://b:c@d")]) == (
        ("app.token", MASK),
        ("app.token", ""),
        ("app", "y"),
        ("url", f"a://b:{MASK}@d"),
    )


def test_a_whole_answer_is_masked_and_nothing_else_changes() -> None:
    data: dict[str, Any] = {
        "Path": "mysqld",
        "Args": ["-phunter2", "--token", "hunter2", "--verbose", "--init", "x"],
        "State": {"Running": True, "Pid": 17, "Error": None},
        "Config": {
            "Env": ["PATH=/bin", "DB_PASSWORD=hunter2", "URL=http://me:hunter2@x/", "EMPTY="],
            "Cmd": ["curl", "-u", "me:hunter2", "--password=hunter2"],
            "Labels": {"deploy.token": "hunter2", "app": "shop"},
            "Healthcheck": {"Test": ["CMD-SHELL", "mysqladmin -phunter2 ping"]},
        },
        "ExtraData": [{"key": "VNCPassword", "value": "hunter2"}, {"Name": "colour", "Value": "red"}],
        "pins": {"password": 1234, "secrets": ["hunter2", {"path": "x"}], "secret": None, "token": ""},
    }
    before = json.dumps(data)
    shown = walk(data, lambda secret: secret.masked)
    assert json.dumps(data) == before
    text = json.dumps(shown)
    assert "hunter2" not in text
    assert "1234" not in text
    assert shown["Args"] == [f"-p{MASK}", "--token", MASK, "--verbose", "--init", "x"]
    assert shown["State"] == data["State"]
    assert shown["Config"]["Env"] == ["PATH=/bin", f"DB_PASSWORD={MASK}", f"URL=http://me:{MASK}@x/", "EMPTY="]
    assert shown["Config"]["Cmd"] == ["curl", "-u", f"me:{MASK}", f"--password={MASK}"]
    assert shown["Config"]["Labels"] == {"deploy.token": MASK, "app": "shop"}
    assert shown["ExtraData"][1] == {"Name": "colour", "Value": "red"}
    assert shown["pins"] == {"password": MASK, "secrets": [MASK, {"path": "x"}], "secret": None, "token": ""}


def test_wrap_gets_the_whole_text_and_its_repr_is_safe() -> None:
    wrapped: list[Secret] = []
    walk({"Env": ["API_KEY=hunter2"], "password": "two words --password x"}, wrapped.append)
    assert [str(secret) for secret in wrapped] == ["API_KEY=hunter2", "two words --password x"]
    assert [secret.masked for secret in wrapped] == [f"API_KEY={MASK}", MASK]
    assert "hunter2" not in repr(wrapped)


_HOSTILE = [
    "a", "a=", "-a ", "://:", '"', "a:'", "-----BEGIN ", "password=", "eyJaaaaaaaa.", "--token ", "https://",
    " ", "a b\t",
]  # fmt: skip


@pytest.mark.parametrize("pattern", _HOSTILE)
def test_hostile_texts_cost_no_time(pattern: str) -> None:
    began = time.monotonic()
    mask_text(pattern * (400_000 // len(pattern)))
    assert time.monotonic() - began < 10
