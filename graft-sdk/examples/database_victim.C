// Page eviction by somebody who knows the database.
//
// What its author knows, and the clock cannot know:
//
//   * Now and then the database reads a whole table, page after page in file order, and the table
//     is larger than memory. A page that such a scan has just read is the page it will need last,
//     so it is the best victim there is. The clock does the opposite: each scan pushes out all
//     that was in memory, and has itself nothing left to find when it comes round again.
//   * Between scans the database looks keys up. The pages of the index and of popular rows come
//     back within a few look-ups; most other pages that a look-up reads do not come back at all.
//     So a page that a look-up brought in gets a short time to prove itself.
//   * Pages from before the table in the file order are not the database's working set at all
//     (programs, catalogues, files read once), so while a scan runs they may go as the clock says.
//
// What is kept through all this, hot pages and as much of the table as fits, is found in memory by
// the next scan.
//
// A graft is not told about hits and faults, yet sees what it needs in the page list: the frame it
// gave up last time now holds the page that was missing, and `is_referenced` tells whether a page
// was used again. Each invocation looks at a handful of pages, however large memory is.
#include "graft-support.H"

namespace {

// How many pages a scan may skip, because they are in memory, and still be the same scan.
const uint64_t SCAN_GAP_PAGES_MAX = 64;
// After how many steps in a row we believe that a scan has begun.
const uint32_t SCAN_STEPS_MIN = 2;
// How many faults that do not fit a scan (inner pages of its B-tree) it survives.
const uint32_t SCAN_STRAYS_MAX = 8;
// How many look-ups a page has to be used again.
const uint32_t LOOKUPS_MAX = 16;

// A page, and the frame it was seen in.
struct resident {
    coremap_entry_o *entry;
    uint64_t vpn;

    void remember(coremap_entry_o *page) {
        entry = page;
        vpn = page->vpn();
    }
    // Whether the frame holds a page that we may answer.
    bool is_evictable() const {
        const page_state_t state = entry->get_pagestate();
        return state == PAGE_ACTIVE || state == PAGE_INACTIVE;
    }
    bool is_same_page() const { return entry->vpn() == vpn; }
};

// The scan under way, recognised by the order of faults.
struct scan {
    bool is_running;
    uint64_t first;
    uint64_t cursor;
    uint64_t last_fault;
    uint32_t steps;
    uint32_t strays;

    static bool follows(uint64_t vpn, uint64_t before) {
        return vpn - before - 1 < SCAN_GAP_PAGES_MAX;
    }

    // Takes note of a fault; tells whether it belongs to a scan.
    bool fault(uint64_t vpn) {
        bool belongs = is_running && follows(vpn, cursor);
        if (!belongs) {
            steps = follows(vpn, last_fault) ? steps + 1 : 0;
            belongs = steps >= SCAN_STEPS_MIN;
            if (belongs && (!is_running || vpn < first))
                first = last_fault;
        }
        last_fault = vpn;
        if (belongs) {
            is_running = true;
            cursor = vpn;
            strays = 0;
        } else if (++strays > SCAN_STRAYS_MAX) {
            is_running = false;
        }
        return belongs;
    }
};

// Pages that look-ups brought in, oldest first.
struct trial {
    resident pages[LOOKUPS_MAX + 1];
    uint32_t oldest;
    uint32_t n_pages;

    void begin(coremap_entry_o *page) {
        pages[(oldest + n_pages) % (LOOKUPS_MAX + 1)].remember(page);
        n_pages++;
    }

    // Ends the trials of all but the youngest `n_kept` pages, until one has failed.
    coremap_entry_o *find_unused(uint32_t n_kept) {
        while (n_pages > n_kept) {
            const resident &page = pages[oldest];
            oldest = (oldest + 1) % (LOOKUPS_MAX + 1);
            n_pages--;
            if (page.is_evictable() && page.is_same_page() && !page.entry->is_referenced())
                return page.entry;
        }
        return NULL;
    }
};

scan table;
trial lookups;
resident given_up;

}  // namespace

status_t vas_o::pick_victim(list_o<coremap_entry_o *> *, coremap_entry_o *proposed_victim,
                            coremap_entry_o **my_choice) {
    coremap_entry_o *victim = proposed_victim;

    // The frame that the last answer freed holds the page that was missing.
    coremap_entry_o *newcomer = given_up.entry;
    if (newcomer != NULL && given_up.is_evictable() && !given_up.is_same_page()) {
        const bool is_scanned = table.fault(newcomer->vpn());
        if (!is_scanned)
            lookups.begin(newcomer);
        coremap_entry_o *unused = lookups.find_unused(is_scanned ? 0 : LOOKUPS_MAX);
        if (unused != NULL)
            victim = unused;
        else if (is_scanned && !newcomer->is_referenced() && proposed_victim->vpn() >= table.first)
            victim = newcomer;
    }

    given_up.remember(victim);
    *my_choice = victim;
    return SUCCESS;
}
