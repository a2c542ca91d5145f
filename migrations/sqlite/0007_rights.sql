-- Requests by which subjects exercise their rights. After an erasure a request is kept without its subject
-- and without anything that they wrote: that it was fulfilled, and when.
CREATE TABLE rights_requests (
    id TEXT PRIMARY KEY NOT NULL,
    subject TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('access', 'portability', 'rectification', 'erasure', 'restriction',
                                       'objection', 'review')),
    state TEXT NOT NULL CHECK (state IN ('initiated', 'acknowledged', 'accepted', 'requires_action',
                                         'fulfilled', 'rejected', 'unfulfilled')),
    opened BIGINT NOT NULL,
    due BIGINT NOT NULL,
    closed BIGINT,
    -- While true nothing is compared for the subject.
    restricts BOOLEAN NOT NULL,
    -- Grows with every change, so that of two changes at once one is refused.
    version BIGINT NOT NULL,
    -- The rest, as JSON.
    body TEXT NOT NULL,
    CHECK ((state IN ('fulfilled', 'rejected', 'unfulfilled')) = (closed IS NOT NULL))
);
CREATE INDEX rights_requests_by_subject ON rights_requests (subject);
CREATE INDEX rights_requests_by_due ON rights_requests (due) WHERE closed IS NULL;

-- Certificates of erasures, for whoever has the claim from which name and key follow: here is neither.
CREATE TABLE erasure_certificates (
    name TEXT PRIMARY KEY NOT NULL,
    sealed BLOB NOT NULL,
    expires BIGINT NOT NULL
);

-- Whom verdicts are for, as far as the operator knows them.
CREATE TABLE relying_parties (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    audience TEXT UNIQUE NOT NULL,
    -- Where Security Event Tokens go (RFC 8935).
    webhook TEXT,
    contact TEXT,
    notes TEXT,
    added BIGINT NOT NULL
);

-- Events on their way to relying parties.
CREATE TABLE jobs (
    -- The event's `jti`: the same however often it is sent.
    id TEXT PRIMARY KEY NOT NULL,
    relying_party TEXT NOT NULL REFERENCES relying_parties (id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    -- What is sent. It goes once it has arrived.
    payload TEXT,
    made BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Not before; a lease moves it while somebody tries.
    next BIGINT NOT NULL,
    ended BIGINT,
    -- Why the last attempt failed, in our own words.
    error TEXT,
    CHECK ((state = 'waiting') = (ended IS NULL)),
    CHECK (state <> 'delivered' OR payload IS NULL)
);
CREATE INDEX jobs_by_time ON jobs (next) WHERE state = 'waiting';

-- Digests of names of hosted DIDs whose owners were erased: nobody else gets them.
CREATE TABLE retired_names (
    name TEXT PRIMARY KEY NOT NULL
);
