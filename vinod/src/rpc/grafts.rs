//! `vino.v1.Grafts`.

use tonic::{Request, Response, Status, Streaming, async_trait};
use vino_proto::v1::{
    GetGraftRequest, Graft, ListGraftsRequest, ListGraftsResponse, LoadGraftRequest,
    UnloadGraftRequest, grafts_server::Grafts, load_graft_request::Part,
};

use super::{
    Rpc, convert,
    page::Page,
    upload::{Announced, out_of_order},
};
use crate::{
    host::LoadGraft,
    store::{Digest, GraftRecord, Record as _},
};

impl Rpc {
    /// Receives a whole object, which fits in memory.
    async fn receive_graft(
        &self,
        mut stream: Streaming<LoadGraftRequest>,
    ) -> Result<LoadGraft, Status> {
        let first = stream.message().await?.and_then(|message| message.part);
        let Some(Part::Metadata(metadata)) = first else {
            return Err(out_of_order());
        };
        let bytes_max = self.limits.object_bytes_max;
        let announced = Announced::new(metadata.size_bytes, &metadata.sha256, bytes_max)?;
        let mut object = Vec::new();
        while let Some(message) = stream.message().await? {
            let Some(Part::Chunk(piece)) = message.part else {
                return Err(out_of_order());
            };
            announced.check_length((object.len() + piece.len()) as u64)?;
            object.extend(piece);
        }
        announced.check_whole(object.len() as u64, &Digest::of(&object))?;
        Ok(LoadGraft {
            kernel: metadata.kernel,
            process: metadata.process,
            point: metadata.point,
            name: metadata.name,
            object,
            request_id: metadata.request_id,
        })
    }
}

#[async_trait]
impl Grafts for Rpc {
    async fn load_graft(
        &self,
        request: Request<Streaming<LoadGraftRequest>>,
    ) -> Result<Response<Graft>, Status> {
        let load = self.receive_graft(request.into_inner()).await?;
        self.ask_in_turn(&self.graft_checks, move |host| {
            host.load_graft(load).map(convert::graft)
        })
        .await
    }

    async fn get_graft(
        &self,
        request: Request<GetGraftRequest>,
    ) -> Result<Response<Graft>, Status> {
        let GetGraftRequest { kernel, name } = request.into_inner();
        self.ask(move |host| host.graft(&kernel, &name).map(convert::graft))
            .await
    }

    async fn list_grafts(
        &self,
        request: Request<ListGraftsRequest>,
    ) -> Result<Response<ListGraftsResponse>, Status> {
        let request = request.into_inner();
        let page = Page::new(request.page_size, &request.page_token)?;
        self.ask(move |host| {
            let kernel = Some(request.kernel.as_str()).filter(|kernel| !kernel.is_empty());
            let mut grafts = host.grafts(kernel, page.after.as_deref(), page.limit())?;
            let next_page_token = page.cut(&mut grafts, GraftRecord::key);
            Ok(ListGraftsResponse {
                grafts: grafts.into_iter().map(convert::graft).collect(),
                next_page_token,
            })
        })
        .await
    }

    async fn unload_graft(
        &self,
        request: Request<UnloadGraftRequest>,
    ) -> Result<Response<Graft>, Status> {
        let UnloadGraftRequest { kernel, name } = request.into_inner();
        self.ask(move |host| host.unload_graft(&kernel, &name).map(convert::graft))
            .await
    }
}
