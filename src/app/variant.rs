//! Experiments that differ from another in one thing, as the keys make them.

use crate::experiment::{Experiment, MOST_WORKERS, Misfit};

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

/// Leaves out what its method and its backend have no place for, and says what that was.
pub fn settled(mut experiment: Experiment) -> (Experiment, Option<String>) {
    let misfits = experiment.misfits();
    for misfit in &misfits {
        experiment.leave_out(misfit.part);
    }
    let left_out: Vec<String> = misfits.iter().map(Misfit::left_out).collect();
    let words = (!left_out.is_empty()).then(|| left_out.join("; "));
    (experiment, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Backend, Fault, FaultKind, MemoryModel};
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
