-- Browsers in which subjects are signed in on their own page. Links that nobody has signed yet are in
-- memory alone: nothing of a stranger's is written.

CREATE TABLE subject_sessions (
    id      TEXT PRIMARY KEY,
    -- Digest of the cookie.
    secret  TEXT NOT NULL UNIQUE,
    -- Whoever can sign may see what is kept of them, also that it is nothing: no reference.
    subject TEXT NOT NULL,
    -- The key that signed. Another one pinned ends the session.
    key     TEXT NOT NULL,
    -- The statement by which it was signed in last, and when.
    sign_in TEXT NOT NULL,
    proven  INTEGER NOT NULL,
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    -- What the browser calls itself.
    agent   TEXT NOT NULL
) STRICT;

CREATE INDEX subject_sessions_by_subject ON subject_sessions (subject);

-- By which statement somebody was signed in who withdrew a consent on the page.
CREATE TABLE page_withdrawals (
    subject TEXT NOT NULL,
    consent TEXT NOT NULL,
    sign_in TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (subject, consent),
    FOREIGN KEY (subject, consent) REFERENCES consents (subject, id) ON DELETE CASCADE
) STRICT;
