-- Machine clients. A secret is shown once; this is its digest, as everything secret below.
CREATE TABLE clients (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    -- Separated by spaces.
    scopes TEXT NOT NULL,
    secret TEXT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT
);

-- Offers of credentials to wallets. Kept for as long as an idempotency key is, so that a repeated request
-- does not make a used one anew.
CREATE TABLE offers (
    -- Digest of the pre-authorised code.
    offer TEXT PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    -- Separated by spaces.
    configurations TEXT NOT NULL,
    -- What the credentials stand on.
    basis TEXT NOT NULL,
    -- Digest of code and transaction code together: six digits alone would soon be guessed.
    tx_code TEXT,
    -- The only wallet that may redeem it, by its client id.
    client TEXT,
    wrong BIGINT NOT NULL DEFAULT 0,
    made BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    redeemed BIGINT
);
CREATE INDEX offers_by_subject ON offers (subject);
CREATE INDEX offers_by_end ON offers (expires);

-- Access tokens, of machine clients and of wallets that redeemed an offer.
CREATE TABLE access_tokens (
    token TEXT PRIMARY KEY NOT NULL,
    client TEXT REFERENCES clients (id),
    offer TEXT REFERENCES offers (offer) ON DELETE CASCADE,
    -- What the wallet calls itself.
    wallet TEXT,
    -- Separated by spaces.
    scopes TEXT NOT NULL,
    -- Thumbprint of the key that a DPoP proof must show (RFC 9449 section 6.1).
    jkt TEXT,
    expires BIGINT NOT NULL,
    CHECK ((client IS NULL) <> (offer IS NULL))
);
CREATE INDEX access_tokens_by_end ON access_tokens (expires);
CREATE INDEX access_tokens_by_offer ON access_tokens (offer);

-- What an offer was redeemed for: each configuration once, whatever the number of copies.
CREATE TABLE redemptions (
    offer TEXT NOT NULL REFERENCES offers (offer) ON DELETE CASCADE,
    configuration TEXT NOT NULL,
    -- The name by which the wallet tells what became of it.
    notification TEXT UNIQUE NOT NULL,
    issuance TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- The wallet's last word.
    event TEXT,
    PRIMARY KEY (offer, configuration)
);
