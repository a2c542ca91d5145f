-- Every file of a notice that was ever in force, and what it must hash to: consents name what it said.
CREATE TABLE notice_files (
    -- `id-version.language`
    name TEXT PRIMARY KEY NOT NULL,
    digest TEXT NOT NULL,
    published BIGINT NOT NULL
);
CREATE TRIGGER notice_files_stay BEFORE UPDATE ON notice_files
BEGIN SELECT RAISE(ABORT, 'a published notice never changes'); END;
CREATE TRIGGER notice_files_remain BEFORE DELETE ON notice_files
BEGIN SELECT RAISE(ABORT, 'a published notice never goes'); END;

-- What people were shown, with the controller's and the recipient's names in it.
CREATE TABLE notices (
    digest TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- JSON
    summary TEXT NOT NULL,
    text TEXT NOT NULL
);

CREATE INDEX consents_by_notice ON consents (notice) WHERE state = 'given';
CREATE INDEX consents_by_end ON consents (expires) WHERE state = 'given';
