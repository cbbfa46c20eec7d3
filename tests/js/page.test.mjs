// The page in headless Chromium, used as people use it; screenshots go to artifacts/.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { REMOTE, closeAll, connect, register, send, startServer } from './server.mjs';
import {
  PHONE,
  bubble,
  composer,
  fated,
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
  await fated(ann, 'two', 'Sent').waitFor();
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

test('a server that was killed is found again by itself', { skip: REMOTE !== undefined }, async () => {
  const { ann, bob, annName, bobName } = await twoPeople();
  await openTalk(ann, bobName);
  await write(ann, 'before');
  await fated(ann, 'before', 'Sent').waitFor();
  await server.kill();
  await ann.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  await write(ann, 'while it was away');
  await server.start();
  await fated(ann, 'while it was away', 'Sent').waitFor();
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
    const [key, value] = Object.entries(localStorage)[0];
    localStorage.setItem(key, JSON.stringify({ ...JSON.parse(value), token: 'not.a.token' }));
  });
  await page.reload();
  await page.getByRole('status').filter({ hasText: 'Please log in again' }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await leave(page);
});
