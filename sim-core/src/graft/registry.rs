//! The grafts of one kernel: where each is attached, and the sandbox in which it runs.
use vino_abi as abi;
use vino_sandbox::{Engine, Entry, ExecError, Instance, InstanceConfig, InstanceError};
use vino_sandbox::{LinkedImage, LoadError, Policy, SandboxAddr, SharedRegion, VerifiedImage};

use super::batch::BatchView;
use super::inspect::{GraftRejected, inspect};
use super::{POINTS, Point, Privilege};
use crate::config::KernelConfig;
use crate::ids::{GraftId, VasId};

/// How many graft points there are.
const POINTS_COUNT: usize = POINTS.len();
/// Registers in which a graft point's arguments are passed, `this` included.
pub(crate) const ARGUMENTS_MAX: usize = 4;

/// For whom a graft decides.
#[derive(Debug)]
pub(crate) enum Scope {
    /// One address space, whose view it reads.
    Vas(VasId),
    /// The whole kernel; it reads the batch of pages that it is asked about.
    Kernel(BatchView),
}

impl Scope {
    /// The address space, if it is one.
    pub(crate) fn vas(&self) -> Option<VasId> {
        match self {
            Scope::Vas(vas) => Some(*vas),
            Scope::Kernel(_) => None,
        }
    }
}

/// An attached graft.
#[derive(Debug)]
pub(crate) struct Graft {
    pub(crate) name: String,
    pub(crate) scope: Scope,
    pub(crate) instance: Instance,
    /// BLAKE3 of the object file.
    pub(crate) object: [u8; 32],
    /// By point, the function that serves it; `None` where the graft is not attached.
    entries: [Option<Entry>; POINTS_COUNT],
}

impl Graft {
    /// The pointer that a graft sees for an offset in its sandbox.
    #[inline]
    pub(crate) fn pointer(&self, offset: u32) -> u64 {
        self.instance.base() + u64::from(offset)
    }

    /// The function that serves a point.
    ///
    /// # Panics
    ///
    /// The graft is not attached there; the registry leads here only for points it holds.
    #[inline]
    pub(crate) fn entry(&self, point: Point) -> Entry {
        self.entries[point as usize].expect("the point is held by this graft")
    }

    /// The points to which the graft is attached.
    pub(crate) fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let infos = POINTS.iter().zip(&self.entries);
        infos.filter_map(|(info, entry)| entry.map(|_| info.id))
    }

    /// A word of the argument page.
    pub(crate) fn argument(index: u32) -> SandboxAddr {
        let offset = u64::from(abi::ARGUMENTS_OFFSET) + 8 * u64::from(index);
        SandboxAddr::new(offset).expect("the argument page is in the sandbox")
    }
}

/// A graft that was verified and has its sandbox, but is attached to nothing yet.
#[derive(Debug)]
pub(crate) struct LoadedGraft {
    instance: Instance,
    scope: Scope,
    object: [u8; 32],
    entry: Entry,
}

/// Why a graft could not be loaded.
#[derive(Debug)]
pub(crate) enum GraftLoadError {
    /// The object is to blame.
    Rejected(GraftRejected),
    /// The machine is to blame.
    Exec(InstanceError),
}

impl From<GraftRejected> for GraftLoadError {
    fn from(reason: GraftRejected) -> GraftLoadError {
        GraftLoadError::Rejected(reason)
    }
}

impl From<ExecError> for GraftLoadError {
    fn from(error: ExecError) -> GraftLoadError {
        GraftLoadError::Exec(error.into())
    }
}

/// Verifies an object in a sandbox of its own, for an address space or for the whole kernel.
pub(crate) fn load(
    engine: &Engine,
    config: &KernelConfig,
    object: &[u8],
    point: Point,
    space: Option<(VasId, SharedRegion)>,
    base_hint: Option<u64>,
) -> Result<LoadedGraft, GraftLoadError> {
    let inspected = inspect(object, Some(point))?;
    let symbol = inspected.symbol(point).to_owned();
    let (scope, region) = match space {
        Some((vas, view)) => (Scope::Vas(vas), view),
        None => {
            let batch = BatchView::new(config.processes.len())?;
            let region = batch.region().clone();
            (Scope::Kernel(batch), region)
        }
    };
    let instance = place(engine, config, inspected.image, region, base_hint)?;
    let entry = instance
        .entry(&symbol)
        .expect("inspection found the function");
    Ok(LoadedGraft {
        instance,
        scope,
        object: *blake3::hash(object).as_bytes(),
        entry,
    })
}

fn place(
    engine: &Engine,
    config: &KernelConfig,
    image: LinkedImage,
    view: SharedRegion,
    base_hint: Option<u64>,
) -> Result<Instance, GraftLoadError> {
    let limits = config.graft_limits;
    let policy = Policy {
        read_protection: config.read_protection,
    };
    let image = VerifiedImage::verify(engine, image, &policy).map_err(|error| match error {
        LoadError::Rejected(rejection) => GraftRejected::Verify(Box::new(rejection)).into(),
        LoadError::Exec(error) => GraftLoadError::from(error),
    })?;
    let instance = InstanceConfig {
        stack_bytes: limits.stack_bytes,
        heap_bytes: 0,
        heap_bytes_max: limits.heap_bytes_max,
        deadline: config.graft_deadline,
        views: vec![view],
        base_hint,
    };
    Instance::new(&image, instance).map_err(GraftLoadError::Exec)
}

/// All grafts that are attached now.
#[derive(Debug)]
pub(crate) struct Registry {
    /// By the number of the graft; removed ones leave a gap, so that numbers are never reused.
    grafts: Vec<Option<Box<Graft>>>,
    /// For each address space, the graft on `vas_o::pick_victim`.
    pick_victim: Vec<Option<GraftId>>,
    stop_pageout: Option<GraftId>,
    awake_pagedaemon: Option<GraftId>,
    swap_pageout_order: Option<GraftId>,
}

impl Registry {
    pub(crate) fn new(processes: usize) -> Registry {
        Registry {
            grafts: Vec::new(),
            pick_victim: vec![None; processes],
            stop_pageout: None,
            awake_pagedaemon: None,
            swap_pageout_order: None,
        }
    }

    /// Who may attach to a point.
    pub(crate) fn privilege(point: Point) -> Privilege {
        point.info().privilege
    }

    fn slot(&mut self, point: Point, vas: Option<VasId>) -> &mut Option<GraftId> {
        match point {
            Point::VasPickVictim => {
                let vas = vas.expect("a point of an address space");
                &mut self.pick_victim[vas.index()]
            }
            Point::PmMgrStopPageout => &mut self.stop_pageout,
            Point::PmMgrAwakePagedaemon => &mut self.awake_pagedaemon,
            Point::PmMgrSwapPageoutOrder => &mut self.swap_pageout_order,
        }
    }

    /// The graft that holds a point.
    pub(crate) fn holder(&mut self, point: Point, vas: Option<VasId>) -> Option<&Graft> {
        let id = (*self.slot(point, vas))?;
        self.get(id)
    }

    /// The graft that a further point of the same object would share its sandbox with.
    pub(crate) fn sibling(
        &self,
        name: &str,
        vas: Option<VasId>,
        object: &[u8; 32],
    ) -> Option<GraftId> {
        let alike = |graft: &Graft| {
            graft.name == name && graft.scope.vas() == vas && graft.object == *object
        };
        let attached = self
            .grafts
            .iter()
            .position(|it| it.as_deref().is_some_and(alike));
        attached.map(|number| GraftId(u32::try_from(number).expect("numbers are 32 bits")))
    }

    /// Attaches a loaded graft to a point that nobody holds.
    pub(crate) fn attach(&mut self, name: String, point: Point, loaded: LoadedGraft) -> GraftId {
        let id = u32::try_from(self.grafts.len()).expect("fewer grafts than frames");
        let id = GraftId(id);
        let LoadedGraft {
            instance,
            scope,
            object,
            entry,
        } = loaded;
        self.hold(point, scope.vas(), id);
        let mut entries = [None; POINTS_COUNT];
        entries[point as usize] = Some(entry);
        self.grafts.push(Some(Box::new(Graft {
            name,
            scope,
            instance,
            object,
            entries,
        })));
        id
    }

    /// Attaches a graft to a further point that nobody holds; `None` if it does not define it.
    pub(crate) fn attach_further(&mut self, id: GraftId, point: Point, symbol: &str) -> Option<()> {
        let graft = self.grafts.get_mut(id.index())?.as_deref_mut()?;
        let entry = graft.instance.entry(symbol)?;
        graft.entries[point as usize] = Some(entry);
        let vas = graft.scope.vas();
        self.hold(point, vas, id);
        Some(())
    }

    fn hold(&mut self, point: Point, vas: Option<VasId>, id: GraftId) {
        let previous = self.slot(point, vas).replace(id);
        assert!(previous.is_none(), "the caller found the point free");
    }

    /// Detaches a graft from all of its points and takes it out.
    pub(crate) fn remove(&mut self, id: GraftId) -> Option<Box<Graft>> {
        let graft = self.grafts.get_mut(id.index())?.take()?;
        for point in graft.points() {
            *self.slot(point, graft.scope.vas()) = None;
        }
        Some(graft)
    }

    pub(crate) fn get(&self, id: GraftId) -> Option<&Graft> {
        self.grafts.get(id.index())?.as_deref()
    }

    /// Takes a graft out to run it; it keeps its points.
    #[inline]
    pub(crate) fn take(&mut self, id: GraftId) -> Option<Box<Graft>> {
        self.grafts.get_mut(id.index())?.take()
    }

    /// Gives back a graft that has run.
    #[inline]
    pub(crate) fn give_back(&mut self, id: GraftId, graft: Box<Graft>) {
        self.grafts[id.index()] = Some(graft);
    }

    /// The graft that chooses an address space's victims.
    #[inline]
    pub(crate) fn pick_victim(&self, vas: VasId) -> Option<GraftId> {
        self.pick_victim[vas.index()]
    }

    pub(crate) fn stop_pageout(&self) -> Option<GraftId> {
        self.stop_pageout
    }

    pub(crate) fn awake_pagedaemon(&self) -> Option<GraftId> {
        self.awake_pagedaemon
    }

    pub(crate) fn swap_pageout_order(&self) -> Option<GraftId> {
        self.swap_pageout_order
    }
}
