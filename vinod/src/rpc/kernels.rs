//! `vino.v1.Kernels`.

use tonic::{Request, Response, Status, async_trait};
use vino_proto::v1::{
    CreateKernelRequest, DeleteKernelRequest, DeleteKernelResponse, GetKernelRequest, Kernel,
    ListKernelsRequest, ListKernelsResponse, kernels_server::Kernels,
};

use super::{Rpc, convert, page::Page};
use crate::{
    host::{Host, HostError},
    store::{KernelRecord, Record as _},
};

/// A kernel's message, whose count of grafts needs another look-up.
fn describe(host: &Host, kernel: KernelRecord) -> Result<Kernel, HostError> {
    let grafts_loaded = host.count_loaded_grafts(&kernel.name)?;
    Ok(convert::kernel((kernel, grafts_loaded)))
}

#[async_trait]
impl Kernels for Rpc {
    async fn create_kernel(
        &self,
        request: Request<CreateKernelRequest>,
    ) -> Result<Response<Kernel>, Status> {
        let request = request.into_inner();
        let draft = convert::kernel_draft(request.config.unwrap_or_default())?;
        self.ask(move |host| describe(host, host.create_kernel(&request.name, draft)?))
            .await
    }

    async fn get_kernel(
        &self,
        request: Request<GetKernelRequest>,
    ) -> Result<Response<Kernel>, Status> {
        let name = request.into_inner().name;
        self.ask(move |host| describe(host, host.kernel(&name)?))
            .await
    }

    async fn list_kernels(
        &self,
        request: Request<ListKernelsRequest>,
    ) -> Result<Response<ListKernelsResponse>, Status> {
        let request = request.into_inner();
        let page = Page::new(request.page_size, &request.page_token)?;
        self.ask(move |host| {
            let mut kernels = host.kernels(page.after.as_deref(), page.limit())?;
            let next_page_token = page.cut(&mut kernels, KernelRecord::key);
            let kernels = kernels.into_iter().map(|kernel| describe(host, kernel));
            Ok(ListKernelsResponse {
                kernels: kernels.collect::<Result<_, _>>()?,
                next_page_token,
            })
        })
        .await
    }

    async fn delete_kernel(
        &self,
        request: Request<DeleteKernelRequest>,
    ) -> Result<Response<DeleteKernelResponse>, Status> {
        let name = request.into_inner().name;
        self.ask(move |host| host.delete_kernel(&name).map(|()| DeleteKernelResponse {}))
            .await
    }
}
