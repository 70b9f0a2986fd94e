/** The Python side cannot be set up; the message is one sentence for the person at the terminal, what to do included. */
export class PythonSetupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PythonSetupError';
  }
}

export type InstallFailure = 'disk' | 'network' | 'platform' | 'hash' | 'other';

/**
 * What kind of trouble an installer's output tells of. The texts are those of pip 21-26 and uv 0.9-0.13 and of the
 * libraries below them (urllib3, reqwest, libc).
 */
export function classifyInstallFailure(output: string): InstallFailure {
  if (/No space left on device|ENOSPC|os error 28|Disk quota exceeded/i.test(output)) return 'disk';
  if (/hash(?:es)? (?:mismatch|do(?:es)? not match)|DO NOT MATCH THE HASHES/i.test(output)) return 'hash';
  if (
    /Failed to establish a new connection|NewConnectionError|ConnectTimeout|Read timed out|Temporary failure in name resolution|Name or service not known|nodename nor servname|dns error|error sending request|Could not connect|Connection refused|Network is unreachable|ProxyError|tcp connect error|Failed to fetch|client error \(Connect\)|network connectivity is disabled/i.test(
      output,
    )
  )
    return 'network';
  if (
    /No matching distribution found|no wheels with a matching|has no usable wheels|can't be installed because it doesn't have a (?:source distribution|binary)|doesn't have a wheel|not a supported wheel/i.test(
      output,
    )
  )
    return 'platform';
  return 'other';
}

/** The sentence for a failed installation; `log` is the file with everything the installer said. */
export function installFailureMessage(failure: InstallFailure, directory: string, log: string): string {
  switch (failure) {
    case 'disk':
      return `The disk is full: the Python packages need about 600 MB below ${directory}; free some space and start again.`;
    case 'network':
      return `The Python packages cannot be downloaded: no connection to the package index that pip or uv is set up for; check the network (or the proxy and index settings of pip and uv) and start again. Details: ${log}`;
    case 'hash':
      return `A downloaded Python package differs from the locked one (hash mismatch): a mirror or proxy altered it, or the download broke; start again, or use another package index. Details: ${log}`;
    case 'platform':
      return `A locked Python package has no build for this system (needed: Linux with glibc 2.28 or newer, or macOS 12 or newer; x86_64 or arm64). Details: ${log}`;
    case 'other':
      return `The Python packages could not be installed; the installer's own words are in ${log}`;
  }
}
