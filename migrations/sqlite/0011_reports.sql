-- Milliseconds from a probe's arrival to its verdict; nothing for verdicts that were never measured.
ALTER TABLE verdicts ADD COLUMN milliseconds BIGINT;

-- What lists and charts are ordered by. Verdicts of one subject are found by the second of these as well.
CREATE INDEX verdicts_by_time ON verdicts (given);
DROP INDEX verdicts_by_subject;
CREATE INDEX verdicts_by_subject ON verdicts (subject, given);
CREATE INDEX subjects_by_age ON subjects (since);
CREATE INDEX consents_by_time ON consents (given);
CREATE INDEX enrolments_by_time ON enrolments (enrolled);
CREATE INDEX enrolments_by_erasure ON enrolments (erased);
CREATE INDEX issuances_by_time ON issuances (issued);
