-- The transparency log. What is appended stays: not even the service's own code can change it.
CREATE TABLE log_entries (
    -- From 0, without gaps.
    position INTEGER PRIMARY KEY NOT NULL CHECK (position >= 0),
    -- The leaf, as it is hashed and published.
    entry BLOB NOT NULL
);

-- Roots of complete subtrees, each stored once it is complete, in the order of Crosby and Wallach's
-- section 3.3: proofs of any size read a few of them and hash no entry again.
CREATE TABLE log_hashes (
    position INTEGER PRIMARY KEY NOT NULL CHECK (position >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
);

CREATE TRIGGER log_entries_stay BEFORE UPDATE ON log_entries
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_entries_remain BEFORE DELETE ON log_entries
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_hashes_stay BEFORE UPDATE ON log_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_hashes_remain BEFORE DELETE ON log_hashes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- What opens an entry's commitment. It goes with its subject, and the commitment then says nothing.
CREATE TABLE log_salts (
    position INTEGER PRIMARY KEY NOT NULL REFERENCES log_entries (position),
    -- Nothing for what concerns the service alone.
    subject TEXT,
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    -- What is committed to.
    event TEXT NOT NULL
);
CREATE INDEX log_salts_by_subject ON log_salts (subject, position);

-- Where the enclave's random names of consents and enrolments stand in the log: tombstones.
CREATE TABLE log_handles (
    handle TEXT NOT NULL,
    position BIGINT NOT NULL REFERENCES log_entries (position),
    PRIMARY KEY (handle, position)
);

-- Signed heads, each of a size that was the log's at its time.
CREATE TABLE log_checkpoints (
    size BIGINT PRIMARY KEY NOT NULL CHECK (size > 0),
    -- With the cosignatures of witnesses, once they have come.
    note TEXT NOT NULL,
    cosigned BOOLEAN NOT NULL DEFAULT FALSE,
    signed BIGINT NOT NULL
);

-- What was logged last of things that are compared at a start: configuration, identity.
CREATE TABLE log_facts (
    fact TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
