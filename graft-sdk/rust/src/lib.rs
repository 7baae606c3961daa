//! The kernel's graftable interface for grafts written in Rust.
//!
//! ```text
//! #![no_std]
//! use vino_graft::{List, Page, Vas};
//!
//! vino_graft::graft!("vas_o::pick_victim", pick);
//!
//! /// Evicts the page that was brought in last.
//! fn pick<'k>(_: &'k Vas, pages: &'k List, proposed: &'k Page) -> Option<&'k Page> {
//!     pages.last().or(Some(proposed))
//! }
//! ```
//!
//! `vinoctl graft build mru.rs` compiles it; [`graft!`] names the graft point and checks the
//! function's type. The types overlay kernel memory that a graft can only read: [`Vas`], its
//! [`List`] of evictable [`Page`]s, and what the kernel does for a graft is a method of them. They
//! mirror `graft-support.h`; what each call checks is in `REFERENCE.md` of the interface.
//!
//! A panic ends the invocation with an illegal instruction; the transaction is undone.
//!
//! This crate runs inside the sandbox: its unsafe code is as untrusted as the graft that uses it.
#![no_std]
#![deny(missing_docs)]
#![expect(
    unsafe_code,
    reason = "links of kernel lists are offsets, and the kernel is called through C; all of it \
              runs inside the sandbox"
)]

mod points;
mod view;

pub use view::{List, Page, PageState, Pages, Refused, Vas};

/// What the expansion of [`graft!`] names.
#[doc(hidden)]
pub mod expansion {
    pub use vino_abi::{ENOTFOUND, SUCCESS};
}

/// Ends the invocation: there is nobody in a sandbox who could unwind.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: an illegal instruction ends the invocation and touches nothing.
    unsafe { core::arch::asm!("ud2", options(noreturn, nomem, nostack)) }
}
