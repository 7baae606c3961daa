//! Writes seeds for libFuzzer: `seeds FOLDER` makes `FOLDER/objects` and `FOLDER/text`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "corpus".to_owned());
    let folder = Path::new(&folder);
    for kind in ["objects", "text"] {
        std::fs::create_dir_all(folder.join(kind))?;
    }
    for (index, object) in vino_sandbox_fuzz::objects().iter().enumerate() {
        let name = format!("{index:03}");
        std::fs::write(folder.join("objects").join(&name), object)?;
        let text = vino_sandbox_fuzz::text(object);
        std::fs::write(folder.join("text").join(&name), text)?;
    }
    Ok(())
}
