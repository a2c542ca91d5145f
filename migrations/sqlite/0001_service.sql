-- Ids, digests and nonces are their text forms, times are Unix seconds, statements and receipts
-- are compact JWS. `docs/api-design.md` tells the order of writes.

-- A mirror of what the enclave has pinned, so that requests can be refused before they cost anything.
CREATE TABLE subjects (
    subject TEXT PRIMARY KEY NOT NULL,
    pinned_key TEXT NOT NULL,
    recovery_key TEXT,
    since BIGINT NOT NULL
);

CREATE TABLE consents (
    -- Chosen by the wallet, so one subject's id says nothing about another's.
    id TEXT NOT NULL,
    subject TEXT NOT NULL REFERENCES subjects (subject),
    purpose TEXT NOT NULL,
    notice TEXT NOT NULL,
    -- Digest of the consent's JWS.
    record TEXT NOT NULL,
    jws TEXT NOT NULL,
    receipt TEXT NOT NULL,
    given BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    withdrawn BIGINT,
    withdrawal TEXT,
    withdrawal_receipt TEXT,
    PRIMARY KEY (subject, id),
    CHECK (withdrawal_receipt IS NULL OR withdrawn IS NOT NULL)
);

CREATE TABLE enrolments (
    id TEXT PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL REFERENCES subjects (subject),
    -- Digest of the enrolment's JWS.
    statement TEXT NOT NULL,
    profile TEXT NOT NULL,
    purpose TEXT NOT NULL,
    template TEXT NOT NULL,
    key TEXT NOT NULL,
    submission TEXT NOT NULL,
    -- Digest of the consent's JWS.
    consent TEXT NOT NULL,
    recovery_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'live', 'erased')),
    ciphertext BLOB,
    receipt TEXT,
    begun BIGINT NOT NULL,
    enrolled BIGINT,
    erased BIGINT,
    erasure_receipt TEXT,
    CHECK ((state = 'erased') = (ciphertext IS NULL)),
    CHECK ((state = 'pending') = (receipt IS NULL))
);
CREATE INDEX enrolments_by_subject ON enrolments (subject);

-- What the enclave was asked to change and has not been seen to answer. Written before it is
-- asked; removed in the transaction that records its answer.
CREATE TABLE operations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    subject TEXT NOT NULL,
    request BLOB NOT NULL,
    begun BIGINT NOT NULL
);
CREATE INDEX operations_by_subject ON operations (subject);

CREATE TABLE challenges (
    challenge TEXT PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    enrolment TEXT NOT NULL,
    audience TEXT NOT NULL,
    purpose TEXT NOT NULL,
    template TEXT NOT NULL,
    profile TEXT NOT NULL,
    key TEXT NOT NULL,
    expires BIGINT NOT NULL,
    -- Digest of the one probe statement that answers it.
    probe TEXT
);
CREATE INDEX challenges_by_end ON challenges (expires);

CREATE TABLE verdicts (
    challenge TEXT PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    enrolment TEXT NOT NULL REFERENCES enrolments (id),
    probe TEXT NOT NULL,
    audience TEXT NOT NULL,
    matched BOOLEAN NOT NULL,
    jws TEXT NOT NULL,
    given BIGINT NOT NULL
);
CREATE INDEX verdicts_by_subject ON verdicts (subject);

-- Request proofs that were accepted and are still fresh.
CREATE TABLE spent_proofs (
    jti TEXT PRIMARY KEY NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX spent_proofs_by_end ON spent_proofs (until);

-- Requests under an idempotency key, and their answers.
CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    begun BIGINT NOT NULL,
    status SMALLINT,
    body BLOB,
    PRIMARY KEY (caller, key),
    CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX idempotency_by_age ON idempotency (begun);

CREATE TABLE invitations (
    id TEXT PRIMARY KEY NOT NULL,
    uses BIGINT NOT NULL CHECK (uses > 0),
    used BIGINT NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND uses),
    expires BIGINT NOT NULL,
    note TEXT,
    created BIGINT NOT NULL,
    revoked BIGINT
);

CREATE TABLE invitation_uses (
    enrolment TEXT PRIMARY KEY NOT NULL REFERENCES enrolments (id) ON DELETE CASCADE,
    invitation TEXT NOT NULL REFERENCES invitations (id)
);

-- Public material kept on disk, and what it must hash to.
CREATE TABLE materials (
    key TEXT NOT NULL,
    part TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (key, part)
);
