// What every client is put through, in order, by scenario. The programs in js/, python/ and java/ report these names.

/** Scenario → check → what it shows, in words for docs/clients.md. */
export const CHECKS = {
  chat: {
    connect: 'connects with `auth: {token}`, hears `online_users` and, on the other side, `user_online`',
    refused: 'a bad token: `connect_error` with `data.code` `unauthorized`, and no connection',
    ack: '`private_message` with an acknowledgement; the text (astral, combining, right-to-left, U+2028) comes back unchanged',
    delivery: 'the peer receives exactly the acknowledged message',
    confirmed: 'a send without acknowledgement comes back as its own confirmation, and reaches the peer',
    typing: '`typing` begins and ends at the peer',
    read: '`message_read` is acknowledged with its count and told to the sender',
    history: '`get_chat_history` over an acknowledgement: both messages, in order',
    failed: 'a wrong request: `{ok: false, error}` with an acknowledgement, the `error` event without one',
    reconnect: 'after `kill -9` and a new start on the same port both sides come back by themselves, send and receive',
    disconnect: 'a clean disconnect is told to the peer at once, not after the grace time of a lost link',
  },
  echo: {
    auth: 'the handshake’s `auth` arrives at the server',
    plain: 'an event with JSON arguments of every kind, there and back',
    binary: 'four attachments in one event, nested, one of them empty, there and back',
    ack: 'an acknowledgement with JSON arguments, and one without any',
    'ack-binary': 'an acknowledgement with attachments',
    'server-ack': 'the server asks for an acknowledgement and gets one, with attachments in both directions',
    namespace: '`/custom` beside `/` over one connection, with its `auth` and its own events',
    'namespace-close': 'one namespace is left, the other one stays',
    'unknown-namespace': 'an unknown namespace: `connect_error` `Invalid namespace`, and the connection stays',
    order: '100 events, text and binary by turns, sent from the first moment on, come back complete and in order',
    large: '100 KB of text and 300 KB of bytes in one event',
    heartbeat: 'the connection outlives six heartbeats and the ping timeout under traffic',
    cut: 'after the network was away the client comes back by itself with a new id',
    disconnect: 'disconnects, connects again with a new id, and goes on',
  },
  refusal: {
    refused: 'Engine.IO’s own refusal, `{"code":5,"message":"Unsupported protocol version"}` with status 400, and no connection',
  },
};

/** Transport → what its column is called. */
export const TRANSPORTS = { polling: 'polling', websocket: 'websocket', upgrade: 'polling, then upgrade' };
