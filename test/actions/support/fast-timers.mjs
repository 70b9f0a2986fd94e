// Makes every timer of the process run FAST_TIMERS times as fast, those of sockets included, so that a test needs no minute to see
// a silent server given up. Date keeps to the wall clock.
import { Socket } from 'node:net';

const factor = Number(process.env.FAST_TIMERS ?? '1');
const later = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (callback, milliseconds = 0, ...rest) => later(callback, milliseconds / factor, ...rest),
  later,
);
const silence = Socket.prototype.setTimeout;
Socket.prototype.setTimeout = function setTimeout(milliseconds, callback) {
  return silence.call(this, milliseconds / factor, callback);
};
