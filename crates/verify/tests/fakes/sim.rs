//! Virtual time, chance and tasks: all that happens in a schedule is chosen here, by its seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt,
    future::poll_fn,
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use chat_testkit::ManualClock;
use chat_verify::Rng;
use parking_lot::Mutex;

/// A text that is noted as it is.
#[derive(Hash)]
pub(crate) struct Plain(pub(crate) String);

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The source of time and chance of one schedule.
pub(crate) struct Sim {
    /// What the chat and its store go by.
    pub(crate) clock: ManualClock,
    shows: bool,
    // Short, never held across an await or a waker.
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    now: u64,
    timers: BTreeMap<(u64, u64), Waker>,
    armed: u64,
    /// Whether the disk sometimes takes longer than a request may.
    stalls: bool,
    trace: DefaultHasher,
}

impl Sim {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        let mut rng = Rng::new(seed ^ 0x5EED);
        let stalls = rng.chance(15);
        let (timers, trace) = (BTreeMap::new(), DefaultHasher::new());
        let state = State { rng, now: 0, timers, armed: 0, stalls, trace };
        let shows = env::var_os("VERIFY_TRACE").is_some();
        Arc::new(Self { clock: ManualClock::new(), shows, state: Mutex::new(state) })
    }

    /// Milliseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.state.lock().now
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: usize) -> usize {
        self.state.lock().rng.below(end)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&self, percent: usize) -> bool {
        self.state.lock().rng.chance(percent)
    }

    /// A number of milliseconds below `end`.
    pub(crate) fn millis(&self, end: usize) -> u64 {
        self.below(end) as u64
    }

    /// Notes something that happened; `VERIFY_TRACE=1` shows it.
    pub(crate) fn note(&self, what: impl Hash + fmt::Debug) {
        let mut state = self.state.lock();
        if self.shows {
            eprintln!("{} {what:?}", state.now);
        }
        (state.now, what).hash(&mut state.trace);
    }

    /// All that happened, as one number.
    pub(crate) fn trace(&self) -> u64 {
        self.state.lock().trace.finish()
    }

    /// When somebody waits for time to pass.
    pub(crate) fn next_timer(&self) -> Option<u64> {
        self.state.lock().timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// Time passes; who waited for that is woken.
    pub(crate) fn advance(&self, to: u64) {
        let due = {
            let mut state = self.state.lock();
            self.clock.advance(Duration::from_millis(to - state.now));
            state.now = to;
            let later = state.timers.split_off(&(to + 1, 0));
            std::mem::replace(&mut state.timers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// Wakes somebody at this time.
    pub(crate) fn wake_at(&self, at: u64, waker: &Waker) {
        let mut state = self.state.lock();
        state.armed += 1;
        let number = state.armed;
        state.timers.insert((at, number), waker.clone());
    }

    /// Ends when so many milliseconds have passed.
    pub(crate) async fn after(&self, millis: u64) {
        let until = self.now() + millis;
        poll_fn(|cx| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            self.wake_at(until, cx.waker());
            Poll::Pending
        })
        .await;
    }

    /// What the disk and the threads behind it take: mostly only the turn of others, sometimes longer.
    pub(crate) async fn pause(&self) {
        let (turns, millis) = self.state.lock().pause();
        for _ in 0..turns {
            yield_now().await;
        }
        if millis > 0 {
            self.after(millis).await;
        }
    }
}

impl State {
    fn pause(&mut self) -> (usize, u64) {
        let turns = self.rng.below(3);
        let millis = match self.rng.below(200) {
            0 if self.stalls => 4_000 + self.rng.below(3_000),
            0..4 => self.rng.below(60),
            4..30 => self.rng.below(8),
            _ => 0,
        };
        (turns, millis as u64)
    }
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

type Ready = Arc<Mutex<BTreeSet<u64>>>;
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What runs in the server. Of the tasks that could go on, one at a time does.
#[derive(Default)]
pub(crate) struct Tasks {
    running: BTreeMap<u64, Task>,
    started: u64,
    ready: Ready,
}

struct TaskWaker {
    task: u64,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.lock().insert(self.task);
    }
}

impl Tasks {
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.started += 1;
        self.running.insert(self.started, Box::pin(task));
        self.ready.lock().insert(self.started);
    }

    /// How many could go on.
    pub(crate) fn ready(&self) -> usize {
        self.ready.lock().len()
    }

    /// Lets one of those that could go on: answers which.
    pub(crate) fn go_on(&mut self, place: usize) -> Option<u64> {
        let task = {
            let mut ready = self.ready.lock();
            let task = ready.iter().nth(place).copied()?;
            ready.remove(&task);
            task
        };
        let waker = Waker::from(Arc::new(TaskWaker { task, ready: Arc::clone(&self.ready) }));
        let future = self.running.get_mut(&task)?;
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            self.running.remove(&task);
        }
        Some(task)
    }

    /// All of them end where they are, as in a process that is killed.
    pub(crate) fn kill(&mut self) {
        self.running.clear();
        self.ready.lock().clear();
    }
}
