import type { ParseArgsConfig } from 'node:util';
import type { Terminal } from './terminal.ts';

export interface ParsedArguments {
  values: Record<string, unknown>;
  positionals: string[];
}

export interface Command {
  /** Shown by --help: what it does, usage, options with defaults, what to do next. */
  help: string;
  options: NonNullable<ParseArgsConfig['options']>;
  /** Names of the positional arguments, for messages. */
  positionals: string[];
  /** Resolves to the exit code. */
  run(args: ParsedArguments, terminal: Terminal): Promise<number>;
}
