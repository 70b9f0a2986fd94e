import type { setOutput } from '@actions/core';

/** Masks and outputs of one action. GitHub silently drops an output that holds a masked text, so that is refused here, loudly. */
export interface Outputs {
  set(name: string, value: string): void;
  /** What was set so far. */
  readonly values: ReadonlyMap<string, string>;
  mask(secret: string): void;
  /** The text without what is masked, for words of others that go into an output. */
  scrub(text: string): string;
}

export function createOutputs(sink: { setOutput: typeof setOutput; setSecret: (secret: string) => void }): Outputs {
  const secrets = new Set<string>();
  const values = new Map<string, string>();
  return {
    values,
    scrub: (text) => [...secrets].reduce((rest, secret) => rest.replaceAll(secret, '***'), text),
    mask(secret) {
      // An empty or tiny mask would blank out ordinary text everywhere.
      if (secret.length < 8) return;
      secrets.add(secret);
      sink.setSecret(secret);
    },
    set(name, value) {
      for (const secret of secrets) {
        if (value.includes(secret)) throw new Error(`Output ${name} would hold a masked value; GitHub would drop it.`);
      }
      values.set(name, value);
      sink.setOutput(name, value);
    },
  };
}
