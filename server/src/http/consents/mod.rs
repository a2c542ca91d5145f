pub(super) mod give;
pub(super) mod list;
pub(super) mod record;
pub(super) mod withdraw;
