// A headless browser, and the page in it as its users find it: by roles and labels.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { uniqueName } from './http.mjs';

/** Screenshots go here; they are not committed. */
export const ARTIFACTS = fileURLToPath(new URL('../../../artifacts/', import.meta.url));
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
const WAIT_MS = 30_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium; CHROMIUM_BIN names another one. */
export function startBrowser() {
  mkdirSync(ARTIFACTS, { recursive: true });
  return chromium.launch({ executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium', args: FLAGS });
}

/** Opens the page as somebody of their own: a browser profile without a past. `faults` collects what must not happen. */
export async function openPage(browser, url, faults, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(WAIT_MS);
  return openTab(context, url, faults);
}

/** Opens another tab of the same person. */
export async function openTab(context, url, faults) {
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on('console', (line) => /Content Security Policy/i.test(line.text()) && faults.push(line.text()));
  const answer = await page.goto(url);
  assert.equal(answer.status(), 200, 'the page is there (built by `make`)');
  await page.locator('#app > *').waitFor();
  return page;
}

/** From now on the page's own files come from memory, so that it can be reloaded without a line, as from a browser's cache. */
export async function keepFiles(page) {
  const kept = new Map();
  const answer = async (route) => {
    const url = route.request().url();
    if (!kept.has(url)) {
      const response = await route.fetch();
      kept.set(url, { status: response.status(), headers: response.headers(), body: await response.body() });
    }
    await route.fulfill(kept.get(url));
  };
  await page.context().route((url) => !/^\/(socket\.io|api)\//.test(url.pathname), answer);
  await page.reload();
}

/** Makes an account through the page; resolves with the username. */
export async function signUp(page, prefix) {
  const username = `${prefix}-${uniqueName()}`.slice(0, 32);
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Email').fill(`${username}@example.org`);
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Create account' }).click();
  await side(page).waitFor();
  return username;
}

/** Logs in through the page. */
export async function signIn(page, username, password) {
  await page.getByLabel('Username or email').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await side(page).waitFor();
}

/** The side list. */
export const side = (page) => page.getByRole('navigation', { name: 'Conversations and people' });
/** Somebody's row in the side list. */
export const row = (page, username) => side(page).getByRole('button', { name: username });
/** Where one writes. */
export const composer = (page) => page.getByRole('textbox', { name: /^Message to/ });
/** The messages of the open conversation that contain a text. */
export const bubble = (page, text) => page.getByRole('main').getByRole('listitem').filter({ hasText: text });
/** The button that opens the actions of an own message. */
export const actions = (page, text) => bubble(page, text).getByRole('button', { name: /^Actions for your message/ });
/** Whether what has the focus says this. */
export const focusedText = (page, text) => page.evaluate((said) => document.activeElement?.textContent === said, text);
/** An own message that has met a fate: Sending, Sent, Delivered, Read or Not sent. */
export const fated = (page, text, fate) => bubble(page, text).filter({ hasText: `, ${fate}` });

/** Opens somebody's conversation. */
export async function openTalk(page, username) {
  await row(page, username).click();
  await page.getByRole('heading', { name: username }).waitFor();
}

/** Writes to whoever's conversation is open. */
export async function write(page, text) {
  await composer(page).fill(text);
  await page.keyboard.press('Enter');
}

/** Waits until something holds. */
export async function until(what, holds) {
  const end = Date.now() + WAIT_MS;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`not in ${WAIT_MS} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 25));
  }
}

/** Keeps a picture. */
export const shoot = (page, name) => page.screenshot({ path: `${ARTIFACTS}page-${name}.png` });
