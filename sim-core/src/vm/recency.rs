//! The exact order of references over all address spaces, for the comparison policy LRU.
use crate::ids::FrameNo;

/// No frame: the end of the list.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Node {
    prev: u32,
    next: u32,
}

/// Occupied frames from the least to the most recently referenced.
#[derive(Debug)]
pub(super) struct Recency {
    nodes: Vec<Node>,
    first: u32,
    last: u32,
}

impl Recency {
    pub(super) fn new(frames: u32) -> Recency {
        let node = Node {
            prev: NONE,
            next: NONE,
        };
        Recency {
            nodes: vec![node; frames as usize],
            first: NONE,
            last: NONE,
        }
    }

    pub(super) fn push(&mut self, frame: FrameNo) {
        self.link(frame.0, self.last, NONE);
    }

    #[inline]
    pub(super) fn touch(&mut self, frame: FrameNo) {
        if self.last != frame.0 {
            self.remove(frame);
            self.push(frame);
        }
    }

    pub(super) fn remove(&mut self, frame: FrameNo) {
        let Node { prev, next } = self.nodes[frame.index()];
        match self.nodes.get_mut(prev as usize) {
            Some(node) => node.next = next,
            None => self.first = next,
        }
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.prev = prev,
            None => self.last = prev,
        }
    }

    /// Puts `keeper` where `leaver` is, which leaves the order.
    pub(super) fn take_place(&mut self, keeper: FrameNo, leaver: FrameNo) {
        self.remove(keeper);
        let Node { prev, next } = self.nodes[leaver.index()];
        self.remove(leaver);
        self.link(keeper.0, prev, next);
    }

    fn link(&mut self, frame: u32, prev: u32, next: u32) {
        self.nodes[frame as usize] = Node { prev, next };
        match self.nodes.get_mut(prev as usize) {
            Some(node) => node.next = frame,
            None => self.first = frame,
        }
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.prev = frame,
            None => self.last = frame,
        }
    }

    /// The frames from the least recently referenced on.
    pub(super) fn iter(&self) -> impl Iterator<Item = FrameNo> + '_ {
        let present = |frame: u32| (frame != NONE).then_some(frame);
        let next = move |frame: &u32| present(self.nodes[*frame as usize].next);
        let frames = std::iter::successors(present(self.first), next);
        frames.take(self.nodes.len()).map(FrameNo)
    }
}
