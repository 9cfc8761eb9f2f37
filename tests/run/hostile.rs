//! Somebody on the socket who means no good harms nobody else.

use super::script::Script;

/// What a program does to the one who watches it, and then uses a pool.
fn attacked(attack: &str) -> serde_json::Value {
    let script = Script::new(&format!(
        r#"
import multiprocessing, os, socket, subprocess

def square(x):
    return x * x

def connect():
    there = socket.socket(socket.AF_UNIX)
    there.setblocking(False)
    there.connect(folder + "/socket")
    there.setblocking(True)
    return there

def message(kind, payload):
    return (len(payload) + 1).to_bytes(4, "little") + bytes([kind]) + payload

def number(value):
    return value.to_bytes(4, "little")

# What a process begins with that only says it is watched.
stranger = '''
import os, socket, sys
folder, rings = sys.argv[1:]
there = socket.socket(socket.AF_UNIX)
there.connect(folder + "/socket")
say = lambda kind, payload: there.sendall((len(payload) + 1).to_bytes(4, "little") + bytes([kind]) + payload)
number = lambda value: value.to_bytes(4, "little")
say(1, number(os.getpid()) + number(os.getppid()) + b"3.11.7" + bytes(1) + b"python" + bytes(1) + b"x")
'''

if __name__ == "__main__":
    # Children of this process still find what it does not see itself.
    words = ["sh", "-c", 'printf "%s\n%s" "$PARVIZ_PROBE" "$PARVIZ_RINGS"']
    folder, rings = subprocess.check_output(words, text=True).split("\n")
    held = []
{}
    with multiprocessing.Pool(2) as pool:
        print(sum(pool.map(square, range(100), 5)))
"#,
        attack.trim_end()
    ));
    let (said, report) = script.watch(&[]);
    assert_eq!(
        (said.out.as_str(), said.err.as_str(), said.code),
        ("328350\n", "", Some(0))
    );
    report
}

fn is_told_whole(report: &serde_json::Value) {
    let counts = &report["counts"];
    assert_eq!(
        (&counts["pools"], &counts["tasks"], &counts["chunks"]),
        (&1.into(), &100.into(), &20.into()),
        "{counts}"
    );
}

#[test]
fn garbage_and_huge_lengths_are_not_listened_to() {
    is_told_whole(&attacked(
        r#"
    for garbage in (b"\xff" * 100_000, b"\0" * 1000, b"GET / HTTP/1.1\r\n\r\n", number(2**32 - 1), number(70_000)):
        there = connect()
        try:
            there.sendall(garbage)
        except OSError:
            pass
        held.append(there)
"#,
    ));
}

#[test]
fn who_claims_to_be_somebody_else_is_not_believed() {
    is_told_whole(&attacked(
        r#"
    for pid in (os.getppid(), 1, 2**32 - 1, os.getpid()):
        there = connect()
        try:
            there.sendall(message(1, number(pid) + number(1) + b"3.11.7\0python\0x"))
            there.sendall(message(5, b"1-1.ring"))
        except OSError:
            pass
        held.append(there)
"#,
    ));
}

#[test]
fn thousands_of_connections_cost_only_themselves() {
    let report = attacked(
        r"
    import atexit, resource, signal
    # All of them, and the workers, are there before anybody looks.
    os.kill(os.getppid(), signal.SIGSTOP)
    atexit.register(os.kill, os.getppid(), signal.SIGCONT)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for _ in range(3000):
        try:
            connect().close()
        except OSError:  # No room in the line.
            pass
    for _ in range(min(soft, 600) - 50):
        try:
            held.append(connect())
        except OSError:
            break
    for there in held:
        there.close()
",
    );
    is_told_whole(&report);
}

#[test]
fn a_ring_of_noise_harms_only_its_own_process() {
    let report = attacked(
        r#"
    child = stranger + '''
import random
noise = random.Random(7)
name = "%d-1.ring" % os.getpid()
with open(rings + "/" + name, "wb") as ring:
    slots = b"".join(noise.getrandbits(224).to_bytes(28, "little") + number(index + 1) for index in range(131072))
    kinds = bytearray(slots)
    for index in range(131072):
        kinds[32 * index] = index % 27
        kinds[32 * index + 8 : 32 * index + 16] = (10**9 * (index % 7)).to_bytes(8, "little")
    ring.write(b"parvizR1" + bytes(4088) + bytes(kinds))
say(5, name.encode())
for identifier in range(1000):
    say(2, number(identifier) + b"\\x1b[2J" * 100)
'''
    subprocess.check_call(["python3", "-I", "-c", child, folder, rings])
"#,
    );
    // What the noise made up is its own; the pool of the program is as it was.
    let pools = report["pools"].as_array().unwrap();
    let real = pools
        .iter()
        .position(|pool| pool["kind"] == "Pool")
        .unwrap();
    let calls = report["calls"].as_array().unwrap();
    let call = calls.iter().find(|call| call["pool"] == real).unwrap();
    assert_eq!(
        (&call["tasks"], &call["outcome"]),
        (&100.into(), &"returned".into())
    );
    assert!(!report.to_string().contains("u001b"));
}

#[test]
fn what_a_process_says_in_a_second_ring_is_known_to_be_lost() {
    let report = attacked(
        r#"
    child = stranger + '''
for name in ["%d-%d.ring" % (os.getpid(), ring) for ring in (1, 2, 3)]:
    with open(rings + "/" + name, "wb") as ring:
        ring.truncate(4096 + 32 * 131072)
    say(5, name.encode())
'''
    subprocess.check_call(["python3", "-I", "-c", child, folder, rings])
"#,
    );
    is_told_whole(&report);
    // What it did is lost, unlike what an interpreter without the probe does.
    assert_eq!(report["calls"][0]["at_least"], true);
}
