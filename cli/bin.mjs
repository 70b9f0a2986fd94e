#!/usr/bin/env node
// Plain JavaScript on purpose: any Node from 20 on can start it. The product itself runs on Node 24 (what `using: node24`
// means on GitHub), which comes with `npm ci` as an optional dependency of this platform's kind.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main);
} else {
  const node24 = fileURLToPath(
    new URL(`../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url),
  );
  if (!existsSync(node24)) {
    console.error(
      `sagemaker-mlops needs Node 24, but this is Node ${process.versions.node} and no Node 24 for ` +
        `${process.platform}-${process.arch} is installed here: run "npm ci" in this folder, or start it with a Node 24 of your own.`,
    );
    process.exit(1);
  }
  // The IPC channel is the life line: when this process dies, even by SIGKILL, the child sees the channel close and ends.
  const child = spawn(node24, [main, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) =>
    process.exit(signal === null ? (code ?? 1) : 128 + (signal === 'SIGINT' ? 2 : 15)),
  );
}
