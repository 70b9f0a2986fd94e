// Makes time run FAST_CLOCK times as fast, CLOCK_OFFSET milliseconds ahead, for the code under test: Date, and the sleeps of node:timers/promises. Timers of the HTTP
// stack keep to the wall clock.
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

const factor = Number(process.env.FAST_CLOCK ?? '1');
const RealDate = Date;
const start = RealDate.now();
const offset = Number(process.env.CLOCK_OFFSET ?? '0');
const now = () => start + offset + (RealDate.now() - start) * factor;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now());
    else super(...args);
  }
  static now() {
    return Math.floor(now());
  }
};
const sleep = timersPromises.setTimeout;
timersPromises.setTimeout = (milliseconds, value, options) => sleep(milliseconds / factor, value, options);
syncBuiltinESMExports();
