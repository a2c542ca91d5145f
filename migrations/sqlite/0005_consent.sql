-- Consents and refusals as links of a chain, with their records; what a subject's erasure leaves.
-- Rows from before name no handle: the enclave that made them serves no more.
ALTER TABLE subjects ADD COLUMN head TEXT;

ALTER TABLE consents ADD COLUMN state TEXT NOT NULL DEFAULT 'given'
    CHECK (state IN ('given', 'refused', 'withdrawn', 'expired', 'invalidated'));
-- Who may learn of verdicts, where the purpose is sharing.
ALTER TABLE consents ADD COLUMN recipient TEXT CHECK ((purpose = 'sharing') = (recipient IS NOT NULL));
-- The consent record that was signed for, in DPV JSON-LD.
ALTER TABLE consents ADD COLUMN document TEXT NOT NULL DEFAULT '';
-- The enclave's name for it, by which the transparency log speaks of it.
ALTER TABLE consents ADD COLUMN handle TEXT NOT NULL DEFAULT '';
UPDATE consents SET state = 'withdrawn' WHERE withdrawn IS NOT NULL;

-- What comes with a consent, until the enclave has taken note of it.
ALTER TABLE operations ADD COLUMN document TEXT;

-- Who was erased leaves revoked credentials behind, which lists go on to call revoked: of such an
-- issuance nothing is kept but that. Tables that refer to others are made anew, because their checks
-- change.
CREATE TABLE new_issuances (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('enrolment', 'authentication', 'consent-receipt', 'general',
                                       'forgotten')),
    -- Nothing for general credentials, a machine client's word and not the service's about a
    -- subject; and nothing for a subject who was erased.
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
    CHECK ((kind IN ('general', 'forgotten')) = (subject IS NULL)),
    CHECK ((kind IN ('enrolment', 'authentication')) = (enrolment IS NOT NULL)),
    CHECK ((kind = 'consent-receipt') = (consent IS NOT NULL)),
    CHECK (kind <> 'forgotten' OR state = 'revoked')
);
INSERT INTO new_issuances SELECT * FROM issuances;
CREATE TABLE new_status_entries (
    list BIGINT NOT NULL REFERENCES status_lists (id),
    position BIGINT NOT NULL CHECK (position >= 0),
    issuance TEXT NOT NULL REFERENCES new_issuances (id),
    PRIMARY KEY (list, position)
);
INSERT INTO new_status_entries SELECT * FROM status_entries;
DROP TABLE status_entries;
DROP TABLE issuances;
ALTER TABLE new_issuances RENAME TO issuances;
ALTER TABLE new_status_entries RENAME TO status_entries;
CREATE INDEX issuances_by_name ON issuances (client, credential);
CREATE INDEX issuances_by_subject ON issuances (subject);
CREATE INDEX issuances_by_enrolment ON issuances (enrolment);
CREATE INDEX issuances_by_consent ON issuances (subject, consent);
CREATE INDEX status_entries_by_issuance ON status_entries (issuance);
