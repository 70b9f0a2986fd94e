import { readFileSync } from 'node:fs';

/**
 * Ends this process in good order when what started it is gone without having told it: npm killed by SIGKILL, or bin.mjs on an
 * older Node (whose IPC channel closes). A plain `nohup sagemaker-mlops local &` has neither and outlives its shell, as expected.
 */
export function endWithParent(): void {
  const end = () => process.kill(process.pid, 'SIGTERM');
  if (process.channel !== undefined && process.channel !== null) {
    process.channel.unref();
    process.on('disconnect', end);
  }
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(timer);
    end();
  }, 1000);
  timer.unref();
}

/** Parent and grandparent: npm runs scripts through a shell, which stays behind when npm is killed. */
function ancestors(): string {
  const parent = process.ppid;
  try {
    const status = readFileSync(`/proc/${parent}/status`, 'utf8');
    return `${parent} ${/^PPid:\s+(\d+)/m.exec(status)?.[1]}`;
  } catch {
    return String(parent);
  }
}
