//! What the probe costs a program in Python: its start, a pool's, and each item.
//!
//! `benches/python.py` runs both sides in turn, with the `python3` that is first on the path or the one that
//! `PARVIZ_BENCH_PYTHON` names; here somebody listens, so that the probe has all to do that it ever has.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench starts programs and listens to them"
)]
#![cfg_attr(
    not(unix),
    expect(clippy::print_stdout, reason = "says why it does nothing")
)]

#[cfg(not(unix))]
fn main() {
    println!("programs can be watched on Unix only");
}

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    unix::main()
}

#[cfg(unix)]
mod unix {
    use parviz::origin::python::wire::{FILES, Message, PROBE_VARIABLE, RINGS_VARIABLE, SOCKET};
    use std::io::{self, Read};
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::process::Command;
    use std::{fs, thread};

    const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/python.py");

    pub(crate) fn main() -> io::Result<()> {
        let probe = tempfile::tempdir()?;
        let memory = Path::new("/dev/shm");
        let rings = if memory.is_dir() {
            tempfile::tempdir_in(memory)?
        } else {
            tempfile::tempdir()?
        };
        for (name, text) in FILES {
            fs::write(probe.path().join(name), text)?;
        }
        let listener = UnixListener::bind(probe.path().join(SOCKET))?;
        let folder = rings.path().to_owned();
        thread::spawn(move || take_all(&listener, &folder));
        let python = std::env::var("PARVIZ_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let variables = serde_json::json!({
            "PYTHONPATH": probe.path(),
            PROBE_VARIABLE: probe.path(),
            RINGS_VARIABLE: rings.path(),
        });
        let status = Command::new(python)
            .args([SCRIPT, &variables.to_string()])
            .status()?;
        assert!(status.success(), "{SCRIPT}: {status}");
        Ok(())
    }

    /// Reads what the processes say, and removes the rings of one that has ended.
    fn take_all(listener: &UnixListener, rings: &Path) {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let rings = rings.to_owned();
            thread::spawn(move || {
                let mut said = Vec::new();
                // Whatever came is enough to find its rings.
                let _ = stream.read_to_end(&mut said);
                if let Ok(Some((Message::Hello(hello), _))) = Message::parse(&said) {
                    forget(&rings, hello.pid);
                }
            });
        }
    }

    fn forget(rings: &Path, pid: u32) {
        let of_process = format!("{pid}-");
        let files = fs::read_dir(rings).into_iter().flatten().flatten();
        for file in files.filter(|file| file.file_name().to_string_lossy().starts_with(&of_process))
        {
            // Its folder may have gone by now.
            let _ = fs::remove_file(file.path());
        }
    }
}
