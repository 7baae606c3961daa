//! `vino.v1.Traces`.

use tonic::{Request, Response, Status, Streaming, async_trait};
use vino_proto::v1::{
    DeleteTraceRequest, DeleteTraceResponse, GetOptimumRequest, GetOptimumResponse,
    GetTraceRequest, ImportTraceRequest, ListTracesRequest, ListTracesResponse, Trace,
    import_trace_request::Part, traces_server::Traces,
};

use super::{
    Rpc, convert,
    page::Page,
    upload::{Announced, out_of_order},
};
use crate::{
    host::ImportTrace,
    store::{Record as _, TraceRecord},
};

impl Rpc {
    /// Receives a whole file on disk.
    async fn receive_trace(
        &self,
        mut stream: Streaming<ImportTraceRequest>,
    ) -> Result<ImportTrace, Status> {
        let first = stream.message().await?.and_then(|message| message.part);
        let Some(Part::Metadata(metadata)) = first else {
            return Err(out_of_order());
        };
        let size_bytes = metadata.size_bytes;
        let bytes_max = self.limits.upload_bytes_max;
        let announced = Announced::new(size_bytes, &metadata.sha256, bytes_max)?;
        let mut file = self
            .blocking(move |host| {
                host.store().space().check(size_bytes)?;
                Ok(host.store().blobs().create()?)
            })
            .await?;
        while let Some(message) = stream.message().await? {
            let Some(Part::Chunk(piece)) = message.part else {
                return Err(out_of_order());
            };
            announced.check_length(file.bytes() + piece.len() as u64)?;
            file = self
                .blocking(move |_| {
                    file.append(&piece)?;
                    Ok(file)
                })
                .await?;
        }
        announced.check_whole(file.bytes(), &file.digest())?;
        Ok(ImportTrace {
            kind: convert::trace_kind(metadata.format()),
            name: metadata.name,
            file_name: metadata.file_name,
            file,
        })
    }
}

#[async_trait]
impl Traces for Rpc {
    async fn import_trace(
        &self,
        request: Request<Streaming<ImportTraceRequest>>,
    ) -> Result<Response<Trace>, Status> {
        let import = self.receive_trace(request.into_inner()).await?;
        self.ask_in_turn(&self.trace_work, move |host| {
            host.import_trace(import).map(convert::trace)
        })
        .await
    }

    async fn get_trace(
        &self,
        request: Request<GetTraceRequest>,
    ) -> Result<Response<Trace>, Status> {
        let name = request.into_inner().name;
        self.ask(move |host| host.trace(&name).map(convert::trace))
            .await
    }

    async fn list_traces(
        &self,
        request: Request<ListTracesRequest>,
    ) -> Result<Response<ListTracesResponse>, Status> {
        let request = request.into_inner();
        let page = Page::new(request.page_size, &request.page_token)?;
        self.ask(move |host| {
            let mut traces = host.traces(page.after.as_deref(), page.limit())?;
            let next_page_token = page.cut(&mut traces, TraceRecord::key);
            Ok(ListTracesResponse {
                traces: traces.into_iter().map(convert::trace).collect(),
                next_page_token,
            })
        })
        .await
    }

    async fn delete_trace(
        &self,
        request: Request<DeleteTraceRequest>,
    ) -> Result<Response<DeleteTraceResponse>, Status> {
        let name = request.into_inner().name;
        self.ask(move |host| host.delete_trace(&name).map(|()| DeleteTraceResponse {}))
            .await
    }

    async fn get_optimum(
        &self,
        request: Request<GetOptimumRequest>,
    ) -> Result<Response<GetOptimumResponse>, Status> {
        let GetOptimumRequest { trace, frames } = request.into_inner();
        self.ask_in_turn(&self.trace_work, move |host| {
            let faults = host.optimum(&trace, frames)?;
            Ok(GetOptimumResponse { faults })
        })
        .await
    }
}
