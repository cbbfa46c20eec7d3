//! One life of the server: the real chat over the disk, the hub of its connections, and their tasks.

use std::{collections::BTreeMap, sync::Arc};

use chat_domain::{
    Chat, ChatError, ChatSettings, Delivery, Departure, Deps, Identity,
    model::{Event, Limits, SocketId, UserId},
    ports::{Clock, EventBus, ReceiptKind, Tokens},
};
use chat_testkit::{FakeHasher, FakeSeals, FakeTokens, SequentialIds};
use chat_verify::{Notice, Request};
use parking_lot::Mutex;

use crate::{
    bugs::Bug,
    disk::{Disk, Platter},
    net::{Down, Net},
    sim::{Sim, Tasks},
    socket::{Inbox, Socket},
    wire,
};

/// How often the chat looks for what is over by itself, in milliseconds.
const TICK: u64 = 250;

/// What outlives the server.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) sim: Arc<Sim>,
    pub(crate) net: Arc<Net>,
    pub(crate) platter: Arc<Platter>,
    pub(crate) ids: Arc<SequentialIds>,
}

/// Who is connected, and over what.
type Seats = BTreeMap<UserId, Vec<(SocketId, u64)>>;

/// Tells the connections of this life what happens.
struct Hub {
    world: World,
    // Short, never held across an await.
    seats: Mutex<Seats>,
}

impl Hub {
    fn tell(&self, user: UserId, except: Option<&SocketId>, notice: &Notice) {
        let seats = self.seats.lock();
        let strangers = self.world.platter.flaw().is(Bug::ToldToStrangers);
        let told = seats.iter().filter(|(id, _)| **id == user || strangers).flat_map(|(_, seats)| seats);
        for (_, number) in told.filter(|(id, _)| Some(id) != except) {
            self.world.net.tell(*number, Down::Notice(notice.clone()));
        }
    }
}

impl EventBus for Hub {
    fn publish(&self, event: Event) {
        match event {
            Event::Message { message, except, .. } => {
                let notice = Notice::Arrived(wire::message(&message));
                for user in [message.receiver, message.sender] {
                    self.tell(user, except.as_ref(), &notice);
                }
            }
            Event::Edited { message, .. } => {
                let notice = Notice::Edited(wire::message(&message));
                for user in [message.receiver, message.sender] {
                    self.tell(user, None, &notice);
                }
            }
            Event::Deleted { message, .. } => {
                let notice = Notice::Deleted(message.id.to_string());
                for user in [message.receiver, message.sender] {
                    self.tell(user, None, &notice);
                }
            }
            Event::Receipt { kind, receiver, sender, messages, except, .. } => {
                for id in messages {
                    let notice = Notice::Receipt { message: id.to_string(), read: kind == ReceiptKind::Read };
                    if kind == ReceiptKind::Read {
                        self.tell(receiver, except.as_ref(), &notice);
                    }
                    self.tell(sender, except.as_ref().filter(|_| kind == ReceiptKind::Read), &notice);
                }
            }
            Event::Typing { receiver, .. } => self.tell(receiver, None, &Notice::Other),
            // Of presence the judge knows nothing.
            Event::Blocking { .. } | Event::Online { .. } | Event::Offline { .. } | _ => {}
        }
    }
}

/// A server that runs.
pub(crate) struct Server {
    world: World,
    chat: Arc<Chat>,
    hub: Arc<Hub>,
    sockets: BTreeMap<u64, (SocketId, UserId, Arc<Inbox>)>,
}

impl Server {
    /// Starts on what the disk has.
    pub(crate) fn start(world: &World, tasks: &mut Tasks) -> Self {
        let hub = Arc::new(Hub { world: world.clone(), seats: Mutex::default() });
        let bus: Arc<dyn EventBus> = Arc::<Hub>::clone(&hub);
        let disk = Disk::open(&world.platter, Delivery::new(Arc::clone(&bus)), tasks);
        let chat = Arc::new(Chat::new(Deps {
            users: disk.clone(),
            log: disk.clone(),
            messages: disk.clone(),
            conversations: disk.clone(),
            changes: disk.clone(),
            replays: None,
            blocks: disk,
            passwords: Arc::new(FakeHasher),
            tokens: Arc::new(FakeTokens),
            seals: Arc::new(FakeSeals),
            bus,
            clock: Arc::new(world.sim.clock.clone()),
            ids: Arc::<SequentialIds>::clone(&world.ids),
            limits: Limits::default(),
            settings: ChatSettings { cached_users: 1_000, ..ChatSettings::default() },
        }));
        tasks.spawn(tick(Arc::clone(&chat), Arc::clone(&world.sim)));
        Self { world: world.clone(), chat, hub, sockets: BTreeMap::new() }
    }

    /// A device connects.
    pub(crate) fn connect(&mut self, number: u64, user: UserId, tasks: &mut Tasks) {
        let id = SocketId::new(format!("s{number}"));
        let inbox = Arc::new(Inbox::default());
        self.sockets.insert(number, (id.clone(), user, Arc::clone(&inbox)));
        let (world, chat, hub) = (self.world.clone(), Arc::clone(&self.chat), Arc::clone(&self.hub));
        tasks.spawn(async move {
            match admit(&chat, &world.sim, user).await {
                Ok((identity, blocked)) if !inbox.ended() => {
                    hub.seats.lock().entry(user).or_default().push((id.clone(), number));
                    world.net.tell(number, Down::Opened);
                    chat.presence.connect(&identity, id.clone(), &blocked);
                    let World { sim, net, .. } = world;
                    Socket { sim, net, chat, number, id, identity: Arc::new(identity), inbox }.run().await;
                }
                _ => world.net.drop_link(number),
            }
        });
    }

    /// A device asks.
    pub(crate) fn request(&self, number: u64, ack: u64, request: Request) {
        if let Some((_, _, inbox)) = self.sockets.get(&number) {
            inbox.push(&self.world.sim, ack, request);
        }
    }

    /// A link is gone.
    pub(crate) fn end(&mut self, number: u64) {
        let Some((id, user, inbox)) = self.sockets.remove(&number) else { return };
        if let Some(seats) = self.hub.seats.lock().get_mut(&user) {
            seats.retain(|(_, other)| *other != number);
        }
        inbox.end();
        if self.chat.presence.disconnect(user, &id, Departure::Lost) {
            self.chat.typing.leave(user);
        }
    }
}

/// Checks a token that was issued just now, and reads what the hub would need of the user.
async fn admit(chat: &Chat, sim: &Sim, user: UserId) -> Result<(Identity, Arc<[UserId]>), ChatError> {
    let issued = FakeTokens.issue(user, "", sim.clock.now())?;
    let identity = chat.accounts.authenticate(&issued.token).await?;
    let circle = chat.circles.around(user).await?;
    Ok((identity, circle.blocked))
}

/// What nobody asks for, as long as the process lives.
async fn tick(chat: Arc<Chat>, sim: Arc<Sim>) {
    loop {
        sim.after(TICK).await;
        chat.presence.tick();
        chat.typing.tick();
        chat.presence.flush().await;
    }
}
