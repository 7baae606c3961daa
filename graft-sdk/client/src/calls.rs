//! The calls with one answer; those that list return everything, page by page.

use std::{
    future::Future,
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use tonic::Code;
use vino_proto::v1::{
    CancelRunRequest, CreateKernelRequest, DeleteKernelRequest, DeleteRunRequest,
    DeleteTraceRequest, GetGraftRequest, GetKernelRequest, GetOptimumRequest, GetPointRequest,
    GetRunRequest, GetServerInfoRequest, GetTraceRequest, Graft, Kernel, KernelConfig,
    ListGraftsRequest, ListKernelsRequest, ListPointsRequest, ListRunsRequest, ListTracesRequest,
    Point, Run, RunSpec, ServerInfo, SubmitRunRequest, Trace, UnloadGraftRequest,
    grafts_client::GraftsClient, kernels_client::KernelsClient, points_client::PointsClient,
    runs_client::RunsClient, server_client::ServerClient, traces_client::TracesClient,
};

use crate::{CallError, Client};

/// Items asked for in one page.
const PAGE_ITEMS: u32 = 200;
/// Pages of one list, so that a daemon that never ends it is noticed.
const PAGES_MAX: u32 = 10_000;
/// How often a submission is sent when the connection breaks; its identifier makes that safe.
const SUBMIT_ATTEMPTS_MAX: u32 = 3;

/// Collects all pages of a list.
async fn collect_pages<T, F>(mut page: impl FnMut(String) -> F) -> Result<Vec<T>, CallError>
where
    F: Future<Output = Result<(Vec<T>, String), CallError>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    for _ in 0..PAGES_MAX {
        let (items, next) = page(token).await?;
        all.extend(items);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
    Err(CallError::local(
        Code::Internal,
        "vinod does not end the list: that is a defect of vinod",
    ))
}

/// An identifier that no other submission has.
fn unique_request_id() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!(
        "{}-{}-{}",
        process::id(),
        now.unwrap_or_default().as_nanos(),
        COUNTER.fetch_add(1, Ordering::Relaxed)
    )
}

macro_rules! unary {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident: $type:ty),*) -> $answer:ty =
            $service:ident.$method:ident($request:expr);
    )*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// Fails if the daemon refuses, or does not answer within the deadline.
                pub async fn $name(&self, $($arg: $type),*) -> Result<$answer, CallError> {
                    let mut service = $service::new(self.channel.clone());
                    let send = |request| async move { service.$method(request).await };
                    self.call($request, send).await
                }
            )*
        }
    };
}

unary! {
    /// Asks the daemon about itself.
    server_info() -> ServerInfo = ServerClient.get_server_info(GetServerInfoRequest {});
    /// Describes a graft point.
    point(name: &str) -> Point = PointsClient.get_point(GetPointRequest { name: name.to_owned() });
    /// Creates a kernel.
    create_kernel(name: &str, config: KernelConfig) -> Kernel =
        KernelsClient.create_kernel(CreateKernelRequest {
            name: name.to_owned(),
            config: Some(config),
        });
    /// Describes a kernel.
    kernel(name: &str) -> Kernel =
        KernelsClient.get_kernel(GetKernelRequest { name: name.to_owned() });
    /// Describes a graft.
    graft(kernel: &str, name: &str) -> Graft = GraftsClient.get_graft(GetGraftRequest {
        kernel: kernel.to_owned(),
        name: name.to_owned(),
    });
    /// Detaches a loaded graft.
    unload_graft(kernel: &str, name: &str) -> Graft =
        GraftsClient.unload_graft(UnloadGraftRequest {
            kernel: kernel.to_owned(),
            name: name.to_owned(),
        });
    /// Describes a trace.
    trace(name: &str) -> Trace = TracesClient.get_trace(GetTraceRequest { name: name.to_owned() });
    /// Describes a run.
    run(id: &str) -> Run = RunsClient.get_run(GetRunRequest { id: id.to_owned() });
    /// Stops a run that is not finished.
    cancel_run(id: &str) -> Run = RunsClient.cancel_run(CancelRunRequest { id: id.to_owned() });
}

impl Client {
    /// Deletes a kernel and its grafts; its runs are kept.
    ///
    /// # Errors
    ///
    /// Fails if there is no such kernel, or a run of it is not finished.
    pub async fn delete_kernel(&self, name: &str) -> Result<(), CallError> {
        let mut kernels = KernelsClient::new(self.channel.clone());
        let request = DeleteKernelRequest {
            name: name.to_owned(),
        };
        let send = |request| async move { kernels.delete_kernel(request).await };
        self.call(request, send).await.map(drop)
    }

    /// Deletes a trace that no stored run needs.
    ///
    /// # Errors
    ///
    /// Fails if there is no such trace, or a run needs it.
    pub async fn delete_trace(&self, name: &str) -> Result<(), CallError> {
        let mut traces = TracesClient::new(self.channel.clone());
        let request = DeleteTraceRequest {
            name: name.to_owned(),
        };
        let send = |request| async move { traces.delete_trace(request).await };
        self.call(request, send).await.map(drop)
    }

    /// Deletes a finished run and its logs.
    ///
    /// # Errors
    ///
    /// Fails if there is no such run, or it is not finished.
    pub async fn delete_run(&self, id: &str) -> Result<(), CallError> {
        let mut runs = RunsClient::new(self.channel.clone());
        let request = DeleteRunRequest { id: id.to_owned() };
        let send = |request| async move { runs.delete_run(request).await };
        self.call(request, send).await.map(drop)
    }

    /// Computes how many faults the optimal policy takes on a trace.
    ///
    /// # Errors
    ///
    /// Fails if there is no such trace, or no frame.
    pub async fn optimum(&self, trace: &str, frames: u32) -> Result<u64, CallError> {
        let mut traces = TracesClient::new(self.channel.clone());
        let request = GetOptimumRequest {
            trace: trace.to_owned(),
            frames,
        };
        let send = |request| async move { traces.get_optimum(request).await };
        Ok(self.call(request, send).await?.faults)
    }

    /// Queues a run; sent again if the connection breaks, and still executed once.
    ///
    /// # Errors
    ///
    /// Fails if the daemon refuses it.
    pub async fn submit_run(&self, spec: RunSpec) -> Result<Run, CallError> {
        let request = SubmitRunRequest {
            spec: Some(spec),
            request_id: unique_request_id(),
        };
        let mut attempts = 1;
        loop {
            let mut runs = RunsClient::new(self.channel.clone());
            let send = |request| async move { runs.submit_run(request).await };
            match self.call(request.clone(), send).await {
                Err(error) if error.is_connection_lost() && attempts < SUBMIT_ATTEMPTS_MAX => {
                    attempts += 1;
                }
                result => return result,
            }
        }
    }

    /// Lists the graft points.
    ///
    /// # Errors
    ///
    /// Fails if the daemon does not answer.
    pub async fn points(&self) -> Result<Vec<Point>, CallError> {
        collect_pages(|page_token| async {
            let mut points = PointsClient::new(self.channel.clone());
            let request = ListPointsRequest {
                page_size: PAGE_ITEMS,
                page_token,
            };
            let send = |request| async move { points.list_points(request).await };
            let page = self.call(request, send).await?;
            Ok((page.points, page.next_page_token))
        })
        .await
    }

    /// Lists the kernels.
    ///
    /// # Errors
    ///
    /// Fails if the daemon does not answer.
    pub async fn kernels(&self) -> Result<Vec<Kernel>, CallError> {
        collect_pages(|page_token| async {
            let mut kernels = KernelsClient::new(self.channel.clone());
            let request = ListKernelsRequest {
                page_size: PAGE_ITEMS,
                page_token,
            };
            let send = |request| async move { kernels.list_kernels(request).await };
            let page = self.call(request, send).await?;
            Ok((page.kernels, page.next_page_token))
        })
        .await
    }

    /// Lists the grafts of one kernel, or of all.
    ///
    /// # Errors
    ///
    /// Fails if there is no such kernel.
    pub async fn grafts(&self, kernel: Option<&str>) -> Result<Vec<Graft>, CallError> {
        collect_pages(|page_token| async {
            let mut grafts = GraftsClient::new(self.channel.clone());
            let request = ListGraftsRequest {
                kernel: kernel.unwrap_or_default().to_owned(),
                page_size: PAGE_ITEMS,
                page_token,
            };
            let send = |request| async move { grafts.list_grafts(request).await };
            let page = self.call(request, send).await?;
            Ok((page.grafts, page.next_page_token))
        })
        .await
    }

    /// Lists the traces.
    ///
    /// # Errors
    ///
    /// Fails if the daemon does not answer.
    pub async fn traces(&self) -> Result<Vec<Trace>, CallError> {
        collect_pages(|page_token| async {
            let mut traces = TracesClient::new(self.channel.clone());
            let request = ListTracesRequest {
                page_size: PAGE_ITEMS,
                page_token,
            };
            let send = |request| async move { traces.list_traces(request).await };
            let page = self.call(request, send).await?;
            Ok((page.traces, page.next_page_token))
        })
        .await
    }

    /// Lists the runs of one kernel, or of all, newest first.
    ///
    /// # Errors
    ///
    /// Fails if the daemon does not answer.
    pub async fn runs(&self, kernel: Option<&str>) -> Result<Vec<Run>, CallError> {
        collect_pages(|page_token| async {
            let mut runs = RunsClient::new(self.channel.clone());
            let request = ListRunsRequest {
                page_size: PAGE_ITEMS,
                page_token,
                kernel: kernel.unwrap_or_default().to_owned(),
                state: 0,
            };
            let send = |request| async move { runs.list_runs(request).await };
            let page = self.call(request, send).await?;
            Ok((page.runs, page.next_page_token))
        })
        .await
    }
}
