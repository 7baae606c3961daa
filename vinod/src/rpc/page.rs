//! Pages of a list: `page_size`, and a token that says where the next one starts.

use tonic::Status;

use super::status;

/// Items of a page when the client does not say.
const PAGE_ITEMS_DEFAULT: usize = 50;
/// Most items of a page, whatever the client says.
const PAGE_ITEMS_MAX: usize = 500;

/// Where a page starts and how long it is.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) items: usize,
    /// Key of the last item of the previous page.
    pub(super) after: Option<Vec<u8>>,
}

impl Page {
    /// Reads the fields of a request.
    pub(super) fn new(page_size: u32, page_token: &str) -> Result<Page, Status> {
        let items = match page_size {
            0 => PAGE_ITEMS_DEFAULT,
            wanted => usize::try_from(wanted).map_or(PAGE_ITEMS_MAX, |n| n.min(PAGE_ITEMS_MAX)),
        };
        let after = match page_token {
            "" => None,
            token => Some(from_hex(token).ok_or_else(|| {
                let problem = "page_token: it is not the next_page_token of a response";
                status::invalid("page_token", problem)
            })?),
        };
        Ok(Page { items, after })
    }

    /// How many items to read: one more than fit, to learn whether there is a next page.
    pub(super) fn limit(&self) -> usize {
        self.items + 1
    }

    /// Cuts what was read to the page, and returns the token of the next one.
    pub(super) fn cut<T>(&self, items: &mut Vec<T>, key: impl Fn(&T) -> Vec<u8>) -> String {
        if items.len() <= self.items {
            return String::new();
        }
        items.truncate(self.items);
        items
            .last()
            .map_or_else(String::new, |last| to_hex(&key(last)))
    }
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_full_points_to_the_next_and_the_last_does_not() {
        let page = Page::new(2, "").expect("it is well-formed");
        let key = |item: &u8| vec![*item];
        let mut items = vec![1, 2, 255];
        let token = page.cut(&mut items, key);
        assert_eq!((items, token.as_str()), (vec![1, 2], "02"));
        let next = Page::new(2, &token).expect("it is well-formed");
        assert_eq!(next.after, Some(vec![2]));
        assert_eq!(next.cut(&mut vec![255], key), "");
    }

    #[test]
    fn a_forged_token_is_refused() {
        for token in ["x", "0", "0g", "ää"] {
            let status = Page::new(0, token).expect_err("it is not hexadecimal");
            assert!(status.message().starts_with("page_token"), "{token}");
        }
    }
}
