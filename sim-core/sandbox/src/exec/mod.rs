//! Maps, seals, enters and stops verified code.
