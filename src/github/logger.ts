import { debug, endGroup, error, info, notice, startGroup, warning } from '@actions/core';

/** Where in the repository an annotation is shown. */
export interface FilePlace {
  file: string;
  /** From 1. */
  line: number;
}

/** Where an action's words go. Tests pass a recording one. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  /** A line that somebody else wrote (a job's log): can never be read as a workflow command. */
  foreign(line: string): void;
  notice(message: string, title?: string): void;
  warn(message: string, title?: string, place?: FilePlace): void;
  error(message: string, title?: string, place?: FilePlace): void;
  group<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/**
 * The runner looks for `::command::` at the trimmed start of a line and for `##[command]` anywhere in it, so a training job's
 * log could set outputs or hide text. Control characters go too.
 */
export function harmless(line: string): string {
  return line
    .replace(escapes, '')
    .replace(/\p{Cc}/gu, ' ')
    .replaceAll('##[', '## [');
}

/** Colours and cursor movements of terminals. */
const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g');

export function githubLogger(): Logger {
  const options = (title: string | undefined, place?: FilePlace) => ({
    ...(title === undefined ? {} : { title }),
    ...(place === undefined ? {} : { file: place.file, startLine: place.line }),
  });
  return {
    debug,
    info,
    foreign: (line) => info(`| ${harmless(line)}`),
    notice: (message, title) => notice(message, options(title)),
    warn: (message, title, place) => warning(message, options(title, place)),
    error: (message, title, place) => error(message, options(title, place)),
    async group(name, work) {
      startGroup(name);
      try {
        return await work();
      } finally {
        endGroup();
      }
    },
  };
}
