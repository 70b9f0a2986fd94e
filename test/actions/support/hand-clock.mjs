// Lets the code under test live in the platform's by-hand time: Date is the platform's clock, and a sleep of node:timers/promises moves
// that clock instead of waiting. Timers of the HTTP stack keep to the wall clock.
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

const { HAND_CLOCK_URL: url, HAND_CLOCK_TOKEN: token } = process.env;
const RealDate = Date;
let virtual = 0;

async function advance(milliseconds) {
  const response = await fetch(`${url}/_local/clock/advance`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ milliseconds }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the clock did not move: ${JSON.stringify(answer)}`);
  virtual = RealDate.parse(answer.now);
}

await advance(0);
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(virtual);
    else super(...args);
  }
  static now() {
    return virtual;
  }
};
timersPromises.setTimeout = async (milliseconds, value, { signal } = {}) => {
  signal?.throwIfAborted();
  await advance(Math.ceil(milliseconds));
  return value;
};
syncBuiltinESMExports();
