// History by pages, over REST and over the socket, and the list of conversations.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  TRANSPORTS,
  assertError,
  assertMessage,
  assertUser,
  closeAll,
  connect,
  fails,
  nextEvent,
  ok,
  register,
  rest,
  send,
  startServer,
} from './server.mjs';

let server, ann, bob, cat, socket, other, ids;
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);
const seqs = (page) => page.messages.map((message) => message.seq);

before(async () => {
  server = await startServer();
  [ann, bob, cat] = await Promise.all(['ann', 'bob', 'cat'].map(() => register(server.url)));
  socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
  other = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const sent = await Promise.all(
    upTo(120).map((n) => (n % 3 ? send(socket, bob.user.id, `m${n}`) : send(other, ann.user.id, `m${n}`))),
  );
  ids = sent.toSorted((a, b) => a.seq - b.seq).map((message) => message.id);
});
after(async () => {
  closeAll();
  await server.stop();
});

const overRest = async (query) => {
  const parameters = new URLSearchParams(query);
  const answer = await rest(server.url, 'GET', `/api/chat/history/${bob.user.id}?${parameters}`, { token: ann.token });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};
const overSocket = async (query) => {
  const { ok: accepted, ...page } = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id, ...query });
  assert.ok(accepted);
  return page;
};

for (const [name, page] of Object.entries({ REST: overRest, 'the socket': overSocket })) {
  describe(`history over ${name}`, () => {
    test('a page has the newest 50 by default, oldest first, and the cursor of the next', async () => {
      const first = await page({});
      assert.deepEqual(Object.keys(first).sort(), ['messages', 'next', 'otherUserId']);
      assert.equal(first.otherUserId, bob.user.id);
      assert.deepEqual(seqs(first), upTo(120).slice(-50));
      for (const message of first.messages) assertMessage(message, { isRead: false });
      assert.equal(first.next, first.messages[0].id);
    });

    test('limit and skip count from the newest', async () => {
      assert.deepEqual(seqs(await page({ limit: 10, skip: 0 })), upTo(120).slice(110));
      assert.deepEqual(seqs(await page({ limit: 10, skip: 15 })), upTo(105).slice(95));
      assert.deepEqual(seqs(await page({ limit: 10, skip: 115 })), upTo(5));
      const beyond = await page({ limit: 10, skip: 500 });
      assert.deepEqual([beyond.messages, beyond.next], [[], null]);
      assert.deepEqual(seqs(await page({ limit: 100 })), upTo(120).slice(20));
    });

    test('a walk by before sees every message once and ends with null', async () => {
      let walked = [];
      let before;
      do {
        const part = await page({ limit: 7, ...(before && { before }) });
        assert.ok(part.messages.length > 0);
        walked = [...seqs(part), ...walked];
        before = part.next;
      } while (before !== null);
      assert.deepEqual(walked, upTo(120));
    });

    test('a walk by after sees every later message once and ends with null', async () => {
      const walked = [];
      let after = ids[9];
      do {
        const part = await page({ limit: 11, after });
        walked.push(...seqs(part));
        after = part.next;
      } while (after !== null);
      assert.deepEqual(walked, upTo(120).slice(10));
      const end = await page({ after: ids.at(-1) });
      assert.deepEqual([end.messages, end.next], [[], null]);
    });

    test('a cursor may stand in upper case', async () => {
      assert.deepEqual(seqs(await page({ limit: 2, before: ids[9].toUpperCase() })), [8, 9]);
    });
  });
}

test('chat_history is the answer to a socket that asked without a callback', async () => {
  const same = await connect(server.url, ann.token, TRANSPORTS.polling);
  same.emit('get_chat_history', { otherUserId: bob.user.id, limit: 3 });
  const page = await nextEvent(same, 'chat_history');
  assert.deepEqual(Object.keys(page).sort(), ['messages', 'otherUserId']);
  assert.equal(page.otherUserId, bob.user.id);
  assert.deepEqual(seqs(page), [118, 119, 120]);
});

test('a conversation without a message is an empty page', async () => {
  const page = await ok(socket, 'get_chat_history', { otherUserId: cat.user.id });
  assert.deepEqual([page.messages, page.next], [[], null]);
});

describe('what history refuses', () => {
  const CASES = [
    ['limit 0', { limit: 0 }, 'invalid_input', 'limit'],
    ['limit 101', { limit: 101 }, 'invalid_input', 'limit'],
    ['a negative skip', { skip: -1 }, 'invalid_input', 'skip'],
    ['a limit in words', { limit: 'ten' }, 'invalid_input', 'limit'],
    ['a cursor that is no id', { before: 'x' }, 'invalid_input', 'before'],
    ['an unknown cursor', { before: 'f'.repeat(24) }, 'invalid_input'],
    ['skip with before', () => ({ skip: 1, before: ids[5] }), 'invalid_input'],
    ['before with after', () => ({ after: ids[1], before: ids[5] }), 'invalid_input'],
    ['a cursor of another conversation', async () => ({ after: await foreign() }), 'invalid_input'],
  ];
  const foreign = async () => (await send(socket, cat.user.id, 'elsewhere')).id;

  for (const [name, given, code, field] of CASES) {
    test(`${name}: ${code}, over REST and the socket`, async () => {
      const query = typeof given === 'function' ? await given() : given;
      await fails(socket, 'get_chat_history', { otherUserId: bob.user.id, ...query }, code, field);
      const path = `/api/chat/history/${bob.user.id}?${new URLSearchParams(query)}`;
      const answer = await rest(server.url, 'GET', path, { token: ann.token });
      assert.equal(answer.status, 400, answer.text);
      assertError(answer.json, code, field);
    });
  }

  test('an unknown user is not_found, an id that is none invalid_input', async () => {
    for (const [id, code, status] of [['f'.repeat(24), 'not_found', 404], ['bob', 'invalid_input', 400]]) {
      await fails(socket, 'get_chat_history', { otherUserId: id }, code);
      const answer = await rest(server.url, 'GET', `/api/chat/history/${id}`, { token: ann.token });
      assert.equal(answer.status, status);
      assertError(answer.json, code);
    }
    await fails(socket, 'get_chat_history', {}, 'invalid_input', 'otherUserId');
    socket.emit('get_chat_history', { otherUserId: 'bob' });
    assertError(await nextEvent(socket, 'error'), 'invalid_input', 'otherUserId');
  });

  test('a parameter given twice is invalid_input', async () => {
    for (const query of ['skip=1&skip=2', `before=${ids[3]}&before=${ids[4]}`, 'limit=1&limit=2']) {
      const answer = await rest(server.url, 'GET', `/api/chat/history/${bob.user.id}?${query}`, { token: ann.token });
      assert.equal(answer.status, 400, `${query}: ${answer.text}`);
      assertError(answer.json, 'invalid_input');
    }
  });

  test('nobody reads the conversation of two others', async () => {
    const answer = await rest(server.url, 'GET', `/api/chat/history/${bob.user.id}`, { token: cat.token });
    assert.deepEqual(answer.json.messages, []);
    const page = await rest(server.url, 'GET', `/api/chat/history/${bob.user.id}?before=${ids[9]}`, {
      token: cat.token,
    });
    assertError(page.json, 'invalid_input');
  });
});

describe('conversations', () => {
  let me, mine, partners;
  const list = async (query = '') => {
    const answer = await rest(server.url, 'GET', `/api/chat/conversations${query}`, { token: me.token });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };

  before(async () => {
    me = await register(server.url);
    mine = await connect(server.url, me.token, TRANSPORTS.websocket);
    partners = [];
    for (const n of upTo(5)) {
      const user = await register(server.url);
      const theirs = await connect(server.url, user.token, TRANSPORTS.websocket);
      let last;
      for (let i = 0; i < n; i += 1) last = await send(theirs, me.user.id, `${n}/${i}`);
      partners.unshift({ user, theirs, last, unread: n });
    }
  });

  test('stand most recent first, with the last message and the unread count', async () => {
    const { conversations, next } = await list();
    assert.equal(next, null);
    assert.deepEqual(conversations.map((item) => item.user.id), partners.map(({ user }) => user.user.id));
    conversations.forEach((item, index) => {
      assert.deepEqual(Object.keys(item).sort(), ['lastMessage', 'unreadCount', 'user']);
      assertUser(item.user, { username: partners[index].user.user.username, isOnline: true });
      assert.deepEqual(item.lastMessage, partners[index].last);
      assert.equal(item.unreadCount, partners[index].unread);
    });
  });

  test('come in pages', async () => {
    const first = await list('?limit=2');
    assert.equal(first.conversations.length, 2);
    assert.equal(typeof first.next, 'string');
    const second = await list(`?limit=2&after=${encodeURIComponent(first.next)}`);
    const third = await list(`?limit=2&after=${encodeURIComponent(second.next)}`);
    assert.equal(third.next, null);
    const all = [first, second, third].flatMap((page) => page.conversations.map((item) => item.user.id));
    assert.deepEqual(all, partners.map(({ user }) => user.user.id));
  });

  test('move up and change their counts as messages are sent and read', async () => {
    const [, , , , oldest] = partners;
    const sent = await send(mine, oldest.user.user.id, 'now first');
    const [top] = (await list('?limit=1')).conversations;
    assert.deepEqual([top.user.id, top.lastMessage.id], [oldest.user.user.id, sent.id]);
    assert.equal(top.unreadCount, 1);
    await ok(mine, 'message_read', { messageId: oldest.last.id });
    assert.equal((await list('?limit=1')).conversations[0].unreadCount, 0);
    await ok(oldest.theirs, 'message_read', { messageId: sent.id });
    assert.equal((await list('?limit=1')).conversations[0].lastMessage.isRead, true);
  });

  test('unread counting stops at 100', async () => {
    const { user, theirs } = partners[0];
    await Promise.all(upTo(120).map((n) => send(theirs, me.user.id, `more ${n}`)));
    const item = (await list()).conversations.find(({ user: { id } }) => id === user.user.id);
    assert.equal(item.unreadCount, 100);
  });

  test('refuse a wrong limit and a wrong cursor', async () => {
    for (const query of ['?limit=0', '?limit=101', '?limit=x', '?after=nonsense', '?limit=1&limit=1']) {
      const answer = await rest(server.url, 'GET', `/api/chat/conversations${query}`, { token: me.token });
      assert.equal(answer.status, 400, `${query}: ${answer.text}`);
      assertError(answer.json, 'invalid_input');
    }
  });
});
