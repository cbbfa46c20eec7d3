// One JSON line a check; what must be done from outside is asked for on the same way.
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Reporter {
  failed = false;
  #cannot;
  #lines = createInterface({ input: process.stdin });

  /** `cannot` names the checks that this client is known to be unable to pass. */
  constructor(cannot = []) {
    this.#cannot = cannot;
  }

  say(value) {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Runs one check; after a failure the later ones, which build on it, are left out. */
  async check(name, run) {
    if (this.failed || this.#cannot.includes(name)) return;
    try {
      await run();
      this.say({ check: name, ok: true });
    } catch (error) {
      this.failed = true;
      this.say({ check: name, ok: false, error: error.stack });
    }
  }

  /** Asks the runner for something and waits until it is done. */
  async ask(what) {
    this.say({ ask: what });
    await once(this.#lines, 'line');
  }
}
