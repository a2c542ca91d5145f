-- Administrators, how they prove who they are, and what they did.

CREATE TABLE administrators (
    id      TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    role    TEXT NOT NULL CHECK (role IN ('operator', 'privacy_officer', 'auditor')),
    created INTEGER NOT NULL,
    -- Who is removed keeps a row, because the audit trail names it; nothing else is left of them.
    removed INTEGER
) STRICT;

-- One-time links. Only the digest of a link's secret is kept.
CREATE TABLE admin_links (
    id      TEXT PRIMARY KEY,
    secret  TEXT NOT NULL UNIQUE,
    role    TEXT NOT NULL CHECK (role IN ('operator', 'privacy_officer', 'auditor')),
    -- Whom it is for, as its maker called them.
    name    TEXT NOT NULL,
    -- NULL: made on the machine itself.
    maker   TEXT REFERENCES administrators (id),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used    INTEGER,
    revoked INTEGER
) STRICT;

CREATE TABLE admin_passkeys (
    -- The credential's id, base64url.
    id            TEXT PRIMARY KEY,
    administrator TEXT NOT NULL REFERENCES administrators (id),
    name          TEXT NOT NULL,
    -- The public key with its counter, as the library keeps it.
    passkey       TEXT NOT NULL,
    created       INTEGER NOT NULL,
    used          INTEGER
) STRICT;

CREATE INDEX admin_passkeys_by_administrator ON admin_passkeys (administrator);

CREATE TABLE admin_sessions (
    id            TEXT PRIMARY KEY,
    -- Digest of the cookie.
    secret        TEXT NOT NULL UNIQUE,
    administrator TEXT NOT NULL REFERENCES administrators (id),
    created       INTEGER NOT NULL,
    seen          INTEGER NOT NULL,
    -- When a passkey was last used in it.
    proven        INTEGER NOT NULL,
    -- What the browser calls itself.
    agent         TEXT NOT NULL
) STRICT;

CREATE INDEX admin_sessions_by_administrator ON admin_sessions (administrator);

-- Appended to, never changed.
CREATE TABLE admin_acts (
    sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
    at            INTEGER NOT NULL,
    -- NULL: nobody is signed in, or the machine's own command line.
    administrator TEXT,
    name          TEXT NOT NULL,
    role          TEXT,
    act           TEXT NOT NULL,
    -- On what: an identifier, never a subject's.
    target        TEXT NOT NULL,
    outcome       TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
    -- JSON, and its digest as the transparency log commits to it.
    details       TEXT NOT NULL,
    digest        TEXT NOT NULL,
    -- Its entry's position in the transparency log.
    entry         INTEGER NOT NULL
) STRICT;

CREATE INDEX admin_acts_by_time ON admin_acts (at, sequence);
CREATE INDEX admin_acts_by_administrator ON admin_acts (administrator, sequence);
