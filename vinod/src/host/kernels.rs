//! Kernels: created, listed, deleted.

use std::sync::Arc;

use super::{
    GRAFTS_MAX, Host, HostError, KERNELS_MAX, KNOWN_NAMES_MAX, KernelDraft, check_name, lock,
    now_ms, settings::kernel_config, supervisor::Supervisor,
};
use crate::store::{GraftKey, GraftRecord, GraftState, KernelRecord, Record, RequestRecord};

impl Host {
    /// Creates a kernel, or returns the one that is exactly so already.
    ///
    /// # Errors
    ///
    /// Fails if no kernel can be built so, or the name is taken by another one.
    pub(crate) fn create_kernel(
        &self,
        name: &str,
        draft: KernelDraft,
    ) -> Result<KernelRecord, HostError> {
        check_name("name", name)?;
        let settings = draft.complete();
        kernel_config(&settings).validate()?;
        let catalog = self.store.catalog();
        let mut batch = catalog.write()?;
        if let Some(existing) = catalog.get::<KernelRecord>(name.as_bytes())? {
            if existing.settings == settings {
                return Ok(existing);
            }
            return Err(HostError::Exists {
                noun: KernelRecord::NOUN,
                name: name.to_owned(),
                remedy: format!("delete it with `vinoctl kernel delete {name}`"),
            });
        }
        if catalog.scan::<KernelRecord>(b"", None, KERNELS_MAX)?.len() >= KERNELS_MAX {
            return Err(HostError::Limit {
                subject: "kernels",
                problem: format!(
                    "there are {KERNELS_MAX} kernels, the most vinod hosts: delete one with \
                     `vinoctl kernel delete`"
                ),
            });
        }
        let kernel = KernelRecord {
            name: name.to_owned(),
            settings,
            created_ms: now_ms(),
            runs: 0,
        };
        batch.put(&kernel)?;
        batch.claim_space()?;
        batch.commit()?;
        Ok(kernel)
    }

    /// Reads a kernel.
    ///
    /// # Errors
    ///
    /// Fails if there is none of that name.
    pub(crate) fn kernel(&self, name: &str) -> Result<KernelRecord, HostError> {
        let catalog = self.store.catalog();
        match catalog.get(name.as_bytes())? {
            Some(kernel) => Ok(kernel),
            None => {
                let known = catalog.scan::<KernelRecord>(b"", None, KNOWN_NAMES_MAX)?;
                Err(HostError::NotFound {
                    noun: KernelRecord::NOUN,
                    name: name.to_owned(),
                    known: known.into_iter().map(|kernel| kernel.name).collect(),
                })
            }
        }
    }

    /// Lists kernels by name, after one of them.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub(crate) fn kernels(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KernelRecord>, HostError> {
        Ok(self.store.catalog().scan(b"", after, limit)?)
    }

    /// Counts the grafts that are attached to a kernel.
    ///
    /// # Errors
    ///
    /// Fails if the store does.
    pub(crate) fn count_loaded_grafts(&self, kernel: &str) -> Result<usize, HostError> {
        let grafts = self.collect_grafts(kernel)?;
        let loaded = |graft: &&GraftRecord| graft.state == GraftState::Loaded;
        Ok(grafts.iter().filter(loaded).count())
    }

    /// Deletes a kernel and the records of its grafts.
    ///
    /// # Errors
    ///
    /// Fails if there is none of that name, or a run of it is not finished.
    pub(crate) fn delete_kernel(&self, name: &str) -> Result<(), HostError> {
        self.kernel(name)?;
        let catalog = self.store.catalog();
        let mut batch = catalog.write()?;
        let mut supervisors = lock(&self.supervisors);
        if supervisors
            .get(name)
            .is_some_and(|kernel| kernel.pending() > 0)
        {
            return Err(HostError::WrongState {
                reason: "KERNEL_BUSY",
                problem: format!(
                    "kernel {name:?} has a run that is not finished: wait for it, or cancel it \
                     with `vinoctl run cancel`"
                ),
            });
        }
        let grafts = self.collect_grafts(name)?;
        for graft in &grafts {
            batch.delete::<GraftRecord>(&graft.key())?;
            batch.delete::<RequestRecord>(graft.request_id.as_bytes())?;
        }
        batch.delete::<KernelRecord>(name.as_bytes())?;
        let supervisor = supervisors.remove(name);
        batch.commit()?;
        drop(supervisors);
        for graft in grafts {
            self.release_blob(&graft.object)?;
        }
        if let Some(supervisor) = supervisor {
            supervisor.join();
        }
        Ok(())
    }

    /// The grafts of a kernel, those no longer attached included.
    pub(super) fn collect_grafts(&self, kernel: &str) -> Result<Vec<GraftRecord>, HostError> {
        let prefix = GraftKey::of_kernel(kernel);
        Ok(self.store.catalog().scan(&prefix, None, GRAFTS_MAX)?)
    }

    /// Does something with the supervisor of a kernel, which is started on first use.
    pub(super) fn with_supervisor<T>(
        self: &Arc<Host>,
        kernel: &str,
        act: impl FnOnce(&Supervisor) -> Result<T, HostError>,
    ) -> Result<T, HostError> {
        let mut supervisors = lock(&self.supervisors);
        if !supervisors.contains_key(kernel) {
            let supervisor = Supervisor::start(self, kernel)?;
            supervisors.insert(kernel.to_owned(), supervisor);
        }
        act(&supervisors[kernel])
    }
}
