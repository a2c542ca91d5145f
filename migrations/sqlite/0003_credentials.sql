-- Credentials that were issued. Copies of one batch are one issuance: they are revoked together.
CREATE TABLE issuances (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('enrolment', 'authentication', 'consent-receipt', 'general')),
    -- Nothing for general credentials: a machine client's word, not the service's about a subject.
    subject TEXT REFERENCES subjects (subject),
    -- What it stands on, and falls with.
    enrolment TEXT REFERENCES enrolments (id),
    consent TEXT,
    -- Who asked for a general one, and what its credential is called.
    client TEXT,
    credential TEXT,
    state TEXT NOT NULL DEFAULT 'valid' CHECK (state IN ('valid', 'suspended', 'revoked')),
    issued BIGINT NOT NULL,
    FOREIGN KEY (subject, consent) REFERENCES consents (subject, id),
    CHECK ((kind = 'general') = (client IS NOT NULL)),
    CHECK ((kind = 'general') = (subject IS NULL)),
    CHECK ((kind IN ('enrolment', 'authentication')) = (enrolment IS NOT NULL)),
    CHECK ((kind = 'consent-receipt') = (consent IS NOT NULL))
);
CREATE INDEX issuances_by_name ON issuances (client, credential);
CREATE INDEX issuances_by_enrolment ON issuances (enrolment);
CREATE INDEX issuances_by_consent ON issuances (subject, consent);

-- Lists of one kind are filled one after the other, each to its half, so that a random index is soon
-- found to be free.
CREATE TABLE status_lists (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('bitstring', 'token')),
    -- Which of the service's DIDs issued its credentials, and must sign it.
    issuer TEXT NOT NULL CHECK (issuer IN ('web', 'webvh')),
    entries BIGINT NOT NULL DEFAULT 0,
    -- Grows with every change of what the list says.
    version BIGINT NOT NULL DEFAULT 0,
    opened BIGINT NOT NULL
);
CREATE INDEX status_lists_by_kind ON status_lists (kind, issuer, id);

-- One a copy. What it says is its issuance's state.
CREATE TABLE status_entries (
    list BIGINT NOT NULL REFERENCES status_lists (id),
    position BIGINT NOT NULL CHECK (position >= 0),
    issuance TEXT NOT NULL REFERENCES issuances (id),
    PRIMARY KEY (list, position)
);
CREATE INDEX status_entries_by_issuance ON status_entries (issuance);

-- did:webvh logs of subjects, whose update keys their wallets hold.
CREATE TABLE hosted_dids (
    name TEXT PRIMARY KEY NOT NULL,
    did TEXT NOT NULL,
    subject TEXT NOT NULL REFERENCES subjects (subject),
    entries BIGINT NOT NULL CHECK (entries > 0),
    -- The parallel did:web document, which nothing signs; nothing once the DID is given up.
    document TEXT,
    created BIGINT NOT NULL
);
CREATE INDEX hosted_dids_by_subject ON hosted_dids (subject);

CREATE TABLE hosted_entries (
    name TEXT NOT NULL REFERENCES hosted_dids (name),
    number BIGINT NOT NULL CHECK (number > 0),
    -- One line of the log, as the wallet signed it.
    entry TEXT NOT NULL,
    added BIGINT NOT NULL,
    PRIMARY KEY (name, number)
);

-- The did:webvh that the service has had from its first start on: identity.json must be that one's.
CREATE TABLE identity (
    only BOOLEAN PRIMARY KEY NOT NULL DEFAULT TRUE CHECK (only),
    did TEXT NOT NULL
);
