//! What moves the cursor.

use crate::app::App;
use crate::time::Time;
use crate::trace::MarkerKind;

impl App {
    pub(super) fn pause(&mut self) {
        let run = &mut self.run;
        run.playback.toggle(run.end(), run.over);
        let cursor = self.cursor();
        if cursor == Time::ZERO {
            self.viewport.reveal(cursor);
        }
    }

    /// Puts the cursor on a moment that the person asked for.
    pub(in crate::app) fn jump(&mut self, at: Time) {
        let at = at.min(self.run.end());
        self.run.playback.stop_at(at);
        self.viewport.reveal(at);
    }

    pub(super) fn step(&mut self, forward: bool) {
        let (trace, cursor, end) = (&self.run.trace, self.cursor(), self.run.end());
        let moment = if forward {
            trace.moment_after(cursor).filter(|&at| at <= end)
        } else {
            trace.moment_before(cursor)
        };
        match moment {
            Some(at) => self.jump(at),
            None if forward && !self.run.over => {
                self.jump(cursor);
                self.say("nothing more has happened yet");
            }
            None => self.step_to_edge(forward, if forward { end } else { Time::ZERO }),
        }
    }

    /// Where no event is left that way, the edge of the run itself is the last step.
    fn step_to_edge(&mut self, forward: bool, edge: Time) {
        if self.cursor() == edge {
            self.say(if forward {
                "this is the end: nothing happened later"
            } else {
                "this is the start: nothing happened before"
            });
        }
        self.jump(edge);
    }

    /// Goes to the next mark of the trace or of a finding.
    pub(super) fn marker(&mut self, forward: bool) {
        let (cursor, end) = (self.cursor(), self.run.end());
        let trace = &self.run.trace;
        let found = &self.findings.found;
        // A finding has its text, a mark is put into words once it is chosen.
        let all = || {
            let marked = trace.markers().iter();
            let marked = marked.map(|marker| (marker.at, Err(marker)));
            let found = found.iter().map(|found| (found.at, Ok(&found.text)));
            marked.chain(found)
        };
        // Of a finding and a mark at one moment, the finding says more.
        let found = if forward {
            all()
                .filter(|&(at, _)| at > cursor && at <= end)
                .rev()
                .min_by_key(|&(at, _)| at)
        } else {
            all()
                .filter(|&(at, _)| at < cursor)
                .max_by_key(|&(at, _)| at)
        };
        let words = |marker| trace.marker_words(marker).into_owned();
        match found.map(|(at, said)| (at, said.map_or_else(words, String::clone))) {
            Some((at, text)) => {
                self.jump(at);
                self.select_ended(at);
                self.say(format!("{at}: {text}"));
            }
            None if forward => self.say("no later marker: they stand at calls, errors and deaths"),
            None => self.say("no earlier marker: they stand at calls, errors and deaths"),
        }
    }

    /// Selects the task that came to a bad end at this moment, if one did.
    fn select_ended(&mut self, at: Time) {
        let trace = &self.run.trace;
        let marked = trace.markers().iter().find(|marker| {
            marker.at == at && matches!(marker.kind, MarkerKind::Error | MarkerKind::Death)
        });
        let lane = marked.and_then(|marker| trace.lane(marker.lane));
        let ended = lane.and_then(|lane| lane.pieces().iter().rfind(|piece| piece.end == at));
        if let Some(task) = ended.map(|piece| piece.task) {
            self.select_task(task);
        }
    }

    pub(super) fn faster(&mut self) {
        if !self.run.playback.faster(self.run.over) {
            self.say("this is live: it cannot go faster");
        }
    }

    pub(super) fn go_to_start(&mut self) {
        let run = &mut self.run;
        run.playback.rewind(run.end(), run.over);
        self.viewport.reveal(Time::ZERO);
    }

    pub(super) fn go_to_end(&mut self) {
        let end = self.run.end();
        self.run.playback.go_live(end);
        self.viewport.follow(end);
    }
}
