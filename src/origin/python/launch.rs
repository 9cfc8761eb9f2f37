//! Starts the interpreter with the probe in its way, and says where its input and output go.
#![expect(
    clippy::disallowed_methods,
    reason = "writes the probe and opens what the program reads and writes"
)]

use super::Exit;
use super::folder::Folder;
use super::program::{Input, Outlet, Program, Target};
use super::wire::{FILES, PROBE_VARIABLE, RINGS_VARIABLE};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};

/// The interpreter with its words, its input and the way to the probe.
pub(super) fn command(program: &Program, folder: &Folder) -> io::Result<Command> {
    let interpreter = program
        .interpreter()
        .map_err(|missing| io::Error::new(io::ErrorKind::NotFound, missing))?;
    for (name, text) in FILES {
        std::fs::write(folder.path().join(name), text)?;
    }
    let mut command = Command::new(interpreter);
    let text = folder.path().join("example");
    let text = match &program.target {
        Target::Text {
            name,
            text: source,
            beside,
        } => {
            std::fs::create_dir(&text)?;
            std::fs::write(text.join(name), source)?;
            for (name, content) in beside {
                std::fs::write(text.join(name), content)?;
            }
            text.join(name)
        }
        _ => text,
    };
    command.args(program.words(&text));
    let mut path = OsString::from(folder.path());
    if let Some(old) = std::env::var_os("PYTHONPATH").filter(|old| !old.is_empty()) {
        path.push(":");
        path.push(old);
    }
    command.env("PYTHONPATH", path);
    command.env(PROBE_VARIABLE, folder.path());
    command.env(RINGS_VARIABLE, folder.rings());
    command.stdin(match &program.input {
        Input::Inherited => Stdio::inherit(),
        Input::Empty => Stdio::null(),
        Input::File(file) => File::open(file)?.into(),
    });
    if program.group {
        command.process_group(0);
    }
    Ok(command)
}

/// Says where the output goes; the files to read it from, if it is kept.
pub(super) fn outlet(
    program: &Program,
    folder: &Folder,
    command: &mut Command,
) -> io::Result<Option<[File; 2]>> {
    match &program.outlet {
        Outlet::Inherited => Ok(None),
        Outlet::File(path) => {
            let file = File::create(path).map_err(|error| {
                let text = format!("--output file={}: {error}", path.display());
                io::Error::new(error.kind(), text)
            })?;
            command.stdout(file.try_clone()?).stderr(file);
            Ok(None)
        }
        Outlet::Kept => {
            let make = |name: &str| -> io::Result<(File, File)> {
                let path = folder.path().join(name);
                // Appending, so that processes that open it anew by its name add to it as they do to a pipe.
                let to = OpenOptions::new().create(true).append(true).open(&path)?;
                Ok((to, File::open(path)?))
            };
            let ((out, out_kept), (err, err_kept)) = (make("stdout")?, make("stderr")?);
            command.stdout(out).stderr(err);
            Ok(Some([out_kept, err_kept]))
        }
    }
}

pub(super) fn how(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}
