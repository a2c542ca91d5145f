-- Subjects whose first consent an invitation allowed, so that it brings in no more of them than it has uses.
CREATE TABLE invited (
    subject TEXT PRIMARY KEY NOT NULL,
    invitation TEXT NOT NULL REFERENCES invitations (id)
);
CREATE INDEX invited_by_invitation ON invited (invitation);
