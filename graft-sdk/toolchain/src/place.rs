//! Where in a source a line of assembly comes from, by the compiler's `.file` and `.loc`.

/// A line of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
}

/// Finds the place that holds at a line of assembly, counted from 1.
pub(crate) fn place_of(assembly: &str, line: u32) -> Option<Place> {
    let mut current = None;
    for text in assembly.lines().take(usize::try_from(line).ok()?) {
        if let Some(arguments) = directive(text, ".loc") {
            let mut words = arguments.split_whitespace();
            let file: u32 = words.next()?.parse().ok()?;
            let line: u32 = words.next()?.parse().ok()?;
            // Line 0 is code that comes from no line.
            current = (line != 0).then_some((file, line)).or(current);
        }
    }
    let (file, line) = current?;
    let name = assembly.lines().find_map(|text| file_name(text, file))?;
    Some(Place { file: name, line })
}

/// The arguments of a directive, if the line is one of that name.
fn directive<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(name)?;
    rest.starts_with(char::is_whitespace).then(|| rest.trim())
}

/// The name in `.file N "folder" "name"` or `.file N "name"`.
fn file_name(line: &str, file: u32) -> Option<String> {
    let arguments = directive(line, ".file")?;
    let (number, names) = arguments.split_once(char::is_whitespace)?;
    if number.parse() != Ok(file) {
        return None;
    }
    // Between quotes at odd places; checksums may follow.
    let mut quoted = names.split('"').skip(1).step_by(2);
    let (first, second) = (quoted.next()?, quoted.next());
    Some(match second {
        Some(name) if name.starts_with('/') || first.is_empty() => name.to_owned(),
        Some(name) => format!("{first}/{name}"),
        None => first.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSEMBLY: &str = "\
\t.file\t\"a.c\"
\t.file 1 \"a.c\"
f:
\t.loc 1 3 5
\tnop
\t.loc 2 0 0
\tnop
\t.loc 2 9 1 is_stmt 0
\tnop
\t.file 2 \"/include\" \"b.h\" md5 0x12
";

    #[test]
    fn the_last_loc_before_a_line_tells_its_place() {
        let at = |line| place_of(ASSEMBLY, line).map(|place| (place.file, place.line));
        assert_eq!(at(3), None);
        assert_eq!(at(5), Some(("a.c".to_owned(), 3)));
        assert_eq!(at(7), Some(("a.c".to_owned(), 3)));
        assert_eq!(at(9), Some(("/include/b.h".to_owned(), 9)));
    }
}
