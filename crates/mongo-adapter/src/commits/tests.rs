//! Which numbers are exact.

use chat_ports::{
    Clock, NewMessage, ReceiptKind, ReceiptSpan,
    model::{ConversationId, MessageId},
};
use chat_testkit::{ManualClock, RecordingListener, build};

use super::*;

const ADA: UserId = UserId::from_bytes([1; 12]);
const BOB: UserId = UserId::from_bytes([2; 12]);
const EVE: UserId = UserId::from_bytes([3; 12]);
const DAN: UserId = UserId::from_bytes([4; 12]);

/// The numbers of a process that has just begun, at 2²⁰.
struct World {
    commits: Commits,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let commits = Commits::default();
        commits.begin(7, 2 * RESERVE.unsigned_abs());
        Self { commits, clock: ManualClock::new() }
    }

    fn begin(&self, from: UserId, to: UserId) -> u64 {
        self.commits.take([from, to], || self.clock.now()).number
    }

    fn tell(&self, commit: Commit, number: u64) -> CommitNumber {
        let listener = RecordingListener::new();
        self.commits.tell(&*listener, vec![(commit, number)], self.clock.instant());
        listener.numbered()[0].number.unwrap()
    }

    fn sent(&self, from: UserId, to: UserId, number: u64) -> CommitNumber {
        let message = NewMessage {
            id: MessageId::from_bytes([9; 12]),
            sender: from,
            receiver: to,
            text: build::text("hello"),
            timestamp: self.clock.now(),
            client_id: None,
            deadline: self.clock.instant(),
            except: None,
        };
        self.tell(Commit::Sent { message: message.into_message(1).into(), except: None }, number)
    }

    fn cut(&self, user: UserId) -> Cut {
        self.commits.cut(user, self.clock.instant())
    }
}

#[test]
fn numbers_begin_behind_those_of_others_and_are_exact_in_turn() {
    let world = World::new();
    let numbering = world.commits.numbering().unwrap();
    assert_eq!(numbering, Numbering { life: 7, last: exactly(1 << 20) });
    let [first, second] = [world.begin(ADA, BOB), world.begin(ADA, BOB)];
    assert_eq!((first, second), ((1 << 20) + 1, (1 << 20) + 2));
    assert_eq!(world.sent(ADA, BOB, first), exactly(first));
    assert_eq!(world.sent(ADA, BOB, second), exactly(second));
    assert_eq!(number_of(exactly(second)), Some(second));
    assert_eq!(number_of(behind(second)), None);
}

#[test]
fn a_commit_that_overtakes_another_of_its_users_is_not_exact() {
    let world = World::new();
    let [slow, fast, other] = [world.begin(ADA, BOB), world.begin(BOB, EVE), world.begin(EVE, DAN)];
    assert_eq!(world.sent(EVE, DAN, other), behind(other), "one to Eve is on its way");
    assert_eq!(world.sent(BOB, EVE, fast), behind(other), "never lower, and Bob awaits another");
    assert_eq!((world.cut(ADA), world.cut(EVE)), (Cut::Soon, Cut::At(other)));
    let told = world.sent(ADA, BOB, slow);
    assert_eq!(told, exactly(other + 1), "nothing is on its way: a number that no write has");
    assert_eq!(world.begin(ADA, BOB), other + 2);
}

#[test]
fn what_became_nothing_is_not_awaited() {
    let world = World::new();
    let [void, next] = [world.begin(ADA, BOB), world.begin(ADA, BOB)];
    world.commits.void(void);
    assert_eq!(world.sent(ADA, BOB, next), exactly(next));
    assert!(world.commits.is_settled(ADA, exactly(next), world.clock.instant()));
    assert!(!world.commits.is_settled(ADA, exactly(void), world.clock.instant()));
}

#[test]
fn while_a_write_is_in_doubt_nothing_is_exact() {
    let world = World::new();
    let [doubtful, next] = [world.begin(ADA, BOB), world.begin(EVE, DAN)];
    world.commits.doubt(doubtful, world.clock.instant());
    assert_eq!(world.sent(EVE, DAN, next), behind(next));
    assert_eq!(world.cut(EVE), Cut::Unknown);
    world.clock.advance(DOUBT);
    let after = world.begin(ADA, BOB);
    assert_eq!(world.sent(ADA, BOB, after), exactly(after));
    let found = world.commits.take_in_doubt(|| world.clock.now(), world.clock.instant());
    assert_eq!(world.sent(ADA, BOB, found.number), behind(found.number));
}

#[test]
fn of_what_is_told_in_parts_it_is_known_by_its_own_number_how_many_have_come() {
    let receipt = |ids: u8| {
        let messages = (0..ids).map(|id| MessageId::from_bytes([id; 12])).collect();
        let conversation = ConversationId::between(ADA, BOB);
        let span = ReceiptSpan { conversation, sender: ADA, count: ids.into(), messages };
        Commit::Receipt { kind: ReceiptKind::Read, receiver: BOB, span, except: None }
    };
    let world = World::new();
    let [slow, single, other, last] =
        [world.begin(BOB, ADA), world.begin(BOB, ADA), world.begin(EVE, DAN), world.begin(BOB, ADA)];
    assert_eq!(world.sent(EVE, DAN, other), exactly(other));
    assert_eq!(world.tell(receipt(2), slow), behind(other));
    assert_eq!(world.tell(receipt(1), single), behind(other), "the last one is on its way");
    assert_eq!(world.tell(receipt(2), last), exactly(last));
}

#[test]
fn when_numbers_run_out_none_is_exact_until_there_are_more() {
    let world = World::new();
    world.commits.0.lock().taken = 2 * RESERVE.unsigned_abs() - 1;
    assert!(world.commits.is_short());
    let [last, again] = [world.begin(ADA, BOB), world.begin(ADA, BOB)];
    assert_eq!(last, again);
    assert_eq!(world.sent(ADA, BOB, last), behind(last));
    assert_eq!(world.sent(ADA, BOB, again), behind(last));
    assert_eq!(world.cut(ADA), Cut::Unknown);
    world.commits.extend(5 * RESERVE.unsigned_abs());
    let next = world.begin(ADA, BOB);
    assert_eq!(next, 4 * RESERVE.unsigned_abs() + 1);
    assert_eq!(world.sent(ADA, BOB, next), exactly(next));
}
