//! Experiments that differ from another in one thing, as the keys make them.

use crate::experiment::{Backend, Experiment, FaultKind, MOST_WORKERS, MemoryModel, PythonPool};
use crate::method::Sends;

/// With the method that `s` switches to; `None` for a loop, which has no asynchronous form.
pub fn switched(experiment: &Experiment) -> Option<Experiment> {
    Some(Experiment {
        method: experiment.method.rules().partner?,
        ..experiment.clone()
    })
}

/// With the family `steps` further on.
pub fn family(experiment: &Experiment, steps: i32) -> Experiment {
    Experiment {
        method: experiment.method.next_family(steps),
        ..experiment.clone()
    }
}

pub fn next_backend(experiment: &Experiment) -> Experiment {
    Experiment {
        backend: experiment.backend.next(),
        ..experiment.clone()
    }
}

/// With so many workers more; `None` if there cannot be so many or so few.
pub fn workers(experiment: &Experiment, more: i32) -> Option<Experiment> {
    let workers = experiment.workers.checked_add_signed(more)?;
    (1..=MOST_WORKERS).contains(&workers).then(|| Experiment {
        workers,
        ..experiment.clone()
    })
}

/// With other tasks of the same kind.
pub fn new_seed(experiment: &Experiment) -> Experiment {
    Experiment {
        seed: experiment.seed.wrapping_add(1),
        ..experiment.clone()
    }
}

/// Leaves out what contradicts the method and the backend, and says what that was.
pub fn settled(mut experiment: Experiment) -> (Experiment, Option<String>) {
    let mut left_out = Vec::new();
    if experiment.backend.is_measured()
        && let Some(cpus) = experiment.cpus.take()
    {
        left_out.push(format!(
            "without --cpus {cpus}: a measured run has the CPUs of this machine"
        ));
    }
    if experiment.backend == Backend::Threads && experiment.memory == Some(MemoryModel::Separate) {
        experiment.memory = None;
        left_out.push("without --memory-model separate: threads share their memory".to_owned());
    }
    if experiment.payload > 0 && !experiment.backend.carries() {
        left_out.push("without --payload: nothing is sent there".to_owned());
        experiment.payload = 0;
    }
    if experiment.backend == Backend::Processes {
        if experiment.memory == Some(MemoryModel::Shared) {
            experiment.memory = None;
            left_out.push(
                "without --memory-model shared: processes have memory of their own".to_owned(),
            );
        }
        if std::mem::take(&mut experiment.gil) {
            left_out.push("without --gil: each process has an interpreter of its own".to_owned());
        }
    }
    if experiment.backend == Backend::Python {
        left_out.extend(without_python(&mut experiment));
    }
    if experiment.method.rules().sends == Sends::Nothing {
        let before = experiment.faults.len();
        experiment
            .faults
            .retain(|fault| fault.kind != FaultKind::Die);
        if experiment.faults.len() < before {
            left_out.push("without the fault die: a loop has no workers".to_owned());
        }
    }
    let words = (!left_out.is_empty()).then(|| left_out.join("; "));
    (experiment, words)
}

/// Leaves out what CPython decides itself.
fn without_python(experiment: &mut Experiment) -> Vec<String> {
    let usual = Experiment::default();
    let mut left_out = Vec::new();
    if std::mem::take(&mut experiment.dispatch) != usual.dispatch {
        left_out.push("without --dispatch: CPython takes its own time to send".to_owned());
    }
    if std::mem::take(&mut experiment.gil) {
        left_out.push("without --gil: CPython has its own".to_owned());
    }
    if std::mem::replace(&mut experiment.policy, usual.policy) != usual.policy {
        left_out.push("without --policy executor: CPython's pool decides".to_owned());
    }
    if experiment.memory.take().is_some() {
        left_out.push("without --memory-model: CPython's pool decides".to_owned());
    }
    if experiment.pool == PythonPool::ThreadPool {
        let before = experiment.faults.len();
        experiment
            .faults
            .retain(|fault| fault.kind != FaultKind::Die);
        if experiment.faults.len() < before {
            left_out.push("without the fault die: threads do not die alone".to_owned());
        }
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Fault;
    use crate::method::Method;

    #[test]
    fn a_loop_has_no_asynchronous_form() {
        let experiment = Experiment::default();
        assert_eq!(switched(&experiment).unwrap().method, Method::MapAsync);
        let serial = Experiment {
            method: Method::Loop,
            ..experiment
        };
        assert_eq!(switched(&serial), None);
    }

    #[test]
    fn there_is_at_least_one_worker_and_an_end_to_more() {
        let mut experiment = Experiment {
            workers: 2,
            ..Experiment::default()
        };
        experiment = workers(&experiment, -1).unwrap();
        assert_eq!(workers(&experiment, -1), None);
        experiment.workers = MOST_WORKERS;
        assert_eq!(workers(&experiment, 1), None);
    }

    #[test]
    fn what_contradicts_a_switch_is_left_out_and_said() {
        let simulated = Experiment {
            backend: Backend::Simulated,
            cpus: Some(2),
            memory: Some(MemoryModel::Separate),
            ..Experiment::default()
        };
        assert_eq!(settled(simulated.clone()), (simulated.clone(), None));
        let (threads, words) = settled(next_backend(&simulated));
        assert_eq!(threads.check(), Ok(()));
        let words = words.unwrap();
        assert!(
            words.contains("--cpus 2") && words.contains("separate"),
            "{words}"
        );
        let (serial, words) = settled(Experiment {
            method: Method::Loop,
            faults: vec![Fault {
                task: 3,
                kind: FaultKind::Die,
            }],
            ..Experiment::default()
        });
        assert_eq!(serial.check(), Ok(()));
        assert!(words.unwrap().contains("die"));
    }
}
