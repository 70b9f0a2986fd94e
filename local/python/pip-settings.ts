import { existsSync } from 'node:fs';

/**
 * uv does not read pip's configuration. Where people have set pip up for a mirror, a proxy or their own certificate,
 * the same is told to uv by its environment variables; what they have set for uv itself wins.
 *
 * `listing` is the output of `pip config list`: lines like `global.index-url='...'`, `:env:.cert='...'`, later ones win.
 */
export function uvSettingsFromPip(listing: string, base: NodeJS.ProcessEnv): Record<string, string> {
  const pip = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const match = /^(?:global|install|:env:)\.([a-z-]+)='(.*)'$/.exec(line.trim());
    if (match !== null) pip.set(match[1]!, match[2]!.replaceAll('\\n', '\n').trim());
  }
  const settings: Record<string, string> = {};
  const set = (name: string, value: string | undefined, ...unless: string[]): void => {
    if (value !== undefined && value !== '' && [name, ...unless].every((one) => !base[one])) settings[name] = value;
  };
  const list = (name: string): string[] => (pip.get(name) ?? '').split(/\s+/).filter((item) => item !== '');
  const on = (name: string): string | undefined => (/^(1|true|yes|on)$/i.test(pip.get(name) ?? '') ? '1' : undefined);

  set('UV_DEFAULT_INDEX', pip.get('index-url'), 'UV_INDEX_URL');
  set('UV_INDEX', list('extra-index-url').join(' '), 'UV_EXTRA_INDEX_URL');
  // pip only warns about a folder that is not there, uv stops.
  set(
    'UV_FIND_LINKS',
    list('find-links')
      .filter((link) => /^[a-z]+:\/\//.test(link) || existsSync(link))
      .join(','),
  );
  set('UV_NO_INDEX', on('no-index'));
  set('UV_INSECURE_HOST', list('trusted-host').join(' '));
  set('SSL_CERT_FILE', pip.get('cert'));
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY'])
    set(name, pip.get('proxy'), name.toLowerCase(), 'ALL_PROXY', 'all_proxy');
  return settings;
}
