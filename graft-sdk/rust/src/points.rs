//! The graft points, each with the type of the function that serves it.

/// Names the graft point that a function serves, and exports it under the symbol of that point.
///
/// | point | function |
/// |---|---|
/// | `"vas_o::pick_victim"` | `for<'k> fn(&'k Vas, &'k List, &'k Page) -> Option<&'k Page>` |
/// | `"pm_mgr::swap_pageout_order"` | `fn(&mut [&Page])` |
/// | `"pm_mgr::stop_pageout"` | `fn(free_frames: u32, free_target: u32) -> bool` |
/// | `"pm_mgr::awake_pagedaemon"` | `fn(free_frames: u32, free_min: u32) -> bool` |
///
/// `None` of `pick_victim` is `ENOTFOUND`: the kernel evicts the page that it proposed.
#[macro_export]
macro_rules! graft {
    ("vas_o::pick_victim", $function:path) => {
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn vas_o__pick_victim(
                vas: &$crate::Vas,
                pages: &$crate::List,
                proposed: &$crate::Page,
                choice: &mut *const $crate::Page,
            ) -> i32 {
                let pick: for<'k> fn(
                    &'k $crate::Vas,
                    &'k $crate::List,
                    &'k $crate::Page,
                ) -> Option<&'k $crate::Page> = $function;
                match pick(vas, pages, proposed) {
                    Some(page) => {
                        *choice = page;
                        $crate::expansion::SUCCESS
                    }
                    None => $crate::expansion::ENOTFOUND,
                }
            }
        };
    };
    ("pm_mgr::swap_pageout_order", $function:path) => {
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn pm_mgr__swap_pageout_order(
                _manager: *const (),
                pages: *mut &$crate::Page,
                n_pages: u32,
            ) -> i32 {
                let order: fn(&mut [&$crate::Page]) = $function;
                // SAFETY: the kernel passes an array of so many pages, and no null among them.
                order(unsafe { core::slice::from_raw_parts_mut(pages, n_pages as usize) });
                $crate::expansion::SUCCESS
            }
        };
    };
    ("pm_mgr::stop_pageout", $function:path) => {
        $crate::graft!(@decision pm_mgr__stop_pageout, $function);
    };
    ("pm_mgr::awake_pagedaemon", $function:path) => {
        $crate::graft!(@decision pm_mgr__awake_pagedaemon, $function);
    };
    (@decision $symbol:ident, $function:path) => {
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn $symbol(
                _manager: *const (),
                free_frames: u32,
                bound: u32,
                decision: &mut u32,
            ) -> i32 {
                let decide: fn(u32, u32) -> bool = $function;
                *decision = u32::from(decide(free_frames, bound));
                $crate::expansion::SUCCESS
            }
        };
    };
    ($point:literal, $function:path) => {
        compile_error!(concat!(
            "there is no graft point ",
            stringify!($point),
            ": there are vas_o::pick_victim, pm_mgr::swap_pageout_order, pm_mgr::stop_pageout \
             and pm_mgr::awake_pagedaemon"
        ));
    };
}
