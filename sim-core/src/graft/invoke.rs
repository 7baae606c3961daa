//! Entering a graft: arguments in, answer out, every answer checked.
//!
//! The functions here run inside an open transaction and decide nothing about it: they give the
//! checked answer, or the [`Misbehaviour`] for which the caller aborts.
use vino_abi as abi;
use vino_sandbox::Instance;

use super::batch::BatchView;
use super::callables::KernelHost;
use super::registry::{ARGUMENTS_MAX, Graft, Scope};
use super::{Misbehaviour, Point};
use crate::ids::FrameNo;
use crate::kernel::Kernel;
use crate::run::Meter;
use crate::vm::{CLUSTER_PAGES_MAX, Cluster, Vm, frame_of, link_of};

/// What a graft may use during one invocation.
pub(crate) struct Surroundings<'a> {
    /// The kernel, without the graft itself.
    pub(crate) kernel: &'a mut Kernel,
    pub(crate) meter: &'a mut dyn Meter,
    /// In a replay, how many transactions began inside this one before the CPU ended it.
    pub(crate) children_max: Option<u32>,
}

/// The checked answer of a graft on `vas_o::pick_victim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VictimChoice {
    /// A page of its own address space that can be evicted.
    Evict(FrameNo),
    /// A fair choice for which swap space has no room.
    SwapFull,
    /// It found none.
    NotFound,
}

/// Calls the graft and gives the `status_t` it returned.
#[inline]
fn call(
    graft: &mut Graft,
    point: Point,
    args: &[u64; ARGUMENTS_MAX],
    around: &mut Surroundings<'_>,
) -> Result<i32, Misbehaviour> {
    let entry = graft.entry(point);
    let mut host = KernelHost {
        calls_left: around.kernel.config.graft_limits.host_calls_max,
        around,
        scope: &graft.scope,
        point,
    };
    match graft.instance.call(entry, args, &mut host) {
        Ok(returned) => Ok(low_word(returned).cast_signed()),
        Err(fault) => Err(Misbehaviour::from_fault(&fault, graft.instance.base())),
    }
}

fn low_word(register: u64) -> u32 {
    u32::try_from(register & u64::from(u32::MAX)).expect("masked to 32 bits")
}

/// Clears an OUT argument, so that a graft that sets nothing answers nothing.
#[inline]
fn put_argument(instance: &mut Instance, index: u32, value: u64) {
    let stored = instance.write_u64(Graft::argument(index), value);
    stored.expect("the argument page is mapped and writable");
}

#[inline]
fn argument(instance: &Instance, index: u32) -> u64 {
    let value = instance.read_u64(Graft::argument(index));
    value.expect("the argument page is mapped")
}

fn bad_status(status: i32) -> Misbehaviour {
    Misbehaviour::bad_answer(format!(
        "returned {status}, which is no status of this point"
    ))
}

/// Asks which page of its address space should go, given the one that the kernel proposes.
pub(crate) fn pick_victim(
    graft: &mut Graft,
    proposed: FrameNo,
    around: &mut Surroundings<'_>,
) -> Result<VictimChoice, Misbehaviour> {
    put_argument(&mut graft.instance, 0, 0);
    let space = graft.pointer(abi::VIEWS_OFFSET);
    let args = [
        space,
        space,
        graft.pointer(link_of(proposed)),
        graft.pointer(abi::ARGUMENTS_OFFSET),
    ];
    match call(graft, Point::VasPickVictim, &args, around)? {
        abi::SUCCESS => {}
        abi::ENOTFOUND => return give_up(proposed, VictimChoice::NotFound, &around.kernel.vm),
        status => return Err(bad_status(status)),
    }
    let offset = low_word(argument(&graft.instance, 0));
    let vas = graft.scope.vas().expect("a point of an address space");
    let vm = &around.kernel.vm;
    let frame = frame_of(offset, vm.frames());
    let frame = frame.filter(|&frame| vm.visible_owner(frame) == Some(vas));
    let Some(frame) = frame else {
        return Err(Misbehaviour::bad_answer(format!(
            "chose {offset:#x}, which is no resident page of its address space"
        )));
    };
    if vm.vas(vas).view().state(frame) == abi::PAGE_WIRED {
        let vpn = vm.vas(vas).view().vpn(frame);
        let fault = format!("chose page {vpn}, which is wired");
        return Err(Misbehaviour::bad_answer(fault));
    }
    if vm.is_evictable(frame) {
        Ok(VictimChoice::Evict(frame))
    } else {
        give_up(proposed, VictimChoice::SwapFull, vm)
    }
}

/// Accepts an answer that names no victim, so that the proposal goes.
///
/// A graft that wired the proposal meanwhile would have somebody else pay for it.
#[cold]
fn give_up(proposed: FrameNo, choice: VictimChoice, vm: &Vm) -> Result<VictimChoice, Misbehaviour> {
    if vm.is_evictable(proposed) {
        return Ok(choice);
    }
    let fault = "wired the page that the kernel proposed and gave no other";
    Err(Misbehaviour::bad_answer(fault.to_owned()))
}

/// Asks a yes-or-no question with two numbers; `None` if the graft has no opinion.
pub(crate) fn ask_about_frames(
    graft: &mut Graft,
    point: Point,
    free_frames: u32,
    limit: u32,
    around: &mut Surroundings<'_>,
) -> Result<Option<bool>, Misbehaviour> {
    put_argument(&mut graft.instance, 0, 0);
    let args = [
        graft.pointer(abi::VIEWS_OFFSET),
        u64::from(free_frames),
        u64::from(limit),
        graft.pointer(abi::ARGUMENTS_OFFSET),
    ];
    match call(graft, point, &args, around)? {
        abi::SUCCESS => Ok(Some(low_word(argument(&graft.instance, 0)) != 0)),
        abi::ENOTFOUND => Ok(None),
        status => Err(bad_status(status)),
    }
}

/// Asks for the order in which the pages of a cluster are written; `None` keeps theirs.
///
/// The graft may see these pages until it answers: later their frames may hold others.
pub(crate) fn pageout_order(
    graft: &mut Graft,
    cluster: &Cluster,
    around: &mut Surroundings<'_>,
) -> Result<Option<Cluster>, Misbehaviour> {
    show_batch(graft, &around.kernel.vm, cluster.frames());
    let ordered = order_of_batch(graft, cluster, around);
    show_batch(graft, &around.kernel.vm, &[]);
    ordered
}

fn show_batch(graft: &mut Graft, vm: &Vm, frames: &[FrameNo]) {
    if let Scope::Kernel(batch) = &mut graft.scope {
        batch.show(vm, frames);
    }
}

fn order_of_batch(
    graft: &mut Graft,
    cluster: &Cluster,
    around: &mut Surroundings<'_>,
) -> Result<Option<Cluster>, Misbehaviour> {
    let frames = cluster.frames();
    for (index, register) in (0..).zip(0..frames.len()) {
        let pointer = graft.pointer(BatchView::link(register));
        put_argument(&mut graft.instance, index, pointer);
    }
    let args = [
        graft.pointer(abi::VIEWS_OFFSET),
        graft.pointer(abi::ARGUMENTS_OFFSET),
        frames.len() as u64,
        0,
    ];
    match call(graft, Point::PmMgrSwapPageoutOrder, &args, around)? {
        abi::SUCCESS => {}
        abi::ENOTFOUND => return Ok(None),
        status => return Err(bad_status(status)),
    }
    let mut order = [0usize; CLUSTER_PAGES_MAX];
    let Scope::Kernel(batch) = &graft.scope else {
        unreachable!("global points have the kernel's scope");
    };
    for (argument_index, place) in (0..).zip(&mut order[..frames.len()]) {
        let offset = low_word(argument(&graft.instance, argument_index));
        *place = batch.index_of(offset).ok_or_else(|| {
            let fault = format!("element {argument_index} is {offset:#x}, no page it was given");
            Misbehaviour::bad_answer(fault)
        })?;
    }
    let reordered = cluster.reordered(&order[..frames.len()]);
    let twice = || Misbehaviour::bad_answer("a page occurs twice in the order".to_owned());
    reordered.map(Some).ok_or_else(twice)
}
