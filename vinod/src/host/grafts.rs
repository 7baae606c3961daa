//! Grafts: verified and attached, listed, detached.

use sim_core::{
    config::KERNEL_PROCESS,
    graft::{GraftRejected, GraftReport, POINTS, PointInfo, Privilege, inspect_graft},
};

use super::{GRAFTS_MAX, Host, HostError, KNOWN_NAMES_MAX, check_name, now_ms};
use crate::store::{
    Catalog, Digest, GraftKey, GraftRecord, GraftState, KernelRecord, KernelSettings, Record,
    RequestRecord,
};

/// A graft to load: where, under which name, and the whole object.
#[derive(Clone, Debug)]
pub(crate) struct LoadGraft {
    /// The kernel.
    pub(crate) kernel: String,
    /// The process; may be empty if only one is possible.
    pub(crate) process: String,
    /// The graft point.
    pub(crate) point: String,
    /// The name; may be empty.
    pub(crate) name: String,
    /// The object file.
    pub(crate) object: Vec<u8>,
    /// The client's identifier of the request; may be empty.
    pub(crate) request_id: String,
}

/// Looks a graft point up.
///
/// # Errors
///
/// Fails if there is none of that name.
pub(crate) fn find_point(name: &str) -> Result<&'static PointInfo, HostError> {
    let found = POINTS.iter().find(|point| point.name == name);
    found.ok_or_else(|| HostError::NotFound {
        noun: "graft point",
        name: name.to_owned(),
        known: POINTS.iter().map(|point| point.name.to_owned()).collect(),
    })
}

impl Host {
    /// Verifies a graft and attaches it.
    ///
    /// # Errors
    ///
    /// Fails if a name is unknown, the point is taken, or the object is no acceptable graft.
    pub(crate) fn load_graft(&self, load: LoadGraft) -> Result<GraftRecord, HostError> {
        let kernel = self.kernel(&load.kernel)?;
        let point = find_point(&load.point)?;
        let process = choose_process(&kernel, point, &load.process)?;
        let object = Digest::of(&load.object);
        let name = match load.name.as_str() {
            "" => format!("graft-{}", &object.as_str()[..12]),
            name => name.to_owned(),
        };
        check_name("name", &name)?;
        let asked = format!("{}/{process}/{}/{name}/{object}", load.kernel, load.point);
        let asked = Digest::of(asked.as_bytes());
        if let Some(graft) = self.loaded_already(&load.request_id, &asked)? {
            return Ok(graft);
        }
        self.check_vacancy(&kernel.name, &process, point.name, &name)?;
        let (report, read_protected) = inspect(&load.object, point.name, &kernel.settings)?;

        let graft = GraftRecord {
            kernel: kernel.name,
            name,
            process,
            point: point.name.to_owned(),
            state: GraftState::Loaded,
            object,
            size_bytes: load.object.len() as u64,
            text_bytes: report.text_bytes,
            read_protected,
            imports: report.imports.iter().map(ToString::to_string).collect(),
            created_ms: now_ms(),
            removal: None,
            request_id: load.request_id,
        };
        self.attach(graft, asked, &load.object)
    }

    /// Writes the object of a verified graft and its record.
    ///
    /// Both while nobody else may write: an object that no record names yet could be deleted
    /// together with the last run that used the same one.
    pub(super) fn attach(
        &self,
        graft: GraftRecord,
        asked: Digest,
        object: &[u8],
    ) -> Result<GraftRecord, HostError> {
        let mut batch = self.store.catalog().write()?;
        // While the object was verified, the kernel may have gone and the point been taken.
        self.kernel(&graft.kernel)?;
        self.check_vacancy(&graft.kernel, &graft.process, &graft.point, &graft.name)?;
        self.store.space().claim(object.len() as u64)?;
        self.store.blobs().write(object)?;
        if !graft.request_id.is_empty() {
            batch.put(&RequestRecord {
                request_id: graft.request_id.clone(),
                asked,
                created: graft.key(),
            })?;
        }
        batch.put(&graft)?;
        batch.claim_space()?;
        batch.commit()?;
        Ok(graft)
    }

    fn loaded_already(
        &self,
        request_id: &str,
        asked: &Digest,
    ) -> Result<Option<GraftRecord>, HostError> {
        let catalog = self.store.catalog();
        match created_by(catalog, request_id, asked)? {
            Some(key) => Ok(catalog.get(&key)?),
            None => Ok(None),
        }
    }

    /// Checks that neither the point nor the name is taken.
    fn check_vacancy(
        &self,
        kernel: &str,
        process: &str,
        point: &str,
        name: &str,
    ) -> Result<(), HostError> {
        let grafts = self.collect_grafts(kernel)?;
        if grafts.len() >= GRAFTS_MAX {
            return Err(HostError::Limit {
                subject: "grafts",
                problem: format!(
                    "kernel {kernel:?} has had {GRAFTS_MAX} grafts, the most it keeps a record \
                     of: create another kernel"
                ),
            });
        }
        let loaded = |graft: &&GraftRecord| graft.state == GraftState::Loaded;
        for graft in grafts.iter().filter(loaded) {
            if graft.point == point && graft.process == process {
                return Err(HostError::PointBusy {
                    kernel: kernel.to_owned(),
                    point: point.to_owned(),
                    process: process.to_owned(),
                    holder: graft.name.clone(),
                });
            }
            if graft.name == name {
                return Err(HostError::Exists {
                    noun: GraftRecord::NOUN,
                    name: name.to_owned(),
                    remedy: format!("unload it with `vinoctl graft unload {name}`"),
                });
            }
        }
        Ok(())
    }

    /// Reads a graft.
    ///
    /// # Errors
    ///
    /// Fails if the kernel has none of that name.
    pub(crate) fn graft(&self, kernel: &str, name: &str) -> Result<GraftRecord, HostError> {
        self.kernel(kernel)?;
        let found = self.store.catalog().get(&GraftKey::of(kernel, name))?;
        match found {
            Some(graft) => Ok(graft),
            None => {
                let known = self.collect_grafts(kernel)?.into_iter();
                Err(HostError::NotFound {
                    noun: GraftRecord::NOUN,
                    name: name.to_owned(),
                    known: known
                        .map(|graft| graft.name)
                        .take(KNOWN_NAMES_MAX)
                        .collect(),
                })
            }
        }
    }

    /// Lists the grafts of a kernel, or of all, after one of them.
    ///
    /// # Errors
    ///
    /// Fails if there is no such kernel.
    pub(crate) fn grafts(
        &self,
        kernel: Option<&str>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<GraftRecord>, HostError> {
        let prefix = match kernel {
            Some(kernel) => GraftKey::of_kernel(&self.kernel(kernel)?.name),
            None => Vec::new(),
        };
        Ok(self.store.catalog().scan(&prefix, after, limit)?)
    }

    /// Detaches a loaded graft; runs that have started keep it.
    ///
    /// # Errors
    ///
    /// Fails if there is no such graft, or it is not loaded.
    pub(crate) fn unload_graft(&self, kernel: &str, name: &str) -> Result<GraftRecord, HostError> {
        let mut batch = self.store.catalog().write()?;
        let mut graft = self.graft(kernel, name)?;
        if graft.state != GraftState::Loaded {
            let how = match graft.state {
                GraftState::Removed => "removed by the kernel, because it misbehaved",
                _ => "unloaded",
            };
            return Err(HostError::WrongState {
                reason: "GRAFT_NOT_LOADED",
                problem: format!("graft {name:?} is not loaded: it was {how}"),
            });
        }
        graft.state = GraftState::Unloaded;
        batch.put(&graft)?;
        batch.commit()?;
        Ok(graft)
    }
}

/// What an earlier request with the same identifier created; `None` if there was none.
pub(super) fn created_by(
    catalog: &Catalog,
    request_id: &str,
    asked: &Digest,
) -> Result<Option<Vec<u8>>, HostError> {
    if request_id.is_empty() {
        return Ok(None);
    }
    if request_id.len() > super::NAME_BYTES_MAX {
        return Err(HostError::Invalid {
            field: "request_id",
            problem: format!(
                "request_id of {} bytes: it has at most {}",
                request_id.len(),
                super::NAME_BYTES_MAX
            ),
        });
    }
    match catalog.get::<RequestRecord>(request_id.as_bytes())? {
        None => Ok(None),
        Some(request) if request.asked == *asked => Ok(Some(request.created)),
        Some(_) => Err(HostError::WrongState {
            reason: "REQUEST_ID_REUSED",
            problem: format!(
                "request_id {request_id:?} was used for another request: use a new one"
            ),
        }),
    }
}

/// The process that a graft serves: the named one, or the only possible one.
fn choose_process(
    kernel: &KernelRecord,
    point: &PointInfo,
    named: &str,
) -> Result<String, HostError> {
    if point.privilege == Privilege::Kernel {
        if named.is_empty() || named == KERNEL_PROCESS {
            return Ok(KERNEL_PROCESS.to_owned());
        }
        return Err(HostError::Invalid {
            field: "process",
            problem: format!(
                "{} affects every process: load it for {KERNEL_PROCESS:?}, not for {named:?}",
                point.name
            ),
        });
    }
    let processes = &kernel.settings.processes;
    match (named, processes.as_slice()) {
        ("", [only]) => Ok(only.clone()),
        ("", _) => Err(HostError::Invalid {
            field: "process",
            problem: format!(
                "which process? kernel {:?} has {}",
                kernel.name,
                processes.join(", ")
            ),
        }),
        (named, _) if processes.iter().any(|process| process == named) => Ok(named.to_owned()),
        (named, _) => Err(HostError::NotFound {
            noun: "process",
            name: named.to_owned(),
            known: processes.iter().take(KNOWN_NAMES_MAX).cloned().collect(),
        }),
    }
}

/// Verifies an object as the kernel demands, and says whether it is protected against reading.
fn inspect(
    object: &[u8],
    point: &str,
    settings: &KernelSettings,
) -> Result<(GraftReport, bool), HostError> {
    match inspect_graft(object, Some(point), true) {
        Ok(report) => Ok((report, true)),
        Err(GraftRejected::Verify(_)) if !settings.read_protection => {
            let report = inspect_graft(object, Some(point), false);
            Ok((report.map_err(HostError::Rejected)?, false))
        }
        Err(rejected) => Err(HostError::Rejected(rejected)),
    }
}
