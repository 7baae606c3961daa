//! Attaching and removing grafts.
use super::Kernel;
use crate::config::KERNEL_PROCESS;
use crate::event::{Event, RemovalReason};
use crate::graft::registry::{GraftLoadError, Registry, load};
use crate::graft::{Point, Privilege, nearest_point};
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
            GraftLoadError::Rejected(reason) => RunError::Rejected {
                graft: spec.name.clone(),
                reason,
            },
            GraftLoadError::Exec(error) => RunError::Resources {
                what: format!("the sandbox of graft {:?}", spec.name),
                problem: error.to_string(),
            },
        })?;
        if let Some(vas) = vas {
            self.vm.prepare_overrides(vas);
        }
        let graft = self.grafts.attach(spec.name.clone(), point, loaded);
        self.log.write(&Event::GraftAttached {
            graft,
            name: spec.name.clone(),
            point,
            vas,
            object: *blake3::hash(&spec.object).as_bytes(),
        });
        Ok(graft)
    }

    /// Removes a graft at its owner's wish; one that is gone already stays gone.
    pub(super) fn unload(&mut self, graft: GraftId) {
        self.remove(graft, RemovalReason::Unloaded, None);
    }
}
