//! Attaching and removing grafts.
use super::Kernel;
use crate::config::KERNEL_PROCESS;
use crate::event::{Event, RemovalReason};
use crate::graft::registry::{GraftLoadError, Registry, load};
use crate::graft::{GraftRejected, Point, Privilege, find_symbol, nearest_point};
use crate::ids::{GraftId, VasId};
use crate::run::{GraftSpec, RunError};

impl Kernel {
    /// The address space of the process with that name.
    pub(crate) fn vas_of(&self, process: &str) -> Result<VasId, RunError> {
        let processes = self.config.processes.iter();
        let found = (0..)
            .zip(processes.clone())
            .find(|(_, it)| it.name == process);
        let unknown = || RunError::UnknownProcess {
            process: process.to_owned(),
            known: processes.map(|it| it.name.clone()).collect(),
        };
        found.map(|(number, _)| VasId(number)).ok_or_else(unknown)
    }

    /// For which address space a graft is to be attached; `None` is the whole kernel.
    fn scope_of(&self, spec: &GraftSpec, point: Point) -> Result<Option<VasId>, RunError> {
        let global = spec.process == KERNEL_PROCESS;
        let wrong = |wanted| RunError::WrongScope {
            graft: spec.name.clone(),
            point: point.info().name,
            wanted,
            process: spec.process.clone(),
        };
        match (Registry::privilege(point), global) {
            (Privilege::Kernel, true) => Ok(None),
            (Privilege::Kernel, false) => Err(wrong("the kernel")),
            (Privilege::Process, true) => Err(wrong("one process")),
            (Privilege::Process, false) => self.vas_of(&spec.process).map(Some),
        }
    }

    pub(super) fn attach(&mut self, spec: &GraftSpec) -> Result<GraftId, RunError> {
        let point = Point::from_name(&spec.point).ok_or_else(|| RunError::UnknownPoint {
            graft: spec.name.clone(),
            point: spec.point.clone(),
            nearest: nearest_point(&spec.point),
        })?;
        let vas = self.scope_of(spec, point)?;
        if let Some(holder) = self.grafts.holder(point, vas) {
            return Err(RunError::PointTaken {
                point: point.info().name,
                process: spec.process.clone(),
                holder: holder.name.clone(),
            });
        }
        let object = *blake3::hash(&spec.object).as_bytes();
        let graft = match self.grafts.sibling(&spec.name, vas, &object) {
            Some(sibling) => self.attach_further(spec, sibling, point)?,
            None => self.attach_new(spec, point, vas)?,
        };
        if let Some(vas) = vas {
            self.vm.prepare_overrides(vas);
        }
        self.log.write(&Event::GraftAttached {
            graft,
            name: spec.name.clone(),
            point,
            vas,
            object,
        });
        Ok(graft)
    }

    /// Gives a graft a sandbox of its own.
    fn attach_new(
        &mut self,
        spec: &GraftSpec,
        point: Point,
        vas: Option<VasId>,
    ) -> Result<GraftId, RunError> {
        let view = vas.map(|vas| self.vm.vas(vas).view().region().clone());
        let loaded = load(
            &self.engine,
            &self.config,
            &spec.object,
            point,
            vas.zip(view),
            spec.base_hint,
        );
        let loaded = loaded.map_err(|error| match error {
            GraftLoadError::Rejected(reason) => rejected(spec, reason),
            GraftLoadError::Exec(error) => RunError::Resources {
                what: format!("the sandbox of graft {:?}", spec.name),
                problem: error.to_string(),
            },
        })?;
        Ok(self.grafts.attach(spec.name.clone(), point, loaded))
    }

    /// Lets the same object serve a further point in the sandbox it has, sharing its state.
    fn attach_further(
        &mut self,
        spec: &GraftSpec,
        sibling: GraftId,
        point: Point,
    ) -> Result<GraftId, RunError> {
        let symbol = find_symbol(&spec.object, point).map_err(|reason| rejected(spec, reason))?;
        let attached = self.grafts.attach_further(sibling, point, &symbol);
        attached.expect("the sibling was made from this very object");
        Ok(sibling)
    }

    /// Removes a graft at its owner's wish; one that is gone already stays gone.
    pub(super) fn unload(&mut self, graft: GraftId) {
        self.remove(graft, RemovalReason::Unloaded, None);
    }
}

fn rejected(spec: &GraftSpec, reason: GraftRejected) -> RunError {
    RunError::Rejected {
        graft: spec.name.clone(),
        reason,
    }
}
