//! A disk that can be full, in memory.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Mounts the disk where nobody but this process sees it, takes and gives space as it is told, and takes the disk with it
/// at the end of its input: that is when the test process drops it, or dies.
const SCRIPT: &str = r#"
mount -t tmpfs -o size="$2",mode=700 tmpfs "$1" || exit
echo mounted
while read -r verb; do
    case $verb in
        fill) dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null ;;
        free) rm "$1/filler" ;;
    esac
    echo done
done
"#;

/// The disk; it is gone when this is dropped.
pub struct SmallDisk {
    path: PathBuf,
    holder: Child,
    told: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl SmallDisk {
    /// Makes a disk of so many MiB on an empty folder, for whom the program `unshare` is run as.
    pub fn mount(mut unshare: Command, on: &Path, mib: u32) -> Self {
        // A user namespace lets those mount who are not root.
        unshare.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "keystead-test-disk"]);
        unshare.arg(on).arg(format!("{mib}m")).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = unshare.spawn().expect("unshare starts");
        let (told, answers) = (holder.stdin.take().expect("a pipe"), holder.stdout.take().expect("a pipe"));
        let path = on.strip_prefix("/").expect("an absolute path");
        let path = PathBuf::from(format!("/proc/{}/root", holder.id())).join(path);
        let mut disk = Self { path, holder, told, answers: BufReader::new(answers) };
        assert_eq!(disk.answer(), "mounted");
        disk
    }

    /// What `nsenter` is told to start a program where the disk is: SQLite resolves links, which [`Self::path`] is made of.
    pub fn entrance(&self) -> [String; 3] {
        ["--user".to_owned(), "--mount".to_owned(), format!("--target={}", self.holder.id())]
    }

    /// Where whoever has the same user sees it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes every byte that is left.
    pub fn fill(&mut self) {
        self.tell("fill");
    }

    /// Gives back what [`Self::fill`] took.
    pub fn free(&mut self) {
        self.tell("free");
    }

    fn tell(&mut self, verb: &str) {
        writeln!(self.told, "{verb}").expect("the holder listens");
        assert_eq!(self.answer(), "done");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the holder answers");
        line.trim_end().to_owned()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.holder.kill().expect("a child of ours");
        self.holder.wait().expect("a child of ours");
    }
}
