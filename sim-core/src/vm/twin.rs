//! Virtual memory against a naive twin: random histories, compared after every step.
//!
//! The twin keeps plain lists and searches them; it shares nothing with the kernel but the words of
//! the specification. It models one policy at a time, the LRU-SP exchange, placeholders, page
//! states, and transactions as copies of the whole twin.
use std::sync::Arc;

use proptest::prelude::*;
use vino_abi as abi;

use super::{UndoRecord, Vm};
use crate::config::{EvictionPolicy, KernelConfig, ProcessConfig};
use crate::ids::{FrameNo, PageNo, Tick, VasId};
use crate::txn::Transactions;
use crate::workload::Trace;

const PAGES: u32 = 24;
const PROCESSES: u32 = 2;
const FRAMES: u32 = 8;
const WIRED_MAX: u32 = 2;
const UNDO_RECORDS_MAX: u32 = 64;

/// A page of one address space.
type Page = (u32, u32);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Resident {
    page: Page,
    state: u32,
    referenced: bool,
    modified: bool,
}

/// Memory as lists of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Twin {
    policy: EvictionPolicy,
    /// What each ring position holds.
    ring: Vec<Option<Page>>,
    hand: usize,
    /// Free ring positions in the order in which they became free.
    free: Vec<usize>,
    resident: Vec<Resident>,
    /// Evictable pages of each address space: inactive ones, then active ones.
    lists: Vec<Vec<Page>>,
    /// Least recently referenced first.
    recency: Vec<Page>,
    /// The absent page and the page that stayed for it, oldest first.
    placeholders: Vec<(Page, Page)>,
}

impl Twin {
    fn new(policy: EvictionPolicy) -> Twin {
        Twin {
            policy,
            ring: vec![None; FRAMES as usize],
            hand: 0,
            free: (0..FRAMES as usize).collect(),
            resident: Vec::new(),
            lists: vec![Vec::new(); PROCESSES as usize],
            recency: Vec::new(),
            placeholders: Vec::new(),
        }
    }

    fn get(&mut self, page: Page) -> Option<&mut Resident> {
        self.resident.iter_mut().find(|it| it.page == page)
    }

    fn state(&self, page: Page) -> u32 {
        let found = self.resident.iter().find(|it| it.page == page);
        found.expect("resident").state
    }

    /// Puts a page where its state says: behind the inactive pages, or at the end.
    fn list(&mut self, page: Page, state: u32) {
        self.get(page).expect("resident").state = state;
        self.unlist(page);
        let inactive = |twin: &Twin, it: &&Page| twin.state(**it) == abi::PAGE_INACTIVE;
        let list = &self.lists[page.0 as usize];
        let at = match state {
            abi::PAGE_ACTIVE => list.len(),
            abi::PAGE_INACTIVE => list.iter().take_while(|it| inactive(self, it)).count(),
            _ => return,
        };
        self.lists[page.0 as usize].insert(at, page);
    }

    fn unlist(&mut self, page: Page) {
        self.lists[page.0 as usize].retain(|it| *it != page);
    }

    fn touch(&mut self, page: Page, write: bool) {
        let resident = self.get(page).expect("resident");
        resident.referenced = true;
        resident.modified |= write;
        let state = resident.state;
        if self.policy == EvictionPolicy::Lru {
            self.recency.retain(|it| *it != page);
            self.recency.push(page);
            if state != abi::PAGE_WIRED {
                self.list(page, abi::PAGE_ACTIVE);
            }
        }
    }

    fn propose(&mut self) -> Option<Page> {
        let EvictionPolicy::TwoHandedClock { handspread } = self.policy else {
            let wired = |page: &&Page| self.state(**page) == abi::PAGE_WIRED;
            return self.recency.iter().find(|page| !wired(page)).copied();
        };
        let frames = FRAMES as usize;
        let spread = handspread.unwrap_or(FRAMES) as usize;
        for _ in 0..2 * frames {
            if spread < frames
                && let Some(page) = self.ring[(self.hand + spread) % frames]
            {
                self.get(page).expect("resident").referenced = false;
                if self.state(page) == abi::PAGE_ACTIVE {
                    self.list(page, abi::PAGE_INACTIVE);
                }
            }
            let candidate = self.ring[self.hand];
            self.hand = (self.hand + 1) % frames;
            let Some(page) = candidate else { continue };
            let resident = self.get(page).expect("resident");
            if resident.state == abi::PAGE_WIRED {
                continue;
            }
            if !resident.referenced {
                return Some(page);
            }
            if spread == frames {
                resident.referenced = false;
            }
            self.list(page, abi::PAGE_ACTIVE);
        }
        None
    }

    fn position(&self, page: Page) -> usize {
        let found = self.ring.iter().position(|it| *it == Some(page));
        found.expect("in the ring")
    }

    fn evict(&mut self, page: Page) {
        let position = self.position(page);
        self.ring[position] = None;
        self.free.push(position);
        self.resident.retain(|it| it.page != page);
        self.unlist(page);
        self.recency.retain(|it| *it != page);
        self.placeholders.retain(|(_, kept)| *kept != page);
    }

    fn evict_instead(&mut self, keeper: Page, leaver: Page) {
        let (kept_at, left_at) = (self.position(keeper), self.position(leaver));
        self.ring.swap(kept_at, left_at);
        let take_place = |list: &mut Vec<Page>| {
            list.retain(|it| *it != keeper);
            if let Some(place) = list.iter_mut().find(|it| **it == leaver) {
                *place = keeper;
            }
        };
        take_place(&mut self.recency);
        if self.state(keeper) == abi::PAGE_WIRED {
            self.unlist(leaver);
        } else {
            take_place(&mut self.lists[leaver.0 as usize]);
            let state = self.state(leaver);
            self.get(keeper).expect("resident").state = state;
        }
        self.resident.retain(|it| it.page != leaver);
        self.placeholders.retain(|(_, kept)| *kept != leaver);
        if self.placeholders.len() == FRAMES as usize {
            self.placeholders.remove(0);
        }
        self.placeholders.push((leaver, keeper));
        self.ring[kept_at] = None;
        self.free.push(kept_at);
    }

    fn install(&mut self, page: Page, modified: bool) {
        let position = self.free.remove(0);
        self.ring[position] = Some(page);
        self.resident.push(Resident {
            page,
            state: abi::PAGE_ACTIVE,
            referenced: false,
            modified,
        });
        self.recency.push(page);
        self.list(page, abi::PAGE_ACTIVE);
    }

    fn take_placeholder(&mut self, page: Page) -> Option<Page> {
        let at = self
            .placeholders
            .iter()
            .position(|(absent, _)| *absent == page)?;
        Some(self.placeholders.remove(at).1)
    }

    fn set_state(&mut self, page: Page, state: u32) -> bool {
        let wired = |it: &&Resident| it.page.0 == page.0 && it.state == abi::PAGE_WIRED;
        let wired = self.resident.iter().filter(wired).count();
        let is_wired = self.state(page) == abi::PAGE_WIRED;
        if state == abi::PAGE_WIRED && !is_wired && wired >= WIRED_MAX as usize {
            return false;
        }
        self.get(page).expect("resident").referenced = state == abi::PAGE_ACTIVE;
        self.list(page, state);
        true
    }
}

/// What happens next in a history.
#[derive(Clone, Debug)]
enum Step {
    /// A reference; if it faults, the victim is the listed page at this index, if there is one,
    /// and the graft may wire the page that it keeps.
    Reference {
        page: Page,
        write: bool,
        choice: Option<usize>,
        wires: bool,
    },
    /// A transaction that changes states, then commits or aborts.
    Transaction {
        changes: Vec<(usize, u32)>,
        aborts: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let page = (0..PROCESSES, 0..PAGES);
    let choice = proptest::option::weighted(0.5, 0..FRAMES as usize);
    let reference = (page, any::<bool>(), choice, any::<bool>());
    let reference = reference.prop_map(|(page, write, choice, wires)| Step::Reference {
        page,
        write,
        choice,
        wires,
    });
    let state = prop_oneof![
        Just(abi::PAGE_ACTIVE),
        Just(abi::PAGE_INACTIVE),
        Just(abi::PAGE_WIRED),
    ];
    let changes = proptest::collection::vec((0..FRAMES as usize, state), 0..12);
    let transaction = (changes, any::<bool>());
    let transaction =
        transaction.prop_map(|(changes, aborts)| Step::Transaction { changes, aborts });
    prop_oneof![6 => reference, 1 => transaction]
}

fn policy() -> impl Strategy<Value = EvictionPolicy> {
    let spread = proptest::option::of(1..=FRAMES);
    let clock = spread.prop_map(|handspread| EvictionPolicy::TwoHandedClock { handspread });
    prop_oneof![3 => clock, 1 => Just(EvictionPolicy::Lru)]
}

fn vm(policy: EvictionPolicy) -> Vm {
    let name = |number: u32| ProcessConfig {
        name: format!("p{number}"),
    };
    let config = KernelConfig {
        frames: FRAMES,
        policy,
        processes: (0..PROCESSES).map(name).collect(),
        ..KernelConfig::default()
    };
    let mut vm = Vm::new(&config).expect("memory");
    let trace = Trace::from_page_ids(0..u64::from(PAGES)).expect("a trace");
    let trace = Arc::new(trace);
    for vas in (0..PROCESSES).map(VasId) {
        vm.vas_mut(vas).map(Arc::clone(&trace));
        vm.prepare_overrides(vas);
    }
    vm
}

/// Both models of memory, moved in step.
struct Pair {
    vm: Vm,
    twin: Twin,
    txns: Transactions<UndoRecord, ()>,
}

impl Pair {
    fn page_in(&self, frame: FrameNo) -> Page {
        let owner = self.vm.owner(frame).expect("occupied");
        (owner.0, self.vm.page(frame).0)
    }

    fn frame(&self, page: Page) -> Option<FrameNo> {
        self.vm.vas(VasId(page.0)).frame_of(PageNo(page.1))
    }

    fn reference(&mut self, page: Page, write: bool, choice: Option<usize>, wires: bool) {
        let vas = VasId(page.0);
        if let Some(frame) = self.frame(page) {
            self.vm.hit(vas, frame, write);
            self.twin.touch(page, write);
            return;
        }
        let candidate = self.vm.take_placeholder(vas, PageNo(page.1));
        let expected = self.twin.take_placeholder(page);
        assert_eq!(candidate.map(|frame| self.page_in(frame)), expected);
        if self.vm.free_frames() == 0 && !self.make_room(candidate, choice, wires) {
            return;
        }
        self.vm.install(vas, PageNo(page.1), write);
        self.twin.install(page, write);
    }

    fn make_room(
        &mut self,
        candidate: Option<FrameNo>,
        choice: Option<usize>,
        wires: bool,
    ) -> bool {
        let candidate = candidate.filter(|&frame| self.vm.is_evictable(frame));
        let proposed = match candidate {
            Some(frame) => frame,
            None => {
                let proposed = self.vm.propose().ok();
                let expected = self.twin.propose();
                assert_eq!(proposed.map(|frame| self.page_in(frame)), expected);
                match proposed {
                    Some(frame) => frame,
                    None => return false,
                }
            }
        };
        let page = self.page_in(proposed);
        let listed = choice.and_then(|at| self.twin.lists[page.0 as usize].get(at).copied());
        match listed.filter(|victim| *victim != page) {
            Some(victim) => {
                let frame = self.frame(victim).expect("listed pages are resident");
                if wires {
                    self.transaction(&[(proposed.index(), abi::PAGE_WIRED)], false);
                }
                self.vm.evict_instead(proposed, frame);
                self.twin.evict_instead(page, victim);
            }
            None => {
                self.vm.evict(proposed);
                self.twin.evict(page);
            }
        }
        true
    }

    fn transaction(&mut self, changes: &[(usize, u32)], aborts: bool) {
        let before = (self.vm.state_digest(), self.twin.clone());
        self.txns.begin();
        for &(frame, state) in changes {
            let frame = FrameNo(u32::try_from(frame).expect("a frame"));
            if self.vm.owner(frame).is_none() {
                continue;
            }
            let page = self.page_in(frame);
            let prepared = self.vm.prepare_page_state(frame, state, WIRED_MAX);
            assert_eq!(prepared.is_ok(), self.twin.set_state(page, state));
            if let Ok(record) = prepared {
                self.txns.log_undo(record).expect("room in the log");
                self.vm.set_page_state(frame, state, self.txns.watch());
            }
        }
        if aborts {
            let aborted = {
                let vm = &mut self.vm;
                self.txns
                    .abort(Tick(0), |record, watch| vm.undo(record, watch))
            };
            assert!(aborted.state_restored, "the sum of changes is zero");
            assert_eq!(self.vm.state_digest(), before.0, "the state is what it was");
            self.twin = before.1;
        } else {
            let committed = self.txns.commit();
            self.txns.end(&committed, Tick(0));
        }
    }

    /// Asserts that both show the same pages with the same states in the same order.
    fn compare(&self) {
        self.vm.check_invariants().expect("invariants hold");
        for vas in (0..PROCESSES).map(VasId) {
            let listed = self.vm.vas(vas).view().list();
            let listed: Vec<Page> = listed.map(|frame| self.page_in(frame)).collect();
            assert_eq!(listed, self.twin.lists[vas.index()]);
        }
        for resident in &self.twin.resident {
            let frame = self.frame(resident.page).expect("resident in both");
            let view = self.vm.vas(VasId(resident.page.0)).view();
            let shown = Resident {
                page: resident.page,
                state: view.state(frame),
                referenced: view.is_referenced(frame),
                modified: view.is_modified(frame),
            };
            assert_eq!(&shown, resident);
        }
        let occupied = self.vm.frames() - self.vm.free_frames();
        assert_eq!(occupied as usize, self.twin.resident.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn memory_equals_its_naive_twin_after_every_step(
        policy in policy(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut pair = Pair {
            vm: vm(policy),
            twin: Twin::new(policy),
            txns: Transactions::new(1, UNDO_RECORDS_MAX),
        };
        for step in steps {
            match step {
                Step::Reference { page, write, choice, wires } => {
                    pair.reference(page, write, choice, wires);
                }
                Step::Transaction { changes, aborts } => pair.transaction(&changes, aborts),
            }
            pair.compare();
        }
    }
}
