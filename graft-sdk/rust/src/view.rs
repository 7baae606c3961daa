//! Kernel memory as a graft sees it: address spaces, their lists, their pages.
//!
//! Every field is a [`Cell`]: the graft cannot write it, but the kernel does, between any two calls
//! that the graft makes.

use core::cell::Cell;
use core::mem::{offset_of, size_of};
use core::ptr;

use vino_abi::{PAGE_BYTES, SUCCESS, page_view};

/// The bits of a pointer that are an offset in the sandbox; the others are the sandbox's base.
const OFFSET_MASK: usize = 0xffff_ffff;

/// One frame of memory and the page that it holds: the kernel's `coremap_entry_o`.
#[repr(C)]
#[derive(Debug)]
pub struct Page {
    next: Cell<u32>,
    prev: Cell<u32>,
    vpn: Cell<u64>,
    frame: Cell<u32>,
    generation: Cell<u32>,
    state: Cell<u32>,
    reserved: Cell<u32>,
}

/// The list of an address space's evictable pages: inactive ones first, the oldest first.
#[repr(C)]
#[derive(Debug)]
pub struct List {
    first: Cell<u32>,
    last: Cell<u32>,
    len: Cell<u32>,
}

/// An address space: the kernel's `vas_o`.
#[repr(C)]
#[derive(Debug)]
pub struct Vas {
    evictable: List,
    n_inactive: Cell<u32>,
    id: Cell<u32>,
    slots: Cell<u32>,
}

// The layout is the kernel's.
const _: () = {
    assert!(offset_of!(Page, next) == page_view::ENTRY_NEXT as usize);
    assert!(offset_of!(Page, prev) == page_view::ENTRY_PREV as usize);
    assert!(offset_of!(Page, vpn) == page_view::ENTRY_VPN as usize);
    assert!(offset_of!(Page, frame) == page_view::ENTRY_FRAME as usize);
    assert!(offset_of!(Page, generation) == page_view::ENTRY_GENERATION as usize);
    assert!(offset_of!(Page, state) == page_view::ENTRY_STATE as usize);
    assert!(offset_of!(Page, reserved) == page_view::ENTRY_RESERVED as usize);
    assert!(size_of::<Page>() == page_view::ENTRY_BYTES as usize);
    assert!(offset_of!(List, first) == page_view::HEADER_FIRST as usize);
    assert!(offset_of!(List, last) == page_view::HEADER_LAST as usize);
    assert!(offset_of!(List, len) == page_view::HEADER_COUNT as usize);
    assert!(offset_of!(Vas, n_inactive) == page_view::HEADER_INACTIVE_COUNT as usize);
    assert!(offset_of!(Vas, id) == page_view::HEADER_VAS as usize);
    assert!(offset_of!(Vas, slots) == page_view::HEADER_SLOTS as usize);
    assert!(size_of::<Vas>() <= page_view::HEADER_BYTES as usize);
};

/// What a frame's page may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PageState {
    /// The frame holds no page.
    Free = vino_abi::PAGE_FREE,
    /// Referenced since the front hand passed.
    Active = vino_abi::PAGE_ACTIVE,
    /// Not referenced since the front hand passed.
    Inactive = vino_abi::PAGE_INACTIVE,
    /// May not be evicted.
    Wired = vino_abi::PAGE_WIRED,
}

/// The status with which the kernel refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub i32);

unsafe extern "C" {
    fn coremap_entry_o__set_pagestate(page: &Page, new_state: u32) -> i32;
    fn as_o__deref<'k>(vas: &'k Vas, va: u64, page: &mut Option<&'k Page>) -> i32;
}

/// The page at an offset of the sandbox that also holds `inside`; offset 0 is no page.
fn page_at<T>(inside: &T, offset: u32) -> Option<&Page> {
    let base = ptr::from_ref(inside).expose_provenance() & !OFFSET_MASK;
    let page = ptr::with_exposed_provenance(base | offset as usize);
    // SAFETY: the kernel wrote the offset, and it is that of an entry of the view that holds
    // `inside`, which stays mapped for the whole invocation.
    (offset != 0).then(|| unsafe { &*page })
}

impl Page {
    /// The virtual page number within the address space.
    #[must_use]
    pub fn vpn(&self) -> u64 {
        self.vpn.get()
    }

    /// The frame that holds the page.
    #[must_use]
    pub fn frame(&self) -> u32 {
        self.frame.get()
    }

    /// The physical address of the frame.
    #[must_use]
    pub fn physical_address(&self) -> u64 {
        u64::from(self.frame()) * PAGE_BYTES
    }

    /// How often this slot has been reused.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation.get()
    }

    /// The state of the page.
    #[must_use]
    pub fn state(&self) -> PageState {
        match self.state.get() & page_view::STATE_MASK {
            vino_abi::PAGE_ACTIVE => PageState::Active,
            vino_abi::PAGE_INACTIVE => PageState::Inactive,
            vino_abi::PAGE_WIRED => PageState::Wired,
            _ => PageState::Free,
        }
    }

    /// Whether the page was referenced since the front hand passed.
    #[must_use]
    pub fn is_referenced(&self) -> bool {
        self.state.get() & page_view::STATE_REFERENCED != 0
    }

    /// Whether the page was modified since it was last written to swap.
    #[must_use]
    pub fn is_modified(&self) -> bool {
        self.state.get() & page_view::STATE_MODIFIED != 0
    }

    /// The page after this one in the list of evictable pages.
    #[must_use]
    pub fn next(&self) -> Option<&Page> {
        page_at(self, self.next.get())
    }

    /// The page before this one in the list of evictable pages.
    #[must_use]
    pub fn prev(&self) -> Option<&Page> {
        page_at(self, self.prev.get())
    }

    /// Moves the page to another state; undone if the graft is aborted.
    ///
    /// # Errors
    ///
    /// The kernel refuses; `coremap_entry_o::set_pagestate` in `REFERENCE.md` says when.
    pub fn set_state(&self, new_state: PageState) -> Result<(), Refused> {
        // SAFETY: the kernel checks both arguments.
        match unsafe { coremap_entry_o__set_pagestate(self, new_state as u32) } {
            SUCCESS => Ok(()),
            status => Err(Refused(status)),
        }
    }
}

impl List {
    /// The first page.
    #[must_use]
    pub fn first(&self) -> Option<&Page> {
        page_at(self, self.first.get())
    }

    /// The last page.
    #[must_use]
    pub fn last(&self) -> Option<&Page> {
        page_at(self, self.last.get())
    }

    /// How many pages are in the list.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len.get()
    }

    /// Whether no page is in the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a page is in the list. Takes constant time: a listed page is its neighbour's
    /// neighbour.
    #[must_use]
    pub fn contains(&self, page: &Page) -> bool {
        let found = match page.prev() {
            None => self.first(),
            Some(before) => before.next(),
        };
        found.is_some_and(|found| ptr::eq(found, page))
    }

    /// All pages, from the first to the last.
    #[must_use]
    pub fn iter(&self) -> Pages<'_> {
        Pages { next: self.first() }
    }
}

impl<'k> IntoIterator for &'k List {
    type Item = &'k Page;
    type IntoIter = Pages<'k>;

    fn into_iter(self) -> Pages<'k> {
        self.iter()
    }
}

/// The pages of a [`List`], in its order.
#[derive(Clone, Debug)]
pub struct Pages<'k> {
    next: Option<&'k Page>,
}

impl<'k> Iterator for Pages<'k> {
    type Item = &'k Page;

    fn next(&mut self) -> Option<&'k Page> {
        let page = self.next?;
        self.next = page.next();
        Some(page)
    }
}

impl Vas {
    /// The identifier of the address space.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id.get()
    }

    /// The evictable pages.
    #[must_use]
    pub fn evictable(&self) -> &List {
        &self.evictable
    }

    /// How many evictable pages are inactive.
    #[must_use]
    pub fn n_inactive(&self) -> u32 {
        self.n_inactive.get()
    }

    /// The resident page of a virtual address.
    ///
    /// # Errors
    ///
    /// The kernel refuses; `as_o::deref` in `REFERENCE.md` says when.
    pub fn deref(&self, va: u64) -> Result<Option<&Page>, Refused> {
        let mut page = None;
        // SAFETY: the kernel checks the arguments, and answers with an entry of this view.
        match unsafe { as_o__deref(self, va, &mut page) } {
            SUCCESS => Ok(page),
            status => Err(Refused(status)),
        }
    }
}
