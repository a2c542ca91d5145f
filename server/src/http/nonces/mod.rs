pub(super) mod issue;
