/** What must not appear in logs, summaries and outputs. One per job, as on GitHub. */
export class Masks {
  readonly #values = new Set<string>();
  #sorted: string[] = [];

  /** Every line of a multi-line value masks on its own, and so do the encodings in which a secret tends to reappear. */
  add(value: string): void {
    const lines = value.split(/\r\n|\r|\n/);
    for (const item of lines.length > 1 ? [value, ...lines] : [value]) {
      const text = item.trim();
      if (text === '') continue;
      for (const form of encodings(text)) this.#values.add(form);
    }
    this.#sorted = [...this.#values].sort((one, other) => other.length - one.length);
  }

  mask(text: string): string {
    let result = text;
    for (const value of this.#sorted) if (result.includes(value)) result = result.replaceAll(value, '***');
    return result;
  }

  isIn(text: string): boolean {
    return this.#sorted.some((value) => text.includes(value));
  }
}

function encodings(text: string): string[] {
  const forms = [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)];
  forms.push(
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&apos;'),
  );
  const unquoted = /^"(.+)"$/.exec(text)?.[1];
  if (unquoted) forms.push(unquoted);
  // base64 at the three possible offsets inside a longer text; the characters that depend on the neighbours are left out.
  const bytes = Buffer.from(text);
  if (bytes.length >= 6) {
    forms.push(bytes.toString('base64'));
    for (const shift of [1, 2]) {
      if (bytes.length > shift + 5)
        forms.push(bytes.subarray(shift).toString('base64').replace(/=+$/, '').slice(0, -1));
    }
  }
  return forms.filter((form) => form !== '');
}
