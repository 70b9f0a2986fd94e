import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends the process groups of running steps when this process dies, however it dies. A small shell holds a pipe from us;
 * end of file on it (we are gone) kills every group that was added and not removed.
 */
export class Watchdog {
  #shell: ChildProcess | undefined;

  static readonly #script = `groups=' '
while read -r verb group; do
  case $verb in
    add) groups="$groups$group " ;;
    del) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done`;

  add(group: number): void {
    this.#send(`add ${group}`);
  }

  remove(group: number): void {
    this.#send(`del ${group}`);
  }

  close(): void {
    this.#shell?.stdin?.end();
    this.#shell = undefined;
  }

  #send(line: string): void {
    if (!this.#shell) {
      this.#shell = spawn('/bin/sh', ['-c', Watchdog.#script], {
        stdio: ['pipe', 'ignore', 'ignore'],
        detached: true,
        env: {},
      });
      this.#shell.on('error', () => {});
      this.#shell.stdin!.on('error', () => {});
      this.#shell.unref();
      (this.#shell.stdin as unknown as { unref?: () => void }).unref?.();
    }
    this.#shell.stdin!.write(`${line}\n`);
  }
}
