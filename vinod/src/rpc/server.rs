//! `vino.v1.Server`.

use tonic::{Request, Response, Status, async_trait};
use vino_proto::v1::{GetServerInfoRequest, ServerInfo, server_server::Server};

use super::{Rpc, convert};
use crate::store::SCHEMA_VERSION;

#[async_trait]
impl Server for Rpc {
    async fn get_server_info(
        &self,
        _request: Request<GetServerInfoRequest>,
    ) -> Result<Response<ServerInfo>, Status> {
        self.ask(|host| {
            Ok(ServerInfo {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                store_schema: SCHEMA_VERSION,
                boot_epoch: host.store().catalog().boot_epoch(),
                start_time: Some(convert::timestamp(host.started_ms())),
                store_bytes: host.store().space().scan()?,
                pid: std::process::id(),
            })
        })
        .await
    }
}
