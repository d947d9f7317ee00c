//! What is below a run directory, and whose it is.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::*;
use crate::exit::BLOCKED;

/// A run with some files.
struct Run(tempfile::TempDir);

impl Run {
    fn new() -> Self {
        let run = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(run.path("shop/export")).unwrap();
        for directory in ["", "shop", "shop/export"] {
            run.set_mode(directory, 0o755);
        }
        for file in ["run.json", "shop/export/t.csv"] {
            fs::write(run.path(file), "x").unwrap();
            run.set_mode(file, 0o644);
        }
        run
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("r").join(name)
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn refusal(&self) -> (String, String) {
        let failure = check(&self.path("")).unwrap_err();
        assert_eq!(failure.code, BLOCKED);
        let place = self.0.path().display().to_string();
        let hint = failure.next_step().unwrap().to_string().replace(&place, "");
        (failure.to_string().replace(&place, ""), hint)
    }
}

#[test]
fn a_run_that_others_may_only_read_is_ours() {
    let run = Run::new();
    check(&run.path("")).unwrap();
    check(&run.0.path().join("r")).unwrap();
}

#[test]
fn what_others_can_write_is_refused_with_a_command_that_ends_it() {
    for (name, mode) in [
        ("", 0o775),
        ("shop/export", 0o757),
        ("run.json", 0o660),
        ("shop/export/t.csv", 0o602),
    ] {
        let run = Run::new();
        run.set_mode(name, mode);
        let (message, hint) = run.refusal();
        let path = format!("/r/{name}");
        let path = path.trim_end_matches('/');
        let expected = format!("other accounts can write to {path} (its mode is {mode:o})");
        assert_eq!(message, expected);
        let (_, command) = hint.split_once(": ").unwrap();
        assert_eq!(command, "chmod -R go-w /r");
        let command = command.replace("/r", &run.path("").display().to_string());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.unwrap().success());
        check(&run.path("")).unwrap();
    }
}

#[test]
fn what_is_neither_file_nor_directory_is_refused() {
    let run = Run::new();
    let name = "shop/export/odd";
    let odd = run.path(name);
    let (expected, more) = (
        |kind| format!("/r/{name} is {kind}, and a run has files and directories alone"),
        "take it away, and put in its place what it stands for, or name another run with --run",
    );
    symlink("t.csv", &odd).unwrap();
    assert_eq!(run.refusal(), (expected("a link"), more.to_owned()));
    fs::remove_file(&odd).unwrap();
    symlink("nowhere", &odd).unwrap();
    assert_eq!(run.refusal().0, expected("a link"));
    fs::remove_file(&odd).unwrap();
    let _socket = UnixListener::bind(&odd).unwrap();
    assert_eq!(run.refusal().0, expected("a socket"));
    fs::remove_file(&odd).unwrap();
    let pipe = Command::new("mkfifo").arg(&odd).status().unwrap();
    assert!(pipe.success());
    assert_eq!(run.refusal().0, expected("a pipe"));
    fs::remove_file(&odd).unwrap();
    check(&run.path("")).unwrap();
    // The directory itself, with a slash behind its name or without one.
    symlink("r", run.0.path().join("l")).unwrap();
    for link in ["l", "l/"] {
        let refused = check(&run.0.path().join(link)).unwrap_err().to_string();
        assert!(refused.contains("/l is a link"), "{refused}");
    }
}

#[test]
fn what_belongs_to_another_account_is_refused() {
    let run = Run::new();
    let uid = rustix::process::geteuid().as_raw();
    check_as(&run.path(""), uid).unwrap();
    let refused = check_as(&run.path(""), uid + 1).unwrap_err();
    let expected = format!("(uid {uid}, and this is uid {})", uid + 1);
    assert!(refused.to_string().ends_with(&expected), "{refused}");
    let hint = refused.next_step().unwrap().to_string();
    let command = format!("sudo chown -hR {} {}", uid + 1, run.path("").display());
    assert!(hint.ends_with(command.trim_end_matches('/')), "{hint}");
}

#[test]
fn a_directory_in_which_others_can_rename_holds_no_run() {
    let run = Run::new();
    let set_mode = |mode| {
        fs::set_permissions(run.0.path(), fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o1777);
    check(&run.path("")).unwrap();
    set_mode(0o777);
    let (message, hint) = run.refusal();
    assert!(
        message.contains("can put something else in the place of"),
        "{message}"
    );
    assert!(hint.contains(": chmod o-w "), "{hint}");
    // One directory further up is enough.
    let inner = run.path("shop/export");
    let failure = check(&inner).unwrap_err();
    assert!(failure.to_string().contains("all accounts can write to it"));
}

#[test]
fn a_sticky_directory_and_a_link_above_must_not_be_another_accounts() {
    let uid = rustix::process::geteuid().as_raw();
    if uid != 0 {
        // Only root can give files away; that the owner counts is seen from the other side.
        let run = Run::new();
        fs::set_permissions(run.0.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        let refused = check_above(&run.path(""), uid + 1).unwrap_err();
        assert!(refused.to_string().contains("belongs to another account"));
        return;
    }
    let run = Run::new();
    fs::set_permissions(run.0.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    check(&run.path("")).unwrap();
    std::os::unix::fs::chown(run.0.path(), Some(65534), None).unwrap();
    let (message, _) = run.refusal();
    assert!(
        message.contains("it belongs to another account"),
        "{message}"
    );
    std::os::unix::fs::chown(run.0.path(), Some(0), None).unwrap();
    let link = run.0.path().join("link");
    symlink(run.path("shop"), &link).unwrap();
    let through = link.join("export");
    check(&through).unwrap();
    std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
    let refused = check(&through).unwrap_err().to_string();
    assert!(
        refused.contains("it is a link of another account"),
        "{refused}"
    );
}
