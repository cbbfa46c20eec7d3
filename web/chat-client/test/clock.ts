// Time that passes when a test says so.

/** Timers in virtual time. */
export class Clock {
  private moment = 0;
  private timers: { at: number; callback: () => void }[] = [];

  readonly now = (): number => this.moment;

  readonly later = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { at: this.moment + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  /** Lets time pass; what falls due runs in order. */
  pass(ms: number): void {
    const end = this.moment + ms;
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.moment = next.at;
      next.callback();
    }
    this.moment = end;
  }
}
