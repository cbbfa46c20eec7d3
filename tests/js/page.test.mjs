// The page in headless Chromium, used as people use it; screenshots go to artifacts/.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { REMOTE, closeAll, connect, register, send, startServer } from './server.mjs';
import {
  PHONE,
  actions,
  bubble,
  composer,
  fated,
  focusedText,
  keepFiles,
  openPage,
  openTab,
  openTalk,
  row,
  shoot,
  side,
  signIn,
  signUp,
  startBrowser,
  until,
  write,
} from './support/page.mjs';

let server;
let browser;
const faults = [];

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});

after(async () => {
  closeAll();
  await browser?.close();
  await server?.stop();
  assert.deepEqual(faults, [], 'no script error, dialog or breach of the content security policy');
});

const open = (options) => openPage(browser, server.url, faults, options);
const leave = (...pages) => Promise.all(pages.map((page) => page.context().close()));

/** Two people who are both logged in. */
async function twoPeople(options = {}) {
  const [ann, bob] = await Promise.all([open(options.ann), open(options.bob)]);
  const [annName, bobName] = [await signUp(ann, 'Ann'), await signUp(bob, 'Bob')];
  return { ann, bob, annName, bobName };
}

test('two people register, see each other, and chat both ways', async () => {
  const { ann, bob, annName, bobName } = await twoPeople({ bob: { colorScheme: 'dark' } });
  await row(ann, bobName).filter({ hasText: 'online' }).waitFor();
  await openTalk(ann, bobName);
  await openTalk(bob, annName);

  await composer(ann).pressSequentially('Hello, Bo');
  await bob.getByRole('main').getByText('typing…').waitFor();
  await shoot(bob, 'typing-dark');
  await write(ann, 'Hello, Bob 👋\nשלום');
  await bubble(bob, 'Hello, Bob 👋').waitFor();
  await fated(ann, 'Hello, Bob 👋', 'Read').waitFor();
  await bob.getByRole('main').getByText('typing…').waitFor({ state: 'detached' });

  const markup = '<img src=x onerror="alert(1)"> & <b>bold</b>';
  await write(bob, markup);
  await bubble(ann, markup).waitFor();
  assert.equal(await ann.locator('main img, main b').count(), 0);
  await ann.getByRole('log', { name: 'New messages' }).getByText(markup).waitFor({ state: 'attached' });
  await shoot(ann, 'desktop-light');
  await shoot(bob, 'desktop-dark');
  await leave(ann, bob);
});

test('unread messages are counted, and every tab of a person stays in step', async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  const second = await openTab(bob.context(), server.url, faults);
  await openTalk(ann, bobName);
  await write(ann, 'one');
  await write(ann, 'two');
  for (const tab of [bob, second]) await row(tab, annName).filter({ hasText: '2 unread' }).waitFor();
  await until('the title counts', async () => (await bob.title()) === '(2) Chat');
  await fated(ann, 'two', 'Delivered').waitFor();
  await shoot(bob, 'unread');

  await openTalk(bob, annName);
  await fated(ann, 'one', 'Read').waitFor();
  for (const tab of [bob, second]) {
    await until('nothing is unread', async () => (await tab.title()) === 'Chat');
    await row(tab, annName).filter({ hasText: 'unread' }).waitFor({ state: 'detached' });
  }

  await write(bob, 'answer');
  await row(second, annName).filter({ hasText: 'You: answer' }).waitFor();
  await second.getByRole('button', { name: 'Log out' }).click();
  await bob.getByRole('form', { name: 'Log in' }).waitFor();
  assert.equal(await bob.evaluate(() => localStorage.length), 0);
  await leave(ann, bob);
});

test('history loads upwards and keeps its place', async () => {
  const [ann, bob] = [await register(server.url), await register(server.url)];
  const socket = await connect(server.url, ann.token);
  for (let i = 1; i <= 120; i += 1) await send(socket, bob.user.id, `message ${i}.`);
  const page = await open();
  await signIn(page, bob.user.username, bob.password);
  await row(page, ann.user.username).filter({ hasText: '99+' }).waitFor();
  await openTalk(page, ann.user.username);
  await bubble(page, 'message 120.').waitFor();
  assert.equal(await bubble(page, 'message').count(), 50);

  const log = page.getByRole('region', { name: /^Messages with/ });
  const place = (item) => item.getBoundingClientRect().top;
  const held = await bubble(page, 'message 75.').elementHandle();
  const before = await log.evaluate((element, item) => {
    element.scrollTop = 300;
    return item.getBoundingClientRect().top;
  }, held);
  await until('the page before is there', async () => (await bubble(page, 'message').count()) === 100);
  assert.ok(Math.abs((await held.evaluate(place)) - before) < 3, 'what was read has not moved');
  await shoot(page, 'history');

  await page.getByRole('button', { name: 'Earlier messages' }).focus();
  await page.keyboard.press('Enter');
  await bubble(page, /message 1\./).waitFor();
  await page.getByRole('button', { name: 'Earlier messages' }).waitFor({ state: 'hidden' });
  await send(socket, bob.user.id, 'message 121.');
  await bubble(page, 'message 121.').waitFor();
  await page.getByRole('button', { name: 'Jump to the newest message' }).click();
  await row(page, ann.user.username).filter({ hasText: 'unread' }).waitFor({ state: 'detached' });
  const texts = await bubble(page, 'message').locator('.text').allTextContents();
  assert.deepEqual(texts, Array.from({ length: 121 }, (_, i) => `message ${i + 1}.`));
  await leave(page);
});

test('without a line a banner says so, and what is written meanwhile arrives once', async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await openTalk(bob, annName);
  await ann.context().setOffline(true);
  await ann.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  await write(ann, 'written offline');
  await fated(ann, 'written offline', 'Sending').waitFor();
  await write(bob, 'sent meanwhile');
  await fated(bob, 'sent meanwhile', 'Sent').waitFor();
  await shoot(ann, 'banner');

  await ann.context().setOffline(false);
  await fated(ann, 'written offline', 'Read').waitFor();
  await bubble(ann, 'sent meanwhile').waitFor();
  await ann.getByText('Connection lost').waitFor({ state: 'hidden' });
  for (const page of [ann, bob]) assert.equal(await bubble(page, 'written offline').count(), 1);
  await leave(ann, bob);
});

test('a queue survives going offline and a reload, and arrives once and in order', async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await write(ann, 'first');
  await fated(ann, 'first', 'Delivered').waitFor();
  await keepFiles(ann);
  await fated(ann, 'first', 'Delivered').waitFor();
  await ann.context().setOffline(true);
  await ann.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  for (const text of ['queued one', 'queued two', 'queued three']) await write(ann, text);
  await fated(ann, 'queued three', 'Sending').waitFor();
  await ann.reload();
  await fated(ann, 'queued three', 'Sending').waitFor();
  assert.equal(await bubble(ann, 'queued').count(), 3);
  await shoot(ann, 'queue');

  await ann.context().setOffline(false);
  await openTalk(bob, annName);
  await bubble(bob, 'queued three').waitFor();
  const texts = await bubble(bob, /first|queued/).locator('.text').allTextContents();
  assert.deepEqual(texts, ['first', 'queued one', 'queued two', 'queued three']);
  await fated(ann, 'queued three', 'Read').waitFor();
  assert.equal(await bubble(ann, 'queued').count(), 3);
  assert.deepEqual(await ann.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('.out.'))), []);
  await leave(ann, bob);
});

test('ticks go from sent over delivered to read, on every tab of the sender', async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await bob.context().setOffline(true);
  await bob.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  await write(ann, 'how far did it come?');
  await fated(ann, 'how far did it come?', 'Sent').waitFor();
  const second = await openTab(ann.context(), server.url, faults);
  await openTalk(second, bobName);
  await bob.context().setOffline(false);
  for (const page of [ann, second]) await fated(page, 'how far did it come?', 'Delivered').waitFor();
  await shoot(ann, 'delivered');
  await openTalk(bob, annName);
  for (const page of [ann, second]) await fated(page, 'how far did it come?', 'Read').waitFor();
  await leave(ann, bob);
});

test('one edits and deletes what one wrote, by keyboard, and both sides see it', async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await openTalk(bob, annName);
  await write(ann, 'a tpyo');
  await write(ann, 'a slip');
  await bubble(bob, 'a slip').waitFor();
  await fated(ann, 'a slip', 'Read').waitFor();

  await actions(ann, 'a tpyo').focus();
  await ann.keyboard.press('Enter');
  await until('Edit has the focus', () => focusedText(ann, 'Edit'));
  await shoot(ann, 'actions');
  await ann.keyboard.press('Enter');
  const editor = ann.getByRole('textbox', { name: /^Edit your message/ });
  await until('the text stands in the composer', async () => (await editor.inputValue()) === 'a tpyo');
  await shoot(ann, 'editing');
  await editor.fill('a typo');
  await ann.keyboard.press('Enter');
  for (const page of [ann, bob]) await bubble(page, 'a typo').filter({ hasText: 'edited' }).waitFor();
  await bubble(bob, 'a tpyo').waitFor({ state: 'detached' });
  assert.equal(await composer(ann).inputValue(), '');

  await actions(ann, 'a slip').focus();
  await ann.keyboard.press('Enter');
  await until('Edit has the focus', () => focusedText(ann, 'Edit'));
  await ann.keyboard.press('Tab');
  await ann.keyboard.press('Enter');
  await until('the question has the focus', () => focusedText(ann, 'Delete for both'));
  await ann.keyboard.press('Enter');
  await bubble(ann, 'You deleted this message').waitFor();
  await bubble(bob, 'This message was deleted').waitFor();
  await row(bob, annName).filter({ hasText: 'Message deleted' }).waitFor();
  assert.equal(await bubble(bob, 'a slip').count(), 0);
  assert.equal(await bob.getByRole('button', { name: /^Actions for/ }).count(), 0, "nobody acts on others' messages");
  await shoot(bob, 'edited-deleted');
  await bob.reload();
  await bubble(bob, 'a typo').filter({ hasText: 'edited' }).waitFor();
  await bubble(bob, 'This message was deleted').waitFor();
  await leave(ann, bob);
});

test('an edit that was begun is left with Escape, and the draft is still there', async () => {
  const { ann, bob, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await write(ann, 'stays as it is');
  await fated(ann, 'stays as it is', 'Delivered').waitFor();
  await composer(ann).fill('a draft');
  await actions(ann, 'stays as it is').click();
  await ann.getByRole('button', { name: 'Edit', exact: true }).click();
  await ann.getByRole('textbox', { name: /^Edit your message/ }).fill('changed');
  await ann.keyboard.press('Escape');
  await until('the draft is back', async () => (await composer(ann).inputValue()) === 'a draft');
  await bubble(ann, 'stays as it is').waitFor();
  await leave(ann, bob);
});

test('a block stops messages and presence both ways, is explained, and is taken back', async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await openTalk(bob, annName);
  await write(ann, 'before the block');
  await bubble(bob, 'before the block').waitFor();
  await ann.getByRole('button', { name: 'Conversation menu' }).click();
  await shoot(ann, 'menu');
  await ann.getByRole('menuitem', { name: `Block ${bobName}` }).press('Enter');
  await ann.getByRole('status').filter({ hasText: `You blocked ${bobName}` }).waitFor();
  for (const page of [ann, bob]) await page.locator('.talk-presence').filter({ hasText: 'Last seen' }).waitFor();
  await shoot(ann, 'blocked');
  const elsewhere = await open();
  await signIn(elsewhere, annName, 'correct horse');
  await openTalk(elsewhere, bobName);
  await elsewhere.getByRole('status').filter({ hasText: `You blocked ${bobName}` }).waitFor();
  await leave(elsewhere);

  await write(bob, 'can you hear me?');
  await bubble(bob, 'One of you has blocked the other').waitFor();
  await shoot(bob, 'forbidden');
  // The list that the page asks for now is read under the block, and comes after its end: it must not hide Bob again.
  let arrive;
  const held = new Promise((done) => (arrive = done));
  await ann.route('**/api/chat/conversations*', async (route) => {
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  await ann.reload();
  await ann.getByRole('status').filter({ hasText: `You blocked ${bobName}` }).waitFor();
  assert.equal(await bubble(ann, 'can you hear me?').count(), 0);

  await ann.getByRole('button', { name: 'Unblock' }).click();
  await ann.getByText(`You blocked ${bobName}`).waitFor({ state: 'hidden' });
  for (const page of [ann, bob]) await page.locator('.talk-presence').filter({ hasText: 'Online' }).waitFor();
  const listed = ann.waitForResponse(/conversations/);
  arrive();
  await listed;
  await bob.getByRole('button', { name: 'Try again' }).click();
  await fated(bob, 'can you hear me?', 'Read').waitFor();
  await bubble(ann, 'can you hear me?').waitFor();
  assert.equal(await ann.locator('.talk-presence').textContent(), 'Online');
  await leave(ann, bob);
});

test('a server that was killed is found again by itself', { skip: REMOTE !== undefined }, async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await write(ann, 'before');
  await fated(ann, 'before', 'Delivered').waitFor();
  await server.kill();
  await ann.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  await write(ann, 'while it was away');
  await server.start();
  await fated(ann, 'while it was away', 'Delivered').waitFor();
  await row(bob, annName).filter({ hasText: '2 unread' }).waitFor();
  await leave(ann, bob);
});

test('a phone shows the list or a conversation, and the back button leads from one to the other', async () => {
  const phone = { viewport: PHONE, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const { ann, bob, annName, bobName } = await twoPeople({ ann: phone });
  await shoot(ann, 'phone-list');
  await openTalk(ann, bobName);
  await side(ann).waitFor({ state: 'hidden' });
  await write(ann, 'from the phone');
  await row(bob, annName).filter({ hasText: 'from the phone' }).waitFor();
  await shoot(ann, 'phone-talk');
  const width = await ann.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.width, `nothing sticks out (${width})`);
  await ann.goBack();
  await side(ann).waitFor();
  await ann.getByRole('main').waitFor({ state: 'hidden' });
  await openTalk(ann, bobName);
  await ann.getByRole('button', { name: 'Back to the list' }).click();
  await side(ann).waitFor();
  await leave(ann, bob);
});

test('the keyboard alone is enough', async () => {
  const bob = await register(server.url);
  const page = await open({ reducedMotion: 'reduce' });
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.id);
  const annName = await signUp(page, 'Ann');
  await page.getByRole('button', { name: 'Log out' }).focus();
  await keyboard.press('Enter');
  await until('the first field has the focus', async () => (await focused()) === 'field-login');
  for (const text of [annName, 'correct horse']) {
    await keyboard.type(text);
    await keyboard.press('Tab');
  }
  await keyboard.press('Enter');
  await side(page).waitFor();

  while ((await focused()) !== 'search') await keyboard.press('Tab');
  await keyboard.type(bob.user.username);
  await row(page, bob.user.username).waitFor();
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await until('the composer has the focus', async () => (await focused()) === 'composer');
  await keyboard.type('first');
  await keyboard.press('Shift+Enter');
  await keyboard.type('second');
  await keyboard.press('Enter');
  await fated(page, 'first\nsecond', 'Sent').waitFor();
  await shoot(page, 'keyboard');
  await keyboard.press('Escape');
  await page.getByText('Your messages').waitFor();
  const here = await page.evaluate(() => document.activeElement?.textContent);
  assert.ok(here.includes(bob.user.username), 'the focus is back on the row it came from');
  await leave(page);
});

test('wrong input is explained, and a token that is no longer good leads back to the login', async () => {
  const page = await open();
  await page.getByLabel('Username or email').fill('nobody-of-this-name');
  await page.getByLabel('Password').fill('wrong horse');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  await shoot(page, 'login-error');
  await page.reload();
  await signUp(page, 'Ann');
  await page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem('chat.session'));
    localStorage.setItem('chat.session', JSON.stringify({ ...session, token: 'not.a.token' }));
  });
  await page.reload();
  await page.getByRole('status').filter({ hasText: 'Please log in again' }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await leave(page);
});
