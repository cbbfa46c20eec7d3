//! Embeds the built web page, if there is one.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let web = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web");
    let dist = web.join("dist");
    let mut files = Vec::new();
    if dist.is_dir() {
        collect(&dist, &dist, &mut files)?;
        println!("cargo:rerun-if-changed={}", dist.display());
    } else {
        // A path that does not exist would make every build a rebuild.
        println!("cargo:rerun-if-changed={}", web.display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    files.sort();
    let mut list = fs::File::create(out.join("page.rs"))?;
    writeln!(list, "&[")?;
    for (number, (name, path)) in files.into_iter().enumerate() {
        // A copy of our own: the page may be built anew before the compiler comes to read it.
        let copy = out.join(format!("page-{number}"));
        fs::copy(path, &copy)?;
        let mime = media_type(&name);
        writeln!(list, "File {{ name: {name:?}, media_type: {mime:?}, bytes: include_bytes!({copy:?}) }},")?;
    }
    writeln!(list, "]")
}

/// Adds every file under a folder: its name from `root` with slashes, and its path.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            files.push((name.replace('\\', "/"), path.clone()));
        }
    }
    Ok(())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
