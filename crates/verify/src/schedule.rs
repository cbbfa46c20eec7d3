//! What people and networks do, drawn from a seed.

use crate::rng::Rng;

/// One step of a schedule. Devices and people are places in the run; what else is picked is a number that the run
/// takes for one of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A device writes some messages, one after the other.
    Send {
        /// To which of the other people.
        to: usize,
        /// How many.
        count: usize,
    },
    /// A message of one's own gets another text.
    Edit(usize),
    /// A message of one's own is deleted.
    Delete(usize),
    /// A message of somebody else is read, with those before it.
    Read(usize),
    /// Somebody is blocked, or no longer.
    Block {
        /// Which of the other people.
        who: usize,
        /// Whether from now on.
        on: bool,
    },
    /// One types.
    Typing(usize),
    /// A message is sent again as if its acknowledgement had not come; or its name with another text.
    Repeat {
        /// Which.
        pick: usize,
        /// Whether the text is another.
        altered: bool,
    },
    /// What is shown is saved.
    Save,
    /// The device is switched off.
    Off,
    /// It is switched on.
    On,
    /// Its link breaks.
    Cut,
    /// It crashes, and starts again.
    Crash,
    /// The server is killed, and started again.
    Kill,
    /// Nothing happens for some milliseconds.
    Pause(u64),
}

/// How often each kind of step comes, in hundredths.
const WEIGHTS: [(usize, Drawn); 14] = [
    (34, Drawn::Send),
    (8, Drawn::Edit),
    (5, Drawn::Delete),
    (10, Drawn::Read),
    (4, Drawn::Block),
    (3, Drawn::Unblock),
    (3, Drawn::Typing),
    (4, Drawn::Repeat),
    (5, Drawn::Save),
    (4, Drawn::Off),
    (8, Drawn::On),
    (4, Drawn::Cut),
    (2, Drawn::Crash),
    (6, Drawn::Pause),
];

#[derive(Debug, Clone, Copy)]
enum Drawn {
    Send,
    Edit,
    Delete,
    Read,
    Block,
    Unblock,
    Typing,
    Repeat,
    Save,
    Off,
    On,
    Cut,
    Crash,
    Pause,
}

/// Draws the next step.
pub(crate) fn draw(rng: &mut Rng, people: usize, kills: bool) -> Step {
    if kills && rng.chance(1) {
        return Step::Kill;
    }
    let mut left = rng.below(100);
    for (weight, drawn) in WEIGHTS {
        if left < weight {
            return step(drawn, rng, people);
        }
        left -= weight;
    }
    Step::Pause(0)
}

fn step(drawn: Drawn, rng: &mut Rng, people: usize) -> Step {
    let other = |rng: &mut Rng| rng.below(people.saturating_sub(1));
    match drawn {
        Drawn::Send => Step::Send { to: other(rng), count: 1 + rng.below(4) },
        Drawn::Edit => Step::Edit(rng.below(1 << 16)),
        Drawn::Delete => Step::Delete(rng.below(1 << 16)),
        Drawn::Read => Step::Read(rng.below(1 << 16)),
        Drawn::Block => Step::Block { who: other(rng), on: true },
        Drawn::Unblock => Step::Block { who: other(rng), on: false },
        Drawn::Typing => Step::Typing(other(rng)),
        Drawn::Repeat => Step::Repeat { pick: rng.below(1 << 16), altered: rng.chance(40) },
        Drawn::Save => Step::Save,
        Drawn::Off => Step::Off,
        Drawn::On => Step::On,
        Drawn::Cut => Step::Cut,
        Drawn::Crash => Step::Crash,
        Drawn::Pause => Step::Pause(u64::try_from(rng.below(12)).unwrap_or(0)),
    }
}
