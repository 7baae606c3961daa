//! The daemon as its clients meet it: end to end over its socket.

mod bad_input;
mod bench;
mod process;
mod runs;
