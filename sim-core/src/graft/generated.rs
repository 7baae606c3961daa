//! Interim graft points, until stubgen writes this file.
// @generated

/// A graft point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// pm_mgr::stop_pageout
    PmMgrStopPageout,
    /// pm_mgr::awake_pagedaemon
    PmMgrAwakePagedaemon,
    /// pm_mgr::swap_pageout_order
    PmMgrSwapPageoutOrder,
    /// vas_o::pick_victim
    VasPickVictim,
}

impl Point {
    /// All points.
    pub const ALL: [Point; 4] = [
        Point::PmMgrStopPageout,
        Point::PmMgrAwakePagedaemon,
        Point::PmMgrSwapPageoutOrder,
        Point::VasPickVictim,
    ];

    /// The point with the given name.
    pub fn from_name(name: &str) -> Option<Point> {
        Point::ALL.into_iter().find(|point| point.name() == name)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Point::PmMgrStopPageout => "pm_mgr::stop_pageout",
            Point::PmMgrAwakePagedaemon => "pm_mgr::awake_pagedaemon",
            Point::PmMgrSwapPageoutOrder => "pm_mgr::swap_pageout_order",
            Point::VasPickVictim => "vas_o::pick_victim",
        }
    }
}

/// A graft-callable function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Callable {}
