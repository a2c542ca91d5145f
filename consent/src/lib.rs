//! Notices and consent records: ISO/IEC TS 27560 in the terms of the Data Privacy Vocabulary.
