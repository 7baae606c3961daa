//! `vinoctl` as its users meet it: the built binary, its messages, its exit codes, its JSON.

mod bench;
mod build;
mod command_line;
mod daemon;
mod demo;
mod served;
mod verify;
