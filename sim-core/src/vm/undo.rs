//! The changes that grafts may make to memory, and how each is undone.
use vino_abi as abi;

use super::Vm;
use super::restoration::{Unwatched, Watch};
use super::view::Place;
use crate::ids::{FrameNo, VasId};

/// Wired pages of all address spaces together are at most one frame in so many.
const WIRED_SHARE_OF_FRAMES: u32 = 2;

/// What undoes one change; pushed before the change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UndoRecord {
    /// A page had this state and flags, and was here in its list.
    PageState {
        /// Whose page.
        vas: VasId,
        /// The frame that holds it.
        frame: FrameNo,
        /// State and flags.
        state_word: u32,
        /// Its neighbours.
        place: Place,
    },
    /// A page was here in its list, and was to stay in memory.
    Departure {
        /// Whose page.
        vas: VasId,
        /// The frame that holds it.
        frame: FrameNo,
        /// State and flags.
        state_word: u32,
        /// Its neighbours.
        place: Place,
        /// Whether swap space was set aside for it.
        needs_swap: bool,
    },
}

/// Why a page state cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetStateError {
    /// It is no state that a resident page can have.
    NoSuchState,
    /// The address space, or the machine, has wired as many pages as it may.
    WiredLimit,
}

impl Vm {
    /// Checks whether the page in an occupied frame may be given `state`; gives what undoes it.
    pub(crate) fn prepare_page_state(
        &self,
        frame: FrameNo,
        state: u32,
        wired_max: u32,
    ) -> Result<UndoRecord, SetStateError> {
        let vas = self.coremap.owner(frame).expect("the frame is occupied");
        let space = &self.vases[vas.index()];
        match state {
            abi::PAGE_ACTIVE | abi::PAGE_INACTIVE => {}
            abi::PAGE_WIRED => {
                let is_wired = space.view().state(frame) == abi::PAGE_WIRED;
                let all_wired: u32 = self.vases.iter().map(|vas| vas.wired()).sum();
                let exceeds = space.wired() >= wired_max
                    || all_wired >= self.frames() / WIRED_SHARE_OF_FRAMES;
                if !is_wired && exceeds {
                    return Err(SetStateError::WiredLimit);
                }
            }
            _ => return Err(SetStateError::NoSuchState),
        }
        Ok(UndoRecord::PageState {
            vas,
            frame,
            state_word: space.view().state_word(frame),
            place: space.view().place(frame),
        })
    }

    /// Gives the page in an occupied frame a state that was prepared.
    pub(crate) fn set_page_state(&mut self, frame: FrameNo, state: u32, watch: &mut impl Watch) {
        let vas = self.coremap.owner(frame).expect("the frame is occupied");
        self.vases[vas.index()].set_page_state(frame, state, watch);
    }

    /// Gives the wired pages of an address space back to the clock, as its newest active pages.
    pub(crate) fn unwire_all(&mut self, vas: VasId) {
        if self.vases[vas.index()].wired() == 0 {
            return;
        }
        for frame in (0..self.frames()).map(FrameNo) {
            let space = &mut self.vases[vas.index()];
            if space.view().state(frame) == abi::PAGE_WIRED {
                space.set_page_state(frame, abi::PAGE_ACTIVE, &mut Unwatched);
            }
        }
    }

    /// Says what puts a listed page back to where it is, before [`Vm::stand_before`].
    pub(crate) fn prepare_move(&self, frame: FrameNo) -> UndoRecord {
        let vas = self.coremap.owner(frame).expect("the frame is occupied");
        let view = self.vases[vas.index()].view();
        UndoRecord::PageState {
            vas,
            frame,
            state_word: view.state_word(frame),
            place: view.place(frame),
        }
    }

    /// Moves a listed page before another one of its list, with the same state.
    pub(crate) fn stand_before(&mut self, frame: FrameNo, other: FrameNo, watch: &mut impl Watch) {
        let vas = self.coremap.owner(frame).expect("the frame is occupied");
        let view = self.vases[vas.index()].view_mut();
        view.stand_before(frame, other, watch);
    }

    /// Says what undoes [`Vm::depart`].
    pub(crate) fn prepare_departure(&self, frame: FrameNo) -> UndoRecord {
        let vas = self.coremap.owner(frame).expect("the frame is occupied");
        let view = self.vases[vas.index()].view();
        UndoRecord::Departure {
            vas,
            frame,
            state_word: view.state_word(frame),
            place: view.place(frame),
            needs_swap: self.needs_swap(frame),
        }
    }

    /// Takes an evictable page out of its list, so that it is gone for whoever looks.
    ///
    /// It keeps its frame until [`Vm::finish_departure`], and swap space is set aside for it if it
    /// needs any.
    pub(crate) fn depart(&mut self, frame: FrameNo, watch: &mut impl Watch) {
        let vas = self.coremap.owner(frame).expect("the frame is occupied");
        self.swap.set_aside(u64::from(self.needs_swap(frame)));
        self.departing += 1;
        self.vases[vas.index()].view_mut().delist(frame, watch);
    }

    /// Applies an undo record; records must be applied newest first.
    pub(crate) fn undo(&mut self, record: UndoRecord, watch: &mut impl Watch) {
        let (vas, frame, state_word, place) = match record {
            UndoRecord::PageState {
                vas,
                frame,
                state_word,
                place,
            } => (vas, frame, state_word, place),
            UndoRecord::Departure {
                vas,
                frame,
                state_word,
                place,
                needs_swap,
            } => {
                self.swap.release(u64::from(needs_swap));
                self.departing -= 1;
                (vas, frame, state_word, place)
            }
        };
        self.vases[vas.index()].restore_page_state(frame, state_word, place, watch);
    }
}
