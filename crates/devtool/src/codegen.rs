//! `codegen`: writes the committed DDL files of both systems and the pages of docs/ that are
//! made from the code, or tells which are out of date.
//!
//! It knows files only; what is in them is `ddl`'s and the crates' business.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::ddl;
use crate::system::{Server, System, workspace_root};

/// A generated file: where it lies and what it should hold.
struct Generated {
    path: PathBuf,
    text: String,
}

/// Writes every generated file that differs from what is there.
pub(crate) fn write() -> Result<()> {
    for file in out_of_date()? {
        std::fs::write(&file.path, &file.text)
            .with_context(|| format!("cannot write {}", file.path.display()))?;
        println!("wrote {}", shown(&file.path));
    }
    Ok(())
}

/// Names every generated file that is out of date on stdout and says whether there was none.
pub(crate) fn check() -> Result<bool> {
    let differing = out_of_date()?;
    for file in &differing {
        println!("{} is out of date", shown(&file.path));
    }
    if !differing.is_empty() {
        eprintln!("error: {} generated files are out of date", differing.len());
        eprintln!("hint: run `cargo xtask codegen`");
    }
    Ok(differing.is_empty())
}

fn out_of_date() -> Result<Vec<Generated>> {
    let pages = [
        ("type-mapping.md", baseline::type_mapping_document()),
        ("rules.md", transform::rules_document()),
    ];
    let mut files: Vec<Generated> = pages
        .into_iter()
        .map(|(name, text)| Generated {
            path: workspace_root().join("docs").join(name),
            text,
        })
        .collect();
    let path = workspace_root().join("docs/DataManagement.md");
    let page = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let page = with_block(&page, "source", &source::login_grants_document())?;
    let text = with_block(&page, "target", &target::role_grants_document())?;
    files.push(Generated { path, text });
    for system in System::ALL {
        for server in [Server::Mysql, Server::Mariadb, Server::Postgres] {
            let path = system.folder().join(server.ddl_file_name());
            let text = ddl::file_text(system, server)?;
            files.push(Generated { path, text });
        }
    }
    // A file that cannot be read is one that has to be written.
    files.retain(|file| std::fs::read_to_string(&file.path).ok().as_ref() != Some(&file.text));
    Ok(files)
}

/// A page whose block between `<!-- codegen: NAME -->` and `<!-- end -->` is this one.
fn with_block(page: &str, name: &str, block: &str) -> Result<String> {
    let begin = format!("<!-- codegen: {name} -->\n");
    let found = page
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once("<!-- end -->")?.1)));
    let (before, after) = found.with_context(|| format!("the page has no block `{name}`"))?;
    Ok(format!("{before}{begin}{block}<!-- end -->{after}"))
}

fn shown(path: &std::path::Path) -> String {
    path.strip_prefix(workspace_root())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_current() {
        let differing: Vec<PathBuf> = out_of_date()
            .unwrap()
            .into_iter()
            .map(|file| file.path)
            .collect();
        assert_eq!(
            differing,
            Vec::<PathBuf>::new(),
            "run `cargo xtask codegen`"
        );
    }
}
