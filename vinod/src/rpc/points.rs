//! `vino.v1.Points`: the graftable surface, as the interface compiler generated it.

use sim_core::graft::{
    ArgumentInfo, Bound, CALLABLES, CallableInfo, Direction, POINTS, PointInfo, Privilege, Shape,
};
use tonic::{Request, Response, Status, async_trait};
use vino_proto::v1::{
    self, GetPointRequest, ListCallablesRequest, ListCallablesResponse, ListPointsRequest,
    ListPointsResponse, points_server::Points,
};

use super::{Rpc, page::Page, status};
use crate::host::find_point;

#[async_trait]
impl Points for Rpc {
    async fn get_point(
        &self,
        request: Request<GetPointRequest>,
    ) -> Result<Response<v1::Point>, Status> {
        let found = find_point(&request.into_inner().name).map_err(status::from_host)?;
        Ok(Response::new(point(found)))
    }

    async fn list_points(
        &self,
        request: Request<ListPointsRequest>,
    ) -> Result<Response<ListPointsResponse>, Status> {
        let request = request.into_inner();
        let page = Page::new(request.page_size, &request.page_token)?;
        let (points, next_page_token) = cut(POINTS, &page, |point| point.name);
        Ok(Response::new(ListPointsResponse {
            points: points.into_iter().map(point).collect(),
            next_page_token,
        }))
    }

    async fn list_callables(
        &self,
        request: Request<ListCallablesRequest>,
    ) -> Result<Response<ListCallablesResponse>, Status> {
        let request = request.into_inner();
        let page = Page::new(request.page_size, &request.page_token)?;
        let (callables, next_page_token) = cut(CALLABLES, &page, |callable| callable.name);
        Ok(Response::new(ListCallablesResponse {
            callables: callables.into_iter().map(callable).collect(),
            next_page_token,
        }))
    }
}

/// The items of a page of a table that is in memory.
fn cut<'a, T>(
    table: &'a [T],
    page: &Page,
    name: impl Fn(&T) -> &'static str,
) -> (Vec<&'a T>, String) {
    let key = |item: &&T| name(item).as_bytes().to_vec();
    let start = match &page.after {
        None => 0,
        Some(after) => {
            let last = table
                .iter()
                .position(|item| name(item).as_bytes() == *after);
            last.map_or(table.len(), |last| last + 1)
        }
    };
    let mut items: Vec<&T> = table[start..].iter().take(page.limit()).collect();
    let next = page.cut(&mut items, key);
    (items, next)
}

fn point(info: &PointInfo) -> v1::Point {
    let privilege = match info.privilege {
        Privilege::Process => v1::Privilege::Process,
        Privilege::Kernel => v1::Privilege::Kernel,
    };
    v1::Point {
        name: info.name.to_owned(),
        class: info.class.to_owned(),
        function: info.function.to_owned(),
        privilege: privilege.into(),
        arguments: arguments(info.arguments),
        summary: info.summary.to_owned(),
        threat: info.threat.to_owned(),
        defence: info.defence.to_owned(),
        invariant: info.invariant.to_owned(),
        default_behaviour: info.default.to_owned(),
    }
}

fn callable(info: &CallableInfo) -> v1::Callable {
    v1::Callable {
        name: info.name.to_owned(),
        class: info.class.to_owned(),
        function: info.function.to_owned(),
        arguments: arguments(info.arguments),
        returns: info.returns.to_owned(),
        summary: info.summary.to_owned(),
    }
}

fn arguments(arguments: &[ArgumentInfo]) -> Vec<v1::Argument> {
    let argument = |info: &ArgumentInfo| v1::Argument {
        name: info.name.to_owned(),
        c_type: info.c_type.to_owned(),
        direction: match info.direction {
            Direction::In => v1::Direction::In,
            Direction::Out => v1::Direction::Out,
            Direction::InOut => v1::Direction::Inout,
        }
        .into(),
        shape: match info.shape {
            Shape::Scalar => "SCALAR".to_owned(),
            Shape::Object => "OBJECT".to_owned(),
            Shape::Ptr => "PTR".to_owned(),
            Shape::String => "STRING".to_owned(),
            Shape::Array(Bound::Elements(count)) => format!("ARRAY({count})"),
            Shape::Array(Bound::Argument(index)) => {
                let bound = arguments.get(index).map_or("?", |bound| bound.name);
                format!("ARRAY({bound})")
            }
        },
    };
    arguments.iter().map(argument).collect()
}
