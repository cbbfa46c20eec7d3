//! All use cases together, on fakes of every port: what one of them writes, the others show.

#![expect(clippy::unwrap_used, reason = "the helpers of these tests fail like the tests")]

use std::{sync::Arc, time::Duration};

use chat_domain::{
    Chat, ChatSettings, Delivery, Departure, Deps, GiveReceipt, Grant, HistoryPosition, HistoryRequest,
    ListUsers, Registration, SendMessage,
    model::{Event, Limits, SocketId},
    ports::{Appended, Clock, Login, ReceiptKind},
};
use chat_testkit::{
    FakeHasher, FakeSeals, FakeTokens, ManualClock, MemoryStore, RecordingBus, SequentialIds, build,
};
use futures_executor::block_on;

struct World {
    chat: Chat,
    bus: Arc<RecordingBus>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let (bus, clock) = (RecordingBus::new(), ManualClock::new());
        let delivery = Arc::new(Delivery::new(bus.clone()));
        let store = MemoryStore::new(Arc::new(clock.clone()), delivery);
        let chat = Chat::new(Deps {
            users: store.clone(),
            log: store.clone(),
            messages: store.clone(),
            conversations: store.clone(),
            changes: store.clone(),
            replays: None,
            blocks: store,
            passwords: Arc::new(FakeHasher),
            tokens: Arc::new(FakeTokens),
            seals: Arc::new(FakeSeals),
            bus: bus.clone(),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SequentialIds::new()),
            limits: Limits::default(),
            settings: ChatSettings::default(),
        });
        Self { chat, bus, clock }
    }

    fn register(&self, name: &str) -> Grant {
        let (username, email) = (name.to_owned(), format!("{name}@example.org"));
        let registration = Registration { username, email, password: "long enough".to_owned() };
        block_on(self.chat.accounts.register(registration)).unwrap()
    }

    fn send(&self, from: &Grant, to: &Grant, name: &str) -> Appended {
        let message = SendMessage {
            sender: from.user.user.id,
            receiver: to.user.user.id,
            text: build::text("hello"),
            client_id: Some(build::client_id(name)),
            deadline: self.chat.messaging.deadline(self.clock.instant()),
            except: None,
        };
        block_on(self.chat.messaging.send(message)).unwrap()
    }
}

#[test]
fn who_registered_can_log_in_and_is_known_by_the_token() {
    let world = World::new();
    let anna = world.register("Anna");
    let login = Login::Email("ANNA@example.org".to_owned());
    let grant = block_on(world.chat.accounts.login(login, "long enough".to_owned())).unwrap();
    let who = block_on(world.chat.accounts.authenticate(&grant.token.token)).unwrap();
    assert_eq!((who.user, &*who.username), (anna.user.user.id, "Anna"));
    assert_eq!(block_on(world.chat.accounts.profile(who.user)).unwrap(), anna.user);
}

#[test]
fn a_message_is_delivered_once_listed_read_and_told_as_read() {
    let world = World::new();
    let (anna, berta) = (world.register("anna"), world.register("berta"));
    let (a, b) = (anna.user.user.id, berta.user.user.id);
    let message = world.send(&anna, &berta, "n1").message;
    assert!(world.send(&anna, &berta, "n1").repeated);
    assert_eq!(world.bus.take(), [Event::Message { message: message.clone(), except: None, number: None }]);

    let list = || block_on(world.chat.history.conversations(b, None, None)).unwrap();
    assert_eq!((list().items[0].user.id, list().items[0].unread), (a, 1));

    let deadline = world.chat.messaging.deadline(world.clock.instant());
    let kind = ReceiptKind::Read;
    let receipt = GiveReceipt { kind, receiver: b, message: message.id, deadline, except: None };
    let read = block_on(world.chat.messaging.receipt(receipt)).unwrap();
    let told = Event::Receipt {
        kind,
        receiver: b,
        sender: a,
        messages: vec![message.id],
        except: None,
        number: None,
    };
    assert_eq!((read.count, world.bus.take()), (1, vec![told]));
    assert_eq!(list().items[0].unread, 0);

    let newest = HistoryRequest { limit: None, position: HistoryPosition::Newest { skip: 0 } };
    let page = block_on(world.chat.history.page(a, b, newest)).unwrap();
    assert_eq!((page.messages.len(), page.messages[0].is_read(), page.next), (1, true, None));
}

#[test]
fn a_history_is_walked_by_its_cursors() {
    let world = World::new();
    let (anna, berta) = (world.register("anna"), world.register("berta"));
    (0..7).for_each(|number| drop(world.send(&anna, &berta, &format!("n{number}"))));
    let (mut met, mut position) = (Vec::new(), HistoryPosition::Newest { skip: 0 });
    loop {
        let request = HistoryRequest { limit: Some(3), position };
        let page = block_on(world.chat.history.page(anna.user.user.id, berta.user.user.id, request)).unwrap();
        met.splice(0..0, page.messages.iter().map(|message| message.seq));
        let Some(next) = page.next else { break };
        position = HistoryPosition::Before(next);
    }
    assert_eq!(met, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn presence_is_shown_live_and_stays_when_it_was_written() {
    let world = World::new();
    let (anna, berta) = (world.register("anna"), world.register("berta"));
    let who = block_on(world.chat.accounts.authenticate(&anna.token.token)).unwrap();
    let shown = || {
        let page = block_on(world.chat.directory.list(berta.user.user.id, ListUsers::default())).unwrap();
        (page.items[0].is_online, page.items[0].last_seen)
    };
    let (socket, came) = (SocketId::new("s1"), world.clock.now());
    world.chat.presence.connect(&who, socket.clone(), &Arc::default());
    assert_eq!(shown(), (true, Some(came)));
    world.clock.advance(Duration::from_secs(60));
    world.chat.presence.disconnect(who.user, &socket, Departure::Clean);
    let left = (false, Some(world.clock.now()));
    assert_eq!(shown(), left, "before it is written");
    block_on(world.chat.presence.flush());
    assert_eq!(shown(), left, "after it was written");
}
